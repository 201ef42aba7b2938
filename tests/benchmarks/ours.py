"""One worker over all events, from the broker to committed offsets, as a user would run it."""

from __future__ import annotations

import os
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import psutil
from kafka import KafkaConsumer

from stream.settings import Settings
from stream.tools.child_process import ChildProcess
from tests.benchmarks.setting import Measured, committed_events, watched

START_TIMEOUT_SECONDS = 60.0


def measure(settings: Settings, environ: dict[str, str], group: str, events: int) -> Measured:
    """Start a worker with a group of its own; from ready until every event is committed."""
    environ = {**environ, "RETENTION_APP_ID": group}
    os.environ.update(environ)
    log = Path(settings.data_dir) / "bench" / f"{group}.log"
    worker = ChildProcess("worker", [sys.executable, "-m", "stream", "worker"], log)
    consumer = KafkaConsumer(
        bootstrap_servers=settings.broker, group_id=group, enable_auto_commit=False
    )
    try:
        _await_ready(settings, worker)
        started = time.perf_counter()
        return watched(
            psutil.Process(worker.pid),
            lambda: committed_events(consumer, settings) >= events,
            started,
        )
    finally:
        consumer.close()
        worker.stop()


def _await_ready(settings: Settings, worker: ChildProcess) -> None:
    url = f"http://{settings.web_host}:{settings.web_port}/readyz"
    deadline = time.monotonic() + START_TIMEOUT_SECONDS
    while time.monotonic() < deadline and worker.exit_code is None:
        try:
            with urllib.request.urlopen(url, timeout=1) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.02)
    raise RuntimeError("the worker did not get ready:\n" + "\n".join(worker.last_lines()))
