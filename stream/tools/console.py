"""What the commands say to a person: expected failures in one line, and progress of long work."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.progress import Progress


class CommandError(Exception):
    """An expected failure of a command; the message is one line with the way out."""


def say(line: str) -> None:
    """Write a line to stdout at once, also into a pipe."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def byte_progress() -> Progress:
    """A progress bar over bytes on stderr, shown only to a terminal."""
    from rich.console import Console  # noqa: PLC0415 - slow to import, and few commands need it
    from rich.progress import (  # noqa: PLC0415
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    console = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
    )


@contextmanager
def count_progress(task: str) -> Iterator[Callable[[int, int], None]]:
    """A progress bar on stderr, shown only to a terminal; yields ``report(done, total)``."""
    from rich.console import Console  # noqa: PLC0415 - slow to import, and few commands need it
    from rich.progress import (  # noqa: PLC0415
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    console = Console(stderr=True)
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as progress:
        bar = progress.add_task(task, total=None)

        def report(done: int, total: int) -> None:
            progress.update(bar, completed=done, total=max(total, done))

        yield report
