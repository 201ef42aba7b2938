"""Files of JSON lines → one table-shaped text file that DuckDB reads in parallel.

DuckDB's JSON reader forgives trailing commas, NaN and repeated keys; the contract does not. So each
line goes through a strict JSON parser here first. What its fields mean is left to the SQL.
"""

from __future__ import annotations

import gzip
import json
from contextlib import ExitStack
from typing import IO, TYPE_CHECKING

from stream.tools.oracle.parameters import OracleError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

LINES_PER_REPORT = 20_000


def spool_lines(
    files: Sequence[Path], spool: Path, on_progress: Callable[[float], None]
) -> tuple[int, int]:
    """Write ``arrival <tab> JSON`` for every line that is strictly JSON.

    Lines are numbered through all files from 1, blank ones not counted: that is their order of
    arrival. ``on_progress`` hears the fraction of bytes read, 0 to 1.

    Returns:
        The number of lines, and how many of them are not JSON.

    Raises:
        OracleError: when a file cannot be read.
    """
    parser = StrictParser()
    arrival = malformed = 0
    try:
        with spool.open("w", encoding="utf-8", newline="\n") as out:
            for line in _lines(files, on_progress):
                if not line.strip():
                    continue
                arrival += 1
                text = parser.canonical(line)
                if text is None:
                    malformed += 1
                else:
                    out.write(f"{arrival}\t{text}\n")
    except (OSError, EOFError) as error:
        raise OracleError(f"cannot read the events: {error}") from error
    return arrival, malformed


class StrictParser:
    """JSON as RFC 8259 has it; of a repeated key the last value stands."""

    def __init__(self) -> None:
        self._repeated_key = False
        self._decoder = json.JSONDecoder(
            object_pairs_hook=self._object, parse_constant=_refuse_constant
        )

    def canonical(self, line: bytes) -> str | None:
        """The line as one JSON text on one line, no key twice; None when it is not JSON."""
        self._repeated_key = False
        try:
            text = line.decode("utf-8").strip(" \t\r\n")
            value = self._decoder.decode(text)
        except (ValueError, RecursionError):
            return None
        if self._repeated_key:
            return json.dumps(value)
        # Inside a string these would be escaped: raw ones stand between tokens and mean nothing.
        return text.replace("\t", " ").replace("\r", " ")

    def _object(self, pairs: list[tuple[str, object]]) -> dict[str, object]:
        fields = dict(pairs)
        self._repeated_key |= len(fields) < len(pairs)
        return fields


def _refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")


def _lines(files: Sequence[Path], on_progress: Callable[[float], None]) -> Iterator[bytes]:
    sizes = [path.stat().st_size for path in files]
    total = sum(sizes) or 1
    for index, path in enumerate(files):
        with ExitStack() as stack:
            raw = stack.enter_context(path.open("rb"))
            lines: IO[bytes] | gzip.GzipFile = raw
            if path.suffix == ".gz":
                lines = stack.enter_context(gzip.GzipFile(fileobj=raw))
            for number, line in enumerate(lines):
                yield line
                if number % LINES_PER_REPORT == 0:
                    on_progress((sum(sizes[:index]) + raw.tell()) / total)
    on_progress(1.0)
