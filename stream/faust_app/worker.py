"""Running a worker: from start to SIGTERM, or to the first thing that must not be ignored."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from typing import TYPE_CHECKING

from aiokafka.errors import KafkaConnectionError

from stream import kernel
from stream.engine import Engine
from stream.faust_app.app import create_app
from stream.faust_app.flush import look_away
from stream.faust_app.fuse import BrokenWorldError
from stream.faust_app.http_side import HttpSide
from stream.faust_app.lifetimes import LifetimeFits
from stream.faust_app.live_state import LiveState
from stream.faust_app.log import configure_logging, logger
from stream.faust_app.meeting_side import MeetingSide
from stream.faust_app.memory import tune_memory
from stream.faust_app.refusals import ending_when_refused
from stream.faust_app.watchdog import Watchdog
from stream.meeting.redis_place import open_place
from stream.settings import SettingError

if TYPE_CHECKING:
    from stream.faust_app.app import RetentionApp
    from stream.faust_app.flush import FlushObserver
    from stream.settings import Settings

EXIT_OK = 0
EXIT_FAILURE = 1
#: A stop flushes, commits and leaves the group; who waits for it waits 10 s.
STOP_TIMEOUT_SECONDS = 8.0


def run_worker(settings: Settings, observe_flush: FlushObserver = look_away) -> int:
    """Run a worker until SIGTERM or SIGINT, then flush, commit and leave.

    Args:
        settings: of this worker.
        observe_flush: told of the steps of every flush.

    Returns:
        0 after a clean stop; 1 when the worker could not go on, with the reason as the last
        line of the log.

    Raises:
        SettingError: when the address of the HTTP side cannot be used.
    """
    configure_logging(settings.log_level)
    logger.info("kernel: %s", kernel.ABOUT)
    tune_memory()
    return asyncio.run(_run(settings, observe_flush))


async def _run(settings: Settings, observe_flush: FlushObserver) -> int:
    asked_to_stop = asyncio.Event()
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(signal_number, asked_to_stop.set)
    app = create_app(settings, Engine(settings.engine_config()), observe_flush)
    meeting = _join_the_others(app, settings)
    state = LiveState(app, settings.partitions, meeting)
    app.add_dependency(HttpSide(settings, state))
    app.add_dependency(LifetimeFits(state, app.fuse))
    app.add_dependency(Watchdog(state, app.intake, app.fuse))
    with ending_when_refused(settings.kafka, app.fuse):
        await _until_the_end(app, asked_to_stop)
        stopped = await _stop(app)
        code = _report(app, stopped=stopped)
        if app.fuse.burnt or not stopped:
            # A thread that hangs, or still tries to reach Kafka, would keep the process alive.
            sys.stderr.flush()
            os._exit(code)
    return code


def _join_the_others(app: RetentionApp, settings: Settings) -> MeetingSide | None:
    """The meeting of several workers; None for one that is alone."""
    if not settings.redis.url:
        return None
    meeting = MeetingSide(app, settings, open_place(settings.redis))
    app.add_dependency(meeting)
    return meeting


def _report(app: RetentionApp, *, stopped: bool) -> int:
    """Say as the last line how it ended; the exit code."""
    if app.fuse.reason is not None:
        logger.critical("the worker ends: %s", app.fuse.reason)
        return EXIT_FAILURE
    if app.intake.has_uncommitted:
        logger.critical(
            "the worker ends: not all it applied could be committed%s; it will be read again",
            "" if stopped else f" within {STOP_TIMEOUT_SECONDS:.0f} s",
        )
        return EXIT_FAILURE
    logger.info("stopped; everything applied is committed")
    return EXIT_OK


async def _until_the_end(app: RetentionApp, asked_to_stop: asyncio.Event) -> None:
    """Start the app, and return when it has to stop; the fuse tells whether it failed."""
    starting = asyncio.create_task(app.start())
    endings = [
        asyncio.create_task(asked_to_stop.wait()),
        asyncio.create_task(app.fuse.wait()),
        asyncio.create_task(app.wait_until_stopped()),
    ]
    try:
        await asyncio.wait([starting, *endings], return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            starting.result()
            await asyncio.wait(endings, return_when=asyncio.FIRST_COMPLETED)
    except SettingError:
        raise
    except KafkaConnectionError as error:
        app.fuse.burn(_unreachable(app.kafka.bootstrap_servers, error), "starting")
    except Exception as error:  # noqa: BLE001 - whatever it is, the worker has to end
        app.fuse.burn(error, "starting")
    finally:
        for ending in endings:
            ending.cancel()
    if app.crashed:
        app.fuse.burn(app.crash_reason or RuntimeError(), "running")


async def _stop(app: RetentionApp) -> bool:
    """Flush, commit and leave; whether that came to its end in time."""
    limit = asyncio.timeout(STOP_TIMEOUT_SECONDS)
    try:
        async with limit:
            await app.stop()
    except TimeoutError:
        return False
    # A service that is cancelled while it stops may take that for its end, and a thread of its own
    # goes on.
    return not limit.expired()


def _unreachable(bootstrap_servers: str, error: KafkaConnectionError) -> BrokenWorldError:
    return BrokenWorldError(
        f"no Kafka broker answers at {bootstrap_servers} ({error}): check RETENTION_BROKER, "
        "or start one with: retention-stream broker"
    )
