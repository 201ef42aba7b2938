"""A real redis-server on loopback that keeps nothing: killed and started again, it is empty."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

import pytest

from stream.tools.child_process import ChildProcess
from tests.support.kafka_server import free_ports

if TYPE_CHECKING:
    from types import TracebackType

    from tests.support.certificates import Authority

REPOSITORY = Path(__file__).parents[2]
START_TIMEOUT_SECONDS: Final = 20.0


class RedisServer:
    """One Redis, on the same address over restarts. Leaving the block always ends the process.

    Args:
        directory: for its log.
        password: what clients must give, if anything.
        authority: with one, it speaks TLS, and asks clients for a certificate of that authority.
    """

    def __init__(
        self, directory: Path, *, password: str = "", authority: Authority | None = None
    ) -> None:
        (self.port,) = free_ports(1)
        user = f":{password}@" if password else ""
        scheme = "redis" if authority is None else "rediss"
        self.url = f"{scheme}://{user}127.0.0.1:{self.port}/0"
        self._authority = authority
        self._password = password
        self._log_path = directory / "redis.log"
        self._process: ChildProcess | None = None

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
        """Start it empty; return when it answers.

        Raises:
            RuntimeError: when it runs already, ends, or does not come up in time.
        """
        if self._process is not None:
            raise RuntimeError(f"Redis at port {self.port} runs already")
        program = installed_server()
        if program is None:
            raise RuntimeError("redis-server is missing: run scripts/install_redis.sh")
        options = {"port": str(self.port), "bind": "127.0.0.1", "save": "", "appendonly": "no"}
        if self._password:
            options["requirepass"] = self._password
        if self._authority is not None:
            certificate, key = self._authority.issue("redis")
            options |= {
                "port": "0",
                "tls-port": str(self.port),
                "tls-cert-file": str(certificate),
                "tls-key-file": str(key),
                "tls-ca-cert-file": str(self._authority.ca),
            }
        command = [
            program,
            *(word for name, text in options.items() for word in (f"--{name}", text)),
        ]
        self._process = ChildProcess("redis", command, self._log_path)
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        while not self._answers():
            if self._process.exit_code is not None or time.monotonic() > deadline:
                said = " | ".join(self._process.last_lines())
                self.kill()
                raise RuntimeError(f"Redis did not come up: {said}")
            time.sleep(0.02)

    def kill(self) -> None:
        """End it at once (SIGKILL), as a crash does."""
        if self._process is not None:
            self._process.stop(signal.SIGKILL)
            self._process = None

    def pause(self) -> None:
        """Let it answer nobody while connections stay open, as a cut network does (SIGSTOP)."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """The end of a pause."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        if self._process is None:
            raise RuntimeError("Redis does not run")
        os.kill(self._process.pid, number)

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                if self._authority is not None:
                    return True
                connection.sendall(b"PING\r\n")
                # It wants the password first, or says +PONG: it is up.
                return connection.recv(64)[:1] in (b"+", b"-")
        except OSError:
            return False


def needed_server() -> str:
    """The server's program.

    Skips the test without one: it is a program of the system, which ``make test`` alone does not
    install. The gate does, before the tests.
    """
    program = installed_server()
    if program is None:
        pytest.skip("redis-server is missing: run scripts/install_redis.sh")
    return program


def installed_server() -> str | None:
    """The server's program; None where scripts/install_redis.sh was not run yet."""
    unpacked = REPOSITORY / ".cache" / "redis" / "redis-server"
    return shutil.which("redis-server") or (str(unpacked) if unpacked.exists() else None)
