"""What every dialect translates into: canonical events (SPEC: "Events in"), or a refusal.

A translation moves values to where the canonical event has them and leaves judging them to the
canonical decoder: a bad amount has one meaning and one reason, whichever platform sent it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import msgspec

from stream.domain.config import EventType
from stream.wire.checks import Problem

#: A field whose value is passed on as it was sent.
Scalar: TypeAlias = str | int | float | bool | None

#: Header names in lower case, and their texts.
Headers: TypeAlias = Mapping[str, str]
NO_HEADERS: Headers = {}

#: The reason of a document that is of a known dialect and says nothing of orders or signups.
NOT_USED = "not_used"
#: The reason of a document that is of a known dialect, but for a field's shape.
BAD_DOCUMENT = "bad_document"


class Canonical(msgspec.Struct, omit_defaults=True, gc=False):
    """One canonical event; what is None is not written."""

    type: EventType
    customer_id: Scalar = None
    occurred_at: Scalar = None
    order_id: Scalar = None
    return_id: Scalar = None
    amount: Scalar = None
    currency: Scalar = None
    units: Scalar = None
    store: Scalar = None
    attributes: dict[str, str] | None = None


#: What becomes of a document; CloudEvents may carry a canonical event, written already.
Translated: TypeAlias = list[Canonical] | list[bytes] | Problem


@dataclass(frozen=True, slots=True)
class DialectConfig:
    """What the settings say about dialects."""

    #: Attributes worth carrying: those the metrics are broken down by.
    dimensions: tuple[str, ...] = ()
    #: Names of events beside the platforms' own.
    event_names: tuple[tuple[str, EventType], ...] = ()

    def event_types(self, own: Mapping[str, EventType]) -> dict[str, EventType]:
        """The type of each name of an event: a dialect's own and the configured ones."""
        names = {**own, **dict(self.event_names)}
        return {name.casefold(): event_type for name, event_type in names.items()}


def not_used(what: str) -> Problem:
    """The refusal of a document that is about something else."""
    # The text may be the sender's; a header must stay short.
    return Problem(NOT_USED, f"{what[:100]} is no order, refund, cancellation or signup")
