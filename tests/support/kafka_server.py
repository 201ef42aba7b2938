"""A real Apache Kafka (KRaft, one node) on loopback, for what the embedded broker cannot show.

Its log survives ``kill -9``; it has transactions, and it fences.
"""

from __future__ import annotations

import base64
import random
import secrets
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from stream.tools.child_process import ChildProcess

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType

REPOSITORY = Path(__file__).parents[2]
VERSION: Final = "4.1.0"
NODE_ID: Final = 1
START_TIMEOUT_SECONDS: Final = 60.0
#: Short lives: a plain collector and the quick compiler start half a second sooner.
QUICK_START: Final = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")

#: A start must be quick and an idle server cheap; everything else stays as Kafka ships it.
FAST_SETTINGS: Final[Mapping[str, str]] = {
    # Topics are the program's to create, with their partitions and policies.
    "auto.create.topics.enable": "false",
    # One node: nothing to replicate to.
    "offsets.topic.replication.factor": "1",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.num.partitions": "4",
    # Group members that join or die are noticed in a moment.
    "group.initial.rebalance.delay.ms": "0",
    "group.min.session.timeout.ms": "1000",
    # After a kill the controller holds the broker's place until its session ends: 9 s as shipped.
    "broker.session.timeout.ms": "2500",
    "broker.heartbeat.interval.ms": "500",
    # The cleaner looks for work often, so that compaction happens within a test.
    "log.cleaner.backoff.ms": "500",
    "log.cleaner.dedupe.buffer.size": "4194304",
    "num.network.threads": "2",
    "num.io.threads": "2",
    "background.threads": "2",
}


class KafkaServer:
    """One Kafka node whose data outlives its process: stop, kill and start it at will.

    The address stays the same over restarts. Use it as a context manager: leaving it always
    ends the process.

    Args:
        directory: for its data, settings and log.
        settings: Kafka's own; they go over ``FAST_SETTINGS``.
        listeners: names and protocols of listeners besides the open one, as ``{"TLS": "SSL"}``;
            ``addresses`` tells where they are.
        format_arguments: for the formatting of its storage, as ``--add-scram``.
        heap_mb: of its Java.
        java_options: of its Java; by default those of short lives.
    """

    def __init__(
        self,
        directory: Path,
        *,
        settings: Mapping[str, str] | None = None,
        listeners: Mapping[str, str] | None = None,
        format_arguments: Sequence[str] = (),
        heap_mb: int = 384,
        java_options: Sequence[str] = QUICK_START,
    ) -> None:
        protocols = {"PLAINTEXT": "PLAINTEXT", **(listeners or {})}
        controller_port, *ports = free_ports(1 + len(protocols))
        #: ``host:port`` of every listener by its name
        self.addresses = {
            name: f"127.0.0.1:{port}" for name, port in zip(protocols, ports, strict=True)
        }
        self.address = self.addresses["PLAINTEXT"]
        self._format_arguments = format_arguments
        self._log_path = directory / "kafka.log"
        self._data = directory / "data"
        self._properties = directory / "server.properties"
        self._heap_mb = heap_mb
        self._java_options = java_options
        self._process: ChildProcess | None = None
        directory.mkdir(parents=True, exist_ok=True)
        advertised = ",".join(f"{name}://{at}" for name, at in self.addresses.items())
        chosen = {
            "process.roles": "broker,controller",
            "node.id": str(NODE_ID),
            "controller.quorum.voters": f"{NODE_ID}@127.0.0.1:{controller_port}",
            "controller.listener.names": "CONTROLLER",
            "listeners": f"{advertised},CONTROLLER://127.0.0.1:{controller_port}",
            "advertised.listeners": advertised,
            "inter.broker.listener.name": "PLAINTEXT",
            "listener.security.protocol.map": ",".join(
                f"{name}:{protocol}"
                for name, protocol in {**protocols, "CONTROLLER": "PLAINTEXT"}.items()
            ),
            "log.dirs": str(self._data),
            **FAST_SETTINGS,
            **(settings or {}),
        }
        self._properties.write_text("".join(f"{key}={value}\n" for key, value in chosen.items()))

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.kill()

    def start(self) -> None:
        """Start on the data left by an earlier run, if any; return when clients are served.

        Raises:
            RuntimeError: when it is running already, ends, or does not come up in time.
        """
        if self._process is not None:
            raise RuntimeError(f"Kafka at {self.address} runs already")
        classpath = f"{install()}/*"
        if not self._data.exists():
            self._format(classpath)
        command = [*self._java(classpath), "kafka.Kafka", str(self._properties)]
        self._process = ChildProcess("kafka", command, self._log_path)
        try:
            self._wait_until_serving(self._process)
        except BaseException:
            self.kill()
            raise

    def stop(self) -> None:
        """End it in order (SIGTERM): clients see their connections close, the log is synced."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it at once (SIGKILL), as a crash does; ``start`` brings it back with its data."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        """Stop in order and start again."""
        self.stop()
        self.start()

    def _end(self, how: signal.Signals) -> None:
        if self._process is not None:
            self._process.stop(how)
            self._process = None

    def _java(self, classpath: str) -> list[str]:
        return [
            "java",
            "-Xms64m",
            f"-Xmx{self._heap_mb}m",
            *self._java_options,
            "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
            "-Dorg.slf4j.simpleLogger.showDateTime=true",
            "-cp",
            classpath,
        ]

    def _format(self, classpath: str) -> None:
        # Of 128 bits the first is 0: beginning with "-" it would be taken for an option.
        number = secrets.randbits(127).to_bytes(16, "big")
        cluster_id = base64.urlsafe_b64encode(number).decode().rstrip("=")
        command = ["kafka.tools.StorageTool", "format", "--cluster-id", cluster_id]
        done = subprocess.run(
            [
                *self._java(classpath),
                *command,
                *("--config", str(self._properties)),
                *self._format_arguments,
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"Kafka could not format its storage: {done.stderr or done.stdout}")

    def _wait_until_serving(self, process: ChildProcess) -> None:
        """A KRaft broker takes connections only once its controller has let it in."""
        host, port = self.address.split(":")
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        while time.monotonic() < deadline:
            answered = _accepts(host, int(port))
            # Looked at second: another server on the port must not pass for this one.
            if process.exit_code is not None:
                break
            if answered:
                return
            time.sleep(0.05)
        said = " | ".join(process.last_lines())
        raise RuntimeError(f"Kafka did not come up (exit code {process.exit_code}): {said}")


def _accepts(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=1).close()
    except OSError:
        return False
    return True


def install() -> Path:
    """The folder with Kafka's jars; fetched on first use.

    Raises:
        RuntimeError: when they cannot be fetched; the message says why.
    """
    lib = REPOSITORY / ".cache" / "kafka" / VERSION / "lib"
    if not lib.is_dir():
        script = REPOSITORY / "scripts" / "install_kafka.sh"
        done = subprocess.run([script, VERSION], capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"Kafka could not be fetched: {done.stdout}{done.stderr}")
    return lib


def free_ports(count: int) -> tuple[int, ...]:
    """Ports free on loopback, below those the kernel hands to clients.

    A client that keeps dialling a stopped server's port from the kernel's own range can be given
    that very port to dial from, connects to itself, and the server cannot have it back.
    """
    found: set[int] = set()
    while len(found) < count:
        port = random.randint(20_000, 32_000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        found.add(port)
    return tuple(found)
