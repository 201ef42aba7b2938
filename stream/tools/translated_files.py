"""Files of events in other forms as canonical events, for programs that know only those."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import msgspec

from stream.tools.console import byte_progress
from stream.tools.event_files import EventFile
from stream.wire.checks import event_decoder, problem
from stream.wire.dialects.canonical import DialectConfig
from stream.wire.dialects.translator import Translator

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from stream.settings import Settings


@contextmanager
def translated_files(files: Sequence[Path], settings: Settings) -> Iterator[list[Path]]:
    """One file with the canonical events of all of these, in their order; gone after the block.

    A line that is in no other form, or cannot be translated, stays as it is. Of a line of several
    events one of which cannot be used none is, as in the worker.
    """
    dimensions = settings.dimensions
    translator = Translator(DialectConfig(dimensions, settings.dialects.event_names))
    decode = event_decoder(dimensions).decode

    def usable(event: bytes) -> bool:
        try:
            return problem(decode(event), len(dimensions)) is None
        except msgspec.DecodeError:
            return False

    with TemporaryDirectory() as folder:
        path = Path(folder) / "canonical.jsonl"
        with path.open("wb") as target, byte_progress() as progress:
            for file in files:
                for line in EventFile(str(file)).lines(progress):
                    found = translator.translate(line)
                    if not isinstance(found, list) or not all(map(usable, found)):
                        found = [line]
                    target.writelines(event + b"\n" for event in found)
        yield [path]
