"""What the commands say to a person: expected failures in one line, and progress of long work."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
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
