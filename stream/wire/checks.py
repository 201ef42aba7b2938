"""The shape of event JSON, and the rules one event must pass, each with its reason."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import msgspec

from stream.domain.money import exponent, minor_units
from stream.wire.timestamps import parse_time_ms

MAX_ID_LENGTH = 256
MAX_NAME_LENGTH = 128
MAX_UNITS = 2**32 - 1


class EventJson(msgspec.Struct, gc=False):
    """One event as sent; which fields must be there depends on ``type``."""

    type: Literal["purchase", "signup", "return", "cancellation", "erasure"]
    occurred_at: str | int | float
    customer_id: str | None = None
    order_id: str | int | None = None
    return_id: str | int | None = None
    amount: str | int | float | None = None
    currency: str | None = None
    units: int | float | None = None
    store: str | None = None
    #: A struct with one optional text per configured dimension; other attributes are ignored.
    attributes: Any = None


class Problem(NamedTuple):
    """Why an event cannot be used."""

    reason: str
    detail: str


def event_decoder(dimensions: tuple[str, ...]) -> msgspec.json.Decoder[EventJson]:
    """A decoder of events that keeps the attributes named by ``dimensions`` only."""
    attributes = msgspec.defstruct(
        "Attributes",
        [(f"value{number}", str | None, None) for number in range(len(dimensions))],
        rename={f"value{number}": name for number, name in enumerate(dimensions)},
        gc=False,
    )
    fields = [
        (name, annotation, msgspec.field(default=None))
        for name, annotation in (("attributes", attributes | None),)
    ]
    typed = msgspec.defstruct("TypedEvent", fields, bases=(EventJson,), gc=False)
    return msgspec.json.Decoder(typed)


def undecodable(error: Exception) -> Problem:
    """The reason behind a decoder's exception."""
    if not isinstance(error, msgspec.ValidationError):
        return Problem("not_json", _one_line(error))
    text = str(error)
    if text.startswith("Object missing required field"):
        return Problem("missing_field", _one_line(error))
    # The last one: the text before may quote what was sent.
    _, found, path = text.rpartition("`$.")
    field = path.partition(".")[0].rstrip("`[].") if found else "event"
    return Problem(f"bad_{field}" if found else "not_an_object", _one_line(error))


def problem(event: EventJson, dimensions: int) -> Problem | None:  # noqa: C901, PLR0911 - a list of rules
    """The first rule of SPEC's table that an event breaks; None when it can be used."""
    if parse_time_ms(event.occurred_at) is None:
        return Problem("bad_occurred_at", "not an RFC 3339 time with offset, nor a number")
    if event.store is not None and not _is_name(event.store, MAX_NAME_LENGTH):
        return Problem("bad_store", f"not 1 to {MAX_NAME_LENGTH} characters without NUL")
    if event.customer_id is None:
        if event.type != "purchase":
            return Problem("missing_field", f"events of type {event.type} need a customer_id")
    elif not _is_name(event.customer_id, MAX_ID_LENGTH):
        return Problem("bad_customer_id", f"not 1 to {MAX_ID_LENGTH} characters without NUL")
    if event.type in ("purchase", "cancellation"):
        refused = _id_problem("order_id", event.order_id)
        if refused:
            return refused
    if event.type == "return":
        refused = _id_problem("return_id", event.return_id)
        if refused:
            return refused
    if event.type in ("purchase", "return"):
        refused = _money_problem(event)
        if refused:
            return refused
    return _attribute_problem(event.attributes, dimensions)


def _id_problem(field: str, value: str | int | None) -> Problem | None:
    if value is None:
        return Problem("missing_field", f"{field} is missing")
    if isinstance(value, int) and abs(value) >= 10**MAX_ID_LENGTH:
        return Problem(f"bad_{field}", f"more than {MAX_ID_LENGTH} digits")
    if not _is_name(str(value), MAX_ID_LENGTH):
        return Problem(f"bad_{field}", f"not 1 to {MAX_ID_LENGTH} characters without NUL")
    return None


def _money_problem(event: EventJson) -> Problem | None:
    if event.amount is None or event.currency is None:
        return Problem("missing_field", "amount and currency belong together")
    digits = exponent(event.currency)
    if digits is None:
        return Problem("bad_currency", "not an ISO 4217 code")
    if minor_units(event.amount, digits) is None:
        return Problem("bad_amount", f"not an amount from 0 with at most {digits} decimals")
    units = event.units
    if units is not None and not (0 <= units <= MAX_UNITS and units == int(units)):
        return Problem("bad_units", "not a whole number from 0 to 4294967295")
    return None


def _attribute_problem(attributes: Any, dimensions: int) -> Problem | None:  # noqa: ANN401 - made at run time
    if attributes is None:
        return None
    for number in range(dimensions):
        value = getattr(attributes, f"value{number}")
        if value is not None and len(value) > MAX_NAME_LENGTH:
            return Problem("bad_attributes", f"a value is longer than {MAX_NAME_LENGTH} characters")
    return None


def _is_name(text: str, longest: int) -> bool:
    return 0 < len(text) <= longest and "\0" not in text


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
