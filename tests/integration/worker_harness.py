"""Workers as processes of their own, seen from outside: signals, exit code, log and HTTP."""

from __future__ import annotations

import os
import signal
import sys
import time
import urllib.error
import urllib.request
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Self

from prometheus_client.parser import text_string_to_metric_families

from stream.settings import DEFAULTS
from stream.tools.child_process import ChildProcess
from tests.support.kafka_server import free_ports

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import TracebackType

WORKER_COMMAND = ("-m", "stream", "worker")
#: The embedded broker lets a join wait for a dead member for almost twice its session.
READY_TIMEOUT_SECONDS = 60.0
SETTLE_TIMEOUT_SECONDS = 30.0

Labels = tuple[tuple[str, str], ...]


class Worker:
    """One worker process; leaving the block kills it if it still runs."""

    def __init__(
        self,
        environ: Mapping[str, str],
        log_folder: Path,
        *,
        command: Sequence[str] = WORKER_COMMAND,
        port: int | None = None,
    ) -> None:
        self.port = port or free_ports(1)[0]
        # The embedded broker lets a first join wait for half a session.
        session = {"RETENTION_SESSION_TIMEOUT_SECONDS": "6"}
        chosen = {**session, **environ, "RETENTION_WEB_PORT": str(self.port)}
        # Of this program's settings the worker sees only those chosen here.
        unset = [f"--unset={name}" for name in DEFAULTS if name not in chosen]
        assignments = [f"{name}={value}" for name, value in chosen.items()]
        self._process = ChildProcess(
            "worker",
            ["env", *unset, *assignments, sys.executable, *command],
            log_folder / f"worker-{uuid.uuid4().hex[:8]}.log",
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if exc_value is not None:
            sys.stderr.write(self.log)
        self.kill()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        return self._process.exit_code

    @property
    def log(self) -> str:
        return self._process.log_path.read_text(encoding="utf-8")

    @property
    def last_log_line(self) -> str:
        return self._process.last_lines(1)[0]

    def kill(self) -> None:
        self._process.stop(signal.SIGKILL)

    def terminate(self) -> int | None:
        """SIGTERM; the exit code."""
        os.kill(self.pid, signal.SIGTERM)
        return self.wait_for_exit()

    def wait_for_exit(self) -> int | None:
        self._until(lambda: self.exit_code is not None, "end", alive=False)
        return self.exit_code

    def wait_until_serving(self) -> Self:
        self._until(lambda: self.get("/healthz")[0] == 200, "serve HTTP")
        return self

    def wait_until_ready(self) -> Self:
        self._until(lambda: self.get("/readyz")[0] == 200, "be ready", READY_TIMEOUT_SECONDS)
        return self

    def wait_for_events(self, count: int) -> Self:
        """Wait until that many records were read since this worker's start."""
        self._until(lambda: sum(self.outcomes().values()) >= count, f"read {count} events")
        return self

    def wait_until_owning(
        self, partitions: int, timeout_seconds: float = READY_TIMEOUT_SECONDS
    ) -> Self:
        """Wait until that many partitions are restored and counted here."""
        self._until(
            lambda: (
                ("retention_partitions_ready", {}, float(partitions)) in self.samples()
                and self.get("/readyz")[0] == 200
            ),
            f"own {partitions} partitions",
            timeout_seconds,
        )
        return self

    def wait_for_orders(self, count: int) -> Self:
        """Wait until the longest rolling window counts so many orders."""
        whole = {"store": "default", "dimension": "all", "segment": "all", "window": "30d"}
        self._until(
            lambda: ("retention_orders", whole, float(count)) in self.samples(),
            f"count {count} orders",
        )
        return self

    def wait_until_committed(self) -> Self:
        """Wait for a flush that began after now: one interval and what it takes."""
        time.sleep(2.0)
        return self

    def outcomes(self) -> dict[tuple[str, str], int]:
        """Events by (topic, outcome), without the zeros."""
        return {
            (labels["topic"], labels["outcome"]): int(value)
            for name, labels, value in self.samples()
            if name == "retention_events_total" and value
        }

    def business(self) -> dict[tuple[str, Labels], float]:
        """Every business gauge: what must be the same whatever happened in between."""
        return {
            (name, tuple(sorted(labels.items()))): value
            for name, labels, value in self.samples()
            if "store" in labels
        }

    def gauge(self, name: str, **labels: str) -> float:
        found = [v for n, have, v in self.samples() if n == name and labels.items() <= have.items()]
        assert len(found) == 1, f"{name}{labels}: {found}"
        return found[0]

    def samples(self) -> list[tuple[str, dict[str, str], float]]:
        status, body = self.get("/metrics")
        if status != 200:
            return []
        return [
            (sample.name, sample.labels, sample.value)
            for family in text_string_to_metric_families(body)
            for sample in family.samples
        ]

    def get(self, path: str) -> tuple[int | None, str]:
        """Status and body; no status when nothing answers."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()
        except OSError:
            return None, ""

    def _until(
        self,
        condition: Callable[[], bool],
        what: str,
        timeout_seconds: float = SETTLE_TIMEOUT_SECONDS,
        *,
        alive: bool = True,
    ) -> None:
        deadline = time.monotonic() + timeout_seconds
        while not condition():
            if alive and self.exit_code is not None:
                raise AssertionError(f"the worker ended instead of coming to {what}: {self.log}")
            if time.monotonic() > deadline:
                raise AssertionError(f"the worker did not {what} in {timeout_seconds} s")
            time.sleep(0.05)
