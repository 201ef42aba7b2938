"""Workers as an operator runs them: each with a port of its own, started again when it ends."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING, Self

from tests.integration.worker_harness import Worker
from tests.support.kafka_server import free_ports

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path
    from types import TracebackType

POLL_SECONDS = 0.2
#: A worker that ends by itself is started again after so long, as a supervisor would.
RESTART_SECONDS = 0.5


class Fleet:
    """Workers by number; whoever waits here also looks after them.

    Worker processes are tied to the thread that starts them, so there is none in the background:
    call :meth:`tend`, or wait with :meth:`until` or :meth:`rest`.
    """

    def __init__(self, environ: Mapping[str, str], folder: Path, workers: int) -> None:
        self._environ = environ
        self._folder = folder
        self._workers: dict[int, Worker] = {}
        #: The port of each worker there ever was.
        self.ports: dict[int, int] = {}
        #: Logs of workers that are gone.
        self._past_logs: list[str] = []
        #: Ends of workers that nobody here asked for: their last lines.
        self.ended_by_themselves: list[str] = []
        self._first = workers

    def __enter__(self) -> Self:
        for number in range(self._first):
            self.start(number)
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for number in self.numbers:
            worker = self._workers.pop(number)
            worker.__exit__(exc_type, exc_value, traceback)
            self._past_logs.append(worker.log)

    @property
    def numbers(self) -> list[int]:
        """The workers there are."""
        return sorted(self._workers)

    @property
    def logs(self) -> str:
        """Everything any worker has written."""
        return "".join([*self._past_logs, *(worker.log for worker in self._workers.values())])

    def __getitem__(self, number: int) -> Worker:
        return self._workers[number]

    def start(self, number: int) -> None:
        """Start a worker, on the port it had before if it was there before."""
        if number not in self.ports:
            (self.ports[number],) = free_ports(1)
        self._workers[number] = Worker(self._environ, self._folder, port=self.ports[number])

    def kill(self, number: int) -> None:
        """SIGKILL; it is gone until it is started again."""
        worker = self._workers.pop(number)
        worker.kill()
        self._past_logs.append(worker.log)

    def stop(self, number: int) -> None:
        """SIGTERM; it must end well."""
        worker = self._workers.pop(number)
        code = worker.terminate()
        self._past_logs.append(worker.log)
        # One that was just started may not have come to the point of listening to signals.
        barely_begun = code == -signal.SIGTERM and not worker.log
        assert code == 0 or barely_begun, f"exit code {code}: {worker.log}"

    def pause(self, number: int) -> None:
        os.kill(self._workers[number].pid, signal.SIGSTOP)

    def wake(self, number: int) -> None:
        os.kill(self._workers[number].pid, signal.SIGCONT)

    def tend(self) -> None:
        """Start again the workers that have ended by themselves."""
        for number in self.numbers:
            worker = self._workers[number]
            if worker.exit_code is not None:
                self.ended_by_themselves.append(worker.last_log_line)
                self._past_logs.append(worker.log)
                time.sleep(RESTART_SECONDS)
                self.start(number)

    def rest(self, seconds: float) -> None:
        """Let time pass."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self.tend()
            time.sleep(min(left, POLL_SECONDS))

    def until(self, condition: Callable[[], bool], what: str, timeout_seconds: float) -> None:
        """Wait until something is so; fails after ``timeout_seconds``."""
        deadline = time.monotonic() + timeout_seconds
        while not condition():
            assert time.monotonic() < deadline, f"not {what} after {timeout_seconds:.0f} s"
            self.tend()
            time.sleep(POLL_SECONDS)
