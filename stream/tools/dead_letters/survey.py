"""What is in the topic: how many letters of which reason, and which still wait."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from stream.tools.dead_letters.letters import letter_of, marked_in

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from stream.tools.dead_letters.letters import Letter
    from stream.tools.dead_letters.topic import DeadLetterTopic


@dataclass(slots=True)
class Tally:
    """Letters of one reason and topic."""

    letters: int = 0
    resent: int = 0
    first_ms: int = 0
    last_ms: int = 0

    @property
    def waiting(self) -> int:
        """Letters that were not sent again."""
        return self.letters - self.resent


@dataclass(frozen=True, slots=True)
class Survey:
    """The result of one reading of the whole topic.

    Attributes:
        tallies: by (reason, topic the events stood in).
        resent: fingerprints of the letters that were sent again.
        strangers: records that are neither letters nor marks.
    """

    tallies: Mapping[tuple[str, str], Tally]
    resent: Collection[int]
    strangers: int

    @property
    def reasons(self) -> list[str]:
        """Every reason that occurs, in alphabetical order."""
        return sorted({reason for reason, _ in self.tallies})


@dataclass(slots=True)
class _Found:
    #: fingerprint → (reason, topic, when)
    letters: dict[int, tuple[str, str, int]] = field(default_factory=dict)
    resent: set[int] = field(default_factory=set)
    strangers: int = 0


def survey(topic: DeadLetterTopic) -> Survey:
    """Read all of it. A letter that was written twice counts once."""
    found = _Found()
    for record in topic.records():
        letter = letter_of(record)
        if letter is not None:
            found.letters.setdefault(
                letter.fingerprint, (letter.reason, letter.topic, letter.timestamp_ms)
            )
        elif marks := marked_in(record):
            found.resent.update(marks)
        else:
            found.strangers += 1
    tallies: defaultdict[tuple[str, str], Tally] = defaultdict(Tally)
    for fingerprint, (reason, name, when_ms) in found.letters.items():
        tally = tallies[reason, name]
        tally.first_ms = min(tally.first_ms, when_ms) if tally.letters else when_ms
        tally.last_ms = max(tally.last_ms, when_ms)
        tally.letters += 1
        tally.resent += fingerprint in found.resent
    return Survey(dict(tallies), found.resent, found.strangers)


def waiting(
    topic: DeadLetterTopic, resent: Collection[int], reasons: Collection[str]
) -> Iterator[Letter]:
    """Read the letters that were not sent again, each once.

    Args:
        topic: to read again.
        resent: from the survey.
        reasons: the only ones to take; empty takes all.
    """
    seen = set(resent)
    for record in topic.records():
        letter = letter_of(record)
        if letter is None or letter.fingerprint in seen:
            continue
        seen.add(letter.fingerprint)
        if not reasons or letter.reason in reasons:
            yield letter
