"""Letters as lines of a file: to look at, to correct, and to send again."""

from __future__ import annotations

import base64
import binascii
import os
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from stream.tools.console import CommandError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from stream.tools.dead_letters.letters import Letter

COMPACT = -1  # msgspec: no spaces and no line breaks


class _Line(msgspec.Struct, omit_defaults=True, kw_only=True):
    """One letter. Only its name and the event are read back; the rest is for people."""

    letter: str
    reason: str = ""
    detail: str = ""
    topic: str = ""
    key: str | None = None
    #: The event: JSON as it stood, or text that is no JSON, or bytes that are no text.
    event: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    text: str | msgspec.UnsetType = msgspec.UNSET
    base64: str | msgspec.UnsetType = msgspec.UNSET


def write_letters(path: Path, letters: Iterable[Letter]) -> int:
    """Write them into a new file that only its owner may read; how many there were.

    Raises:
        CommandError: when the file exists: it may hold corrections.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise CommandError(f"{path} exists; name another file, or remove it first") from None
    count = 0
    with os.fdopen(descriptor, "wb") as file:
        for letter in letters:
            file.write(line_of(letter) + b"\n")
            count += 1
    return count


def line_of(letter: Letter) -> bytes:
    """A letter as one line of JSON."""
    line = _Line(
        letter=letter.name,
        reason=letter.reason,
        detail=letter.detail,
        topic=letter.topic,
        key=None if letter.key is None else letter.key.decode(errors="backslashreplace"),
    )
    value = letter.value
    if value is not None:
        json = compact_json(value)
        if json is not None:
            line.event = msgspec.Raw(json)
        else:
            try:
                line.text = value.decode()
            except UnicodeDecodeError:
                line.base64 = base64.b64encode(value).decode()
    return msgspec.json.encode(line)


def compact_json(value: bytes) -> bytes | None:
    """A JSON value on one line; None when it is none.

    Spaces aside it is the same byte for byte: a number must not change by being read.
    """
    try:
        msgspec.json.decode(value)
        return msgspec.json.format(value, indent=COMPACT)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


def read_corrections(path: Path) -> dict[str, bytes]:
    """The events of a file by the names of their letters, without letters that have none.

    Raises:
        CommandError: for the first line that cannot be used, with its number.
    """
    corrections: dict[str, bytes] = {}
    with path.open("rb") as file:
        for number, text in enumerate(file, 1):
            if not text.strip():
                continue
            name, event = _read(text, f"{path} line {number}")
            if name in corrections:
                raise CommandError(f"{path} line {number}: letter {name} stands above already")
            if event is not None:
                corrections[name] = event
    return corrections


def _read(text: bytes, where: str) -> tuple[str, bytes | None]:
    try:
        line = msgspec.json.decode(text, type=_Line)
        if isinstance(line.event, msgspec.Raw):
            return line.letter, bytes(line.event)
        if isinstance(line.text, str):
            return line.letter, line.text.encode()
        if isinstance(line.base64, str):
            return line.letter, base64.b64decode(line.base64, validate=True)
    except (msgspec.MsgspecError, UnicodeError, binascii.Error) as error:
        raise CommandError(
            f"{where} is not a line of an exported file ({error}); export again, and change "
            "nothing but the events"
        ) from None
    return line.letter, None
