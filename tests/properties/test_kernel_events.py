"""The kernel's reading of events against the reference: never another event or another word."""

from __future__ import annotations

import json
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.domain.money import currencies
from stream.tools.samples import open_sample
from stream.tools.shop import ShopConfig, shop_events
from stream.tools.shop_bulk import bulk_events
from stream.wire.event_reader import EventReader
from tests.support.kernels import NEEDS_KERNEL, installed, texts_of
from tests.support.written_events import DIMENSIONS, FIELDS, VALUES, quoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from stream.domain.events import EventBatch

pytestmark = NEEDS_KERNEL

PLAIN = {
    "type": "purchase",
    "customer_id": "ann",
    "occurred_at": 1_700_000_000,
    "order_id": "o",
    "amount": "1.50",
    "currency": "EUR",
    "attributes": {"channel": "web"},
}


def _shown(batch: EventBatch) -> dict[str, object]:
    """All that a batch says."""
    fields = [name for name in batch.entries.dtype.names or () if name != "values"]
    return {
        "index": batch.index.tolist(),
        "keys": list(batch.keys),
        "entries": [list(map(str, row)) for row in batch.entries[fields].tolist()],
        "places": [column.places.tolist() for column in batch.values],
        "texts": [column.texts for column in batch.values],
    }


def _compare(
    values: Sequence[bytes | None],
    dimensions: tuple[str, ...] = DIMENSIONS,
) -> None:
    batch, letters = EventReader(dimensions, installed()).read(values)
    expected, expected_letters = EventReader(dimensions, None).read(values)
    assert letters == expected_letters
    assert _shown(batch) == _shown(expected)


def _left(values: Iterable[bytes | None], *dimensions: str) -> list[int]:
    """The places that the kernel leaves to the reference."""
    return installed().EventReader(dimensions or DIMENSIONS, currencies()).read(list(values))[0]


@given(values=st.lists(VALUES, max_size=8))
def test_a_chunk_reads_the_same_however_its_events_are_written(values: list[bytes | None]) -> None:
    _compare(values)


@pytest.mark.parametrize("kind", ["purchase", "signup", "return", "cancellation"])
@pytest.mark.parametrize("field", sorted(FIELDS))
@given(data=st.data())
def test_every_field_reads_the_same_in_every_kind_of_event(
    field: str, kind: str, data: st.DataObject
) -> None:
    event = {**PLAIN, "type": kind, "return_id": "r", field: "@@"}
    written = data.draw(st.lists(FIELDS[field], min_size=1, max_size=20))
    before, after = json.dumps(event).split('"@@"')
    values = [f"{before}{value}{after}".encode(errors="surrogatepass") for value in written]
    _compare(values)


@pytest.mark.parametrize("dimensions", [(), ("class", "value0", "é", "type")])
@given(values=st.lists(VALUES, max_size=4))
def test_dimensions_may_have_any_names(
    dimensions: tuple[str, ...], values: list[bytes | None]
) -> None:
    named = json.dumps({**PLAIN, "attributes": {name: f"{name}!" for name in dimensions}})
    _compare([*values, named.encode()], dimensions)


def test_more_dimensions_than_bits_of_a_word_are_read_too() -> None:
    dimensions = tuple(f"d{number}" for number in range(70))
    values = [json.dumps({**PLAIN, "attributes": {name: "x"}}).encode() for name in dimensions]
    _compare(values, dimensions)


def test_more_texts_than_codes_are_read_too() -> None:
    values = [
        json.dumps({**PLAIN, "attributes": {"channel": f"c{number}"}}).encode()
        for number in range(2**16 + 10)
    ]
    assert _left(values) == list(range(2**16 - 1, 2**16 + 10))
    _compare(values)


def test_texts_are_numbered_as_they_come_however_they_are_written() -> None:
    values = [
        json.dumps({**PLAIN, "attributes": {"land": land}}, ensure_ascii=ensure_ascii).encode()
        for land, ensure_ascii in (("é", True), ("b", True), ("é", False), ("", True), ("c", True))
    ]
    assert _left(values) == [0]
    batch, _ = EventReader(("land",), installed()).read(values)
    assert batch.values[0].texts == ["", "é", "b", "c"]
    assert texts_of(batch.values[0]) == ["é", "b", "é", "", "c"]
    _compare(values, ("land",))


def test_an_event_that_is_refused_leaves_no_text_behind() -> None:
    bad = {**PLAIN, "amount": "x", "attributes": {"channel": "nowhere"}}
    batch, letters = EventReader(("channel",), installed()).read(
        [json.dumps(bad).encode(), json.dumps(PLAIN).encode()]
    )
    assert [letter.reason for letter in letters] == ["bad_amount"]
    assert batch.values[0].texts == ["", "web"]


def test_plainly_written_events_take_the_kernels_path() -> None:
    shop = shop_events(ShopConfig(seed=3, start_ms=1_735_689_600_000))
    bulk = bulk_events(customers=500, events=3000)
    for lines in (
        [delivery.line for delivery in islice(shop, 3000)],
        [delivery.line for delivery in bulk],
        list(islice(open_sample("cdnow"), 3000)),
    ):
        assert len(lines) == 3000
        assert _left(lines, "channel", "country") == []
        _compare(lines, ("channel", "country"))


WRITTEN_PLAINLY: dict[str, list[str]] = {
    "type": ['"purchase"', '"signup"', '"return"'],
    "customer_id": ['"ann"', '"é"', "null", quoted("é" * 256)],
    "order_id": ['"o"', "5", "0", "9" * 18, quoted("x" * 256)],
    "occurred_at": [
        '"2024-01-01T00:00:00Z"',
        '"2024-01-01 00:00:00.123456+05:30"',
        "1700000000",
        "1700000000.123",
        "1700000000123",
    ],
    "amount": ['"0"', '"12.34"', '"12.3400"', '"012"', "12", "12.3", "12.30", "123456789012.3"],
    "currency": ['"EUR"', '"JPY"'],
    "units": ["null", "0", "1", "4294967295"],
    "store": ["null", '"default"', '"nörth"'],
    "attributes": ["null", "{}", '{"channel":null}', '{"more":[1,{"a":true}],"land":"DE"}'],
    "more": ['"text"', "-1.5", "true", "[]", '{"a":{"b":[null, 1 , "c"]}}'],
}


@pytest.mark.parametrize(
    ("field", "written"),
    [(field, written) for field, each in WRITTEN_PLAINLY.items() for written in each],
)
def test_ordinary_ways_to_write_a_field_take_the_kernels_path(field: str, written: str) -> None:
    event = {**PLAIN, "amount": "12", "return_id": "r", field: "@@"}
    value = json.dumps(event, indent=1).replace('"@@"', written).encode()
    assert _left([value]) == []
    _compare([value])


def test_entries_can_be_written_to() -> None:
    batch, _ = EventReader((), installed()).read([json.dumps(PLAIN).encode()])
    batch.entries["units"] = 7
    assert batch.entries["units"].tolist() == [7]


def test_values_that_are_no_bytes_are_left() -> None:
    plain = json.dumps(PLAIN).encode()
    odd: list[bytes | None] = [None, b"", plain]
    assert _left(odd) == [0, 1]
    np.testing.assert_array_equal(EventReader((), installed()).read(odd)[0].index, [2])
