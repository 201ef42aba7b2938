"""A worker's HTTP side for clients that block: in a thread of its own."""

from __future__ import annotations

import asyncio
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from stream.publish.http import start_http

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stream.settings import Secret
    from tests.support.worker import Worker

TIMEOUT_SECONDS = 30


@contextmanager
def served(worker: Worker, token: Secret | None = None) -> Iterator[str]:
    """Serve it; yields its address. Change the worker from outside only between requests."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    started = asyncio.run_coroutine_threadsafe(start_http("127.0.0.1", 0, worker, token), loop)
    runner = started.result(TIMEOUT_SECONDS)
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(TIMEOUT_SECONDS)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(TIMEOUT_SECONDS)
        loop.close()
