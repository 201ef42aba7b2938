"""Small steps that the dialects share: ids, units, sums, and attributes by their names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar, cast

import msgspec

from stream.wire.checks import MAX_NAME_LENGTH
from stream.wire.dialects.canonical import Scalar

S = TypeVar("S", bound=msgspec.Struct)

_LONGEST_INTEGER = 20  # digits of any number of 64 bits


def customer(value: Scalar) -> Scalar:
    """A customer's id: a whole number as its digits, an empty text as none."""
    if type(value) is int:
        return str(value)
    return None if value == "" else value


def first(*values: Scalar) -> Scalar:
    """The first value that is there."""
    for value in values:
        if value is not None:
            return value
    return None


def first_text(*values: Scalar) -> Scalar:
    """The first value that is there and not an empty text."""
    for value in values:
        if value is not None and value != "":
            return value
    return None


def units(quantities: Sequence[Scalar]) -> Scalar:
    """The sum of lines' quantities, 1 where none is told; without lines None.

    A number may be written as its digits; what is no number is left to be refused.
    """
    if not quantities:
        return None
    total: float = 0
    for quantity in quantities:
        if quantity is None:
            total += 1
        elif isinstance(quantity, int | float):
            total += quantity
        elif quantity.isdecimal() and len(quantity) <= _LONGEST_INTEGER:
            total += int(quantity)
        else:
            return quantity
    return total


def money(amounts: Iterable[Scalar]) -> Scalar:
    """The exact sum of amounts; what is no amount is left to be refused."""
    total = Decimal(0)
    for amount in amounts:
        try:
            total += Decimal(str(amount))
        except InvalidOperation:
            return amount
    return f"{total:f}"


def epoch_ms(micros: Scalar) -> Scalar:
    """Microseconds since the epoch, a number or its digits, as whole milliseconds."""
    if isinstance(micros, str) and micros.isdecimal() and len(micros) <= _LONGEST_INTEGER:
        return int(micros) // 1000
    return micros // 1000 if isinstance(micros, int | float) else micros


class Attributes:
    """Reads the configured dimensions out of a struct that :func:`carrying` made."""

    def __init__(self, fields: Sequence[tuple[str, str]]) -> None:
        self._fields = fields

    def of(self, source: msgspec.Struct | None, found: dict[str, str]) -> None:
        """Add what ``source`` carries and ``found`` does not yet have."""
        if source is not None:
            for name, field in self._fields:
                if name not in found:
                    put(found, name, getattr(source, field))


def put(found: dict[str, str], name: str, value: object) -> None:
    """Add an attribute if its value is a usable text or whole number."""
    if type(value) is int:
        value = str(value)
    if isinstance(value, str) and 0 < len(value) <= MAX_NAME_LENGTH:
        found.setdefault(name, value)


def carrying(base: type[S], dimensions: Sequence[str]) -> tuple[type[S], Attributes]:
    """``base`` with one optional field of any shape for each dimension that it lacks.

    So the decoder skips what nobody asked for, and a property of another shape is no error.
    """
    own = dict(zip(base.__struct_encode_fields__, base.__struct_fields__, strict=True))
    extra = {name: f"value{number}" for number, name in enumerate(dimensions) if name not in own}
    made = with_fields(
        base,
        dict.fromkeys(extra.values(), Any),
        rename={field: name for name, field in extra.items()},
    )
    return made, Attributes([(name, own.get(name) or extra[name]) for name in dimensions])


def with_fields(
    base: type[S], types: Mapping[str, object], *, rename: Mapping[str, str] | None = None
) -> type[S]:
    """``base`` with optional fields added, or given a narrower type."""
    names = dict(zip(base.__struct_fields__, base.__struct_encode_fields__, strict=True))
    made = msgspec.defstruct(
        f"{base.__name__}With",
        [(name, some_type, None) for name, some_type in types.items()],
        bases=(base,),
        rename={**names, **(rename or {})},
        gc=False,
    )
    return cast("type[S]", made)
