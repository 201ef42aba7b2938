"""Which dialects the topics are in, and what events are called there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from stream.domain.config import EVENT_TYPES, TOPIC_DIALECTS, EventType, TopicDialect
from stream.settings.reader import SettingReader
from stream.settings.values import one_of


@dataclass(frozen=True, slots=True)
class Dialects:
    """What the settings say about dialects."""

    purchases: TopicDialect
    signups: TopicDialect
    returns: TopicDialect
    #: Names of events beside the platforms' own, and what they mean.
    event_names: tuple[tuple[str, EventType], ...]
    ignore_not_used: bool


def load_dialects(reader: SettingReader) -> Dialects:
    """Read and check the settings of dialects.

    Raises:
        SettingError: for the first that cannot be used.
    """
    purchases, signups, returns = (
        cast("TopicDialect", reader.read(f"RETENTION_DIALECT_{topic}", one_of(*TOPIC_DIALECTS)))
        for topic in ("PURCHASES", "SIGNUPS", "RETURNS")
    )
    not_used = reader.read("RETENTION_DIALECT_NOT_USED", one_of("dead-letter", "ignore"))
    return Dialects(
        purchases=purchases,
        signups=signups,
        returns=returns,
        event_names=reader.read("RETENTION_DIALECT_EVENT_NAMES", _event_names),
        ignore_not_used=not_used == "ignore",
    )


def _event_names(text: str) -> tuple[tuple[str, EventType], ...]:
    names: dict[str, EventType] = {}
    for part in text.split(","):
        if not part.strip():
            continue
        name, _, meaning = (half.strip() for half in part.rpartition("="))
        if not name or meaning not in EVENT_TYPES:
            raise ValueError(
                f"{part.strip()!r} is not name=type, with a type of {', '.join(EVENT_TYPES)}"
            )
        # The names of events differ in capitals from one source to the next.
        if name.casefold() in names:
            raise ValueError(f"{name!r} is named twice")
        names[name.casefold()] = meaning
    return tuple(names.items())
