"""Endless realistic shop traffic: a history at once, then live events at a chosen pace."""

from __future__ import annotations

import gzip
import signal
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO, cast

from stream.tools.console import say
from stream.tools.produce import EventProducer
from stream.tools.shop import shop_events
from stream.tools.shop_options import Simulation, add_arguments, simulation
from stream.tools.shop_playback import Playback, Played, StopFlag

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path
    from types import FrameType

    from stream.settings import Settings
    from stream.tools.shop_playback import EventSink

__all__ = ["add_arguments", "run"]


def run(settings: Settings, args: Namespace) -> int:
    """Send until time is up, Ctrl-C or SIGTERM; prints how far it came."""
    asked = simulation(args, time.time_ns() // 1_000_000)
    stop = StopFlag()
    with (
        _stopped_by_signals(stop),
        _sink(settings, args.output) as sink,
        _progress_line(asked) as show,
    ):
        playback = Playback(
            sink, asked.pace, live_seconds=args.duration, stop=stop, on_progress=show
        )
        played = playback.run(shop_events(asked.shop))
    say(f"sent {played}")
    return 0


@contextmanager
def _stopped_by_signals(stop: StopFlag) -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def ask_to_stop(_number: int, _frame: FrameType | None) -> None:
        stop.set()
        # Whoever asks twice does not want to wait for what is under way.
        restore()

    for number in before:
        signal.signal(number, ask_to_stop)
    try:
        yield
    finally:
        restore()


class _FileWriter:
    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.flush = file.flush

    def send(self, line: bytes) -> None:
        self._file.write(line + b"\n")


@contextmanager
def _written_to(path: Path) -> Iterator[EventSink]:
    with path.open("wb") as file:
        if path.suffix != ".gz":
            yield _FileWriter(file)
            return
        with gzip.GzipFile(fileobj=file, mode="wb", mtime=0) as packed:
            yield _FileWriter(cast("BinaryIO", packed))


def _sink(settings: Settings, output: Path | None) -> AbstractContextManager[EventSink]:
    if output is not None:
        return _written_to(output)
    return EventProducer(settings.kafka, settings.source_topics)


@contextmanager
def _progress_line(asked: Simulation) -> Iterator[Callable[[Played], None]]:
    """A bar over the history on stderr, then a line that follows; shown only to a terminal."""
    from rich.console import Console  # noqa: PLC0415 - rich is slow to import
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn  # noqa: PLC0415

    console = Console(stderr=True)
    history_ms = asked.pace.live_from_ms - asked.shop.start_ms
    with Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        console=console,
        disable=not console.is_terminal,
    ) as progress:
        task = progress.add_task("history", total=history_ms)

        def show(played: Played) -> None:
            done_ms = max(0, played.simulated_until_ms - asked.shop.start_ms)
            progress.update(task, description=str(played), completed=min(done_ms, history_ms))

        yield show
