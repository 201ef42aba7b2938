"""One worker over all events, from the broker to committed offsets, as a user would run it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
from kafka import KafkaConsumer

from stream.settings import Settings
from stream.tools.child_process import ChildProcess
from tests.benchmarks.setting import Measured, committed_events, watched

START_TIMEOUT_SECONDS = 60.0
RESTORE_TIMEOUT_SECONDS = 300.0


class OurError(Exception):
    """Our worker failed, or its gauges are wrong; the reason in one line."""


def measure(
    settings: Settings, environ: dict[str, str], group: str, events: int, raw: Path | None = None
) -> Measured:
    """Start a worker with a group of its own; from ready until every event is committed.

    Args:
        raw: all the events; every gauge is compared with what they come to.

    Raises:
        OurError: when the worker fails or a gauge is wrong.
    """
    environ = {**environ, "RETENTION_APP_ID": group}
    with running_worker(settings, environ) as worker:
        consumer = KafkaConsumer(
            bootstrap_servers=settings.broker, group_id=group, enable_auto_commit=False
        )
        try:
            await_ready(settings, worker)
            measured = watched(
                psutil.Process(worker.pid),
                lambda: committed_events(consumer, settings) >= events,
                time.perf_counter(),
            )
        except RuntimeError as error:
            raise OurError(f"{error}: {' | '.join(worker.last_lines(2))}") from error
        finally:
            consumer.close()
        if raw is not None:
            verify(environ, raw)
    return measured


def measure_restore(settings: Settings, environ: dict[str, str]) -> float:
    """Seconds from the start of a worker until it is ready, with all state in the changelog."""
    started = time.perf_counter()
    with running_worker(settings, environ) as worker:
        await_ready(settings, worker, RESTORE_TIMEOUT_SECONDS)
        return time.perf_counter() - started


@contextmanager
def running_worker(settings: Settings, environ: dict[str, str]) -> Iterator[ChildProcess]:
    """A worker with this environment for the block; it is stopped in order."""
    os.environ.update(environ)
    log = Path(settings.data_dir) / "bench" / f"{environ['RETENTION_APP_ID']}.log"
    worker = ChildProcess("worker", [sys.executable, "-m", "stream", "worker"], log)
    try:
        yield worker
    finally:
        worker.stop()


def verify(environ: dict[str, str], raw: Path) -> None:
    """Hold every gauge of the running worker against a recount of the raw events.

    Raises:
        OurError: when one differs.
    """
    done = subprocess.run(
        [sys.executable, "-m", "stream", "verify", "--wait", "60", str(raw)],
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        lines = [line.strip() for line in (done.stdout + done.stderr).splitlines() if line.strip()]
        raise OurError("its gauges are wrong: " + " | ".join(lines[-3:]))


def await_ready(
    settings: Settings, worker: ChildProcess, seconds: float = START_TIMEOUT_SECONDS
) -> None:
    """Wait until the worker has its partitions and their state.

    Raises:
        RuntimeError: when it takes too long or the worker ends.
    """
    url = f"http://{settings.web_host}:{settings.web_port}/readyz"
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and worker.exit_code is None:
        try:
            with urllib.request.urlopen(url, timeout=1) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.02)
    raise RuntimeError("the worker did not get ready")
