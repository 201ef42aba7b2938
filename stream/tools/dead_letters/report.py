"""What ``dead-letters`` prints: tables of counts, and single letters whole."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stream.tools.dead_letters.letters import Letter
    from stream.tools.dead_letters.survey import Survey

PIPE_WIDTH = 200  # columns, where there is no terminal to ask


def show_survey(found: Survey, title: str) -> None:
    """Counts by reason and topic. No customer's data is in them."""
    table = Table(title=title, title_justify="left", box=SIMPLE)
    for heading in ("reason", "from topic"):
        table.add_column(heading, no_wrap=True)
    for heading in ("letters", "sent again", "waiting"):
        table.add_column(heading, justify="right")
    for heading in ("first", "last"):
        table.add_column(heading, no_wrap=True)
    for (reason, topic), tally in sorted(found.tallies.items()):
        table.add_row(
            Text(printable(reason)),
            Text(printable(topic)),
            f"{tally.letters:,}",
            f"{tally.resent:,}",
            f"{tally.waiting:,}",
            moment(tally.first_ms),
            moment(tally.last_ms),
        )
    console().print(table)


def show_topics(counts: Mapping[str, int], title: str) -> None:
    """How many events go to which topic."""
    table = Table(title=title, title_justify="left", box=SIMPLE)
    table.add_column("to topic", no_wrap=True)
    table.add_column("events", justify="right")
    for topic, count in sorted(counts.items()):
        table.add_row(Text(printable(topic)), f"{count:,}")
    console().print(table)


def show_letter(letter: Letter, *, was_resent: bool) -> None:
    """Everything about one letter, the event with it."""
    facts = Table.grid(padding=(0, 2))
    rows = {
        "letter": letter.name + (" (sent again)" if was_resent else ""),
        "reason": f"{letter.reason}: {letter.detail}",
        "stood in": f"{letter.topic}, partition {letter.topic_partition}, "
        f"offset {letter.topic_offset}",
        "turned away": moment(letter.timestamp_ms),
        "key": "none" if letter.key is None else _text(letter.key),
        **{f"header {name}": _text(value) for name, value in letter.headers},
    }
    if letter.resent_from is not None:
        rows["was before"] = letter.resent_from
    for name, value in rows.items():
        facts.add_row(Text(printable(name), style="bold"), Text(printable(value)))
    out = console()
    out.print(facts)
    out.print(Text(_pretty(letter.value)), soft_wrap=True)
    out.print()


def counted(count: int, noun: str) -> str:
    """``1 event``, ``2,000 events``."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def moment(epoch_ms: int) -> str:
    """A moment to the second, in UTC."""
    return f"{datetime.fromtimestamp(epoch_ms / 1000, UTC):%Y-%m-%d %H:%M:%S}"


def printable(text: str) -> str:
    """The text without what could steer a terminal: it comes from whoever sent the event."""
    return "".join(
        character if character.isprintable() else repr(character)[1:-1] for character in text
    )


def console() -> Console:
    """Standard output, wide enough in a pipe."""
    out = Console(highlight=False)
    if not out.is_terminal:
        out.width = PIPE_WIDTH
    return out


def _text(value: bytes) -> str:
    return value.decode(errors="backslashreplace")


def _pretty(value: bytes | None) -> str:
    if value is None:
        return "no value"
    try:
        msgspec.json.decode(value)
        text = msgspec.json.format(value, indent=2).decode()
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return printable(_text(value))
    return "\n".join(printable(line) for line in text.split("\n"))
