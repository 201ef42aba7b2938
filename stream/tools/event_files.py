"""Files of events, one JSON object a line: read with progress, and put out of order for tests."""

from __future__ import annotations

import gzip
import random
import sys
import zlib
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from stream.tools.console import CommandError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rich.progress import Progress

STDIN = "-"
LINES_PER_UPDATE = 2_000


class EventFile:
    """A file of JSON lines, gzipped when its name ends in ``.gz``, or stdin when it is ``-``.

    Raises:
        CommandError: at once, when there is no such file.
    """

    def __init__(self, name: str) -> None:
        if name != STDIN and not Path(name).is_file():
            raise CommandError(f"no such file: {name}")
        self.name = name

    def lines(self, progress: Progress) -> Iterator[bytes]:
        """Every line that is not blank, without its end; progress goes by the file's bytes.

        Raises:
            CommandError: when the file is damaged.
        """
        if self.name == STDIN:
            yield from _lines(sys.stdin.buffer, sys.stdin.buffer, progress, "stdin", None)
            return
        path = Path(self.name)
        with path.open("rb") as file:
            size_bytes = path.stat().st_size
            if path.suffix != ".gz":
                yield from _lines(file, file, progress, path.name, size_bytes)
                return
            try:
                with gzip.open(file) as unpacked:
                    yield from _lines(unpacked, file, progress, path.name, size_bytes)
            except (gzip.BadGzipFile, EOFError, zlib.error) as error:
                raise CommandError(f"{self.name} is damaged: {error}; fetch it again") from error


def _lines(
    lines: Iterable[bytes],
    file: BinaryIO,
    progress: Progress,
    description: str,
    size_bytes: int | None,
) -> Iterator[bytes]:
    task = progress.add_task(description, total=size_bytes)
    read_bytes = 0
    source = iter(lines)
    while chunk := list(islice(source, LINES_PER_UPDATE)):
        # A pipe has no position; its lines are its bytes.
        read_bytes += sum(map(len, chunk))
        progress.update(task, completed=read_bytes if size_bytes is None else file.tell())
        yield from (line.rstrip(b"\r\n") for line in chunk if not line.isspace())


def disordered(
    lines: Iterable[bytes], *, shuffle: bool, repeat_share: float, seed: int
) -> Iterator[bytes]:
    """The lines with a share of them twice, in random order or with the repeats at the end.

    The same seed and lines give the same result.
    """
    chance = random.Random(seed)  # noqa: S311 - to be repeatable, not secret
    events = list(lines)
    events += chance.sample(events, round(len(events) * repeat_share))
    if shuffle:
        chance.shuffle(events)
    return iter(events)
