"""Value codes and segment rows."""

from __future__ import annotations

import numpy as np
import pytest

from stream.domain.arrays import I64
from stream.domain.calendar import Timeline
from stream.domain.events import TextColumn
from stream.domain.plain_book import PlainBook
from stream.domain.segment_names import OTHER
from stream.domain.segments import Segment, SegmentResolver, Segments, ValueCodes
from stream.domain.tallies import Tallies


def _segments(*dimensions: str) -> Segments:
    timeline = Timeline(3_600_000, "UTC")
    return Segments(Tallies(timeline, (), PlainBook(timeline, ())), dimensions)


def _encode(codes: ValueCodes, texts: list[str]) -> I64:
    return codes.encode(TextColumn.of(texts))


def test_a_text_has_one_code_for_ever_and_no_text_has_zero() -> None:
    codes = ValueCodes()
    first = _encode(codes, ["web", "", "shop", "web"])
    assert first[1] == 0
    assert first[0] == first[3] != first[2]
    assert _encode(codes, ["shop", "app", "web"])[[0, 2]].tolist() == [first[2], first[0]]
    again = ValueCodes()
    again.load(codes.texts)
    assert _encode(again, ["web", "shop", "app", ""]).tolist() == [
        codes.texts.index(text) for text in ("web", "shop", "app", "")
    ]


def test_past_the_limit_new_texts_are_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ValueCodes, "LIMIT", 3)
    codes = ValueCodes()
    kept = _encode(codes, ["a"]).tolist() + _encode(codes, ["b"]).tolist()
    more = _encode(codes, ["c", "d", "a", "b"]).tolist()
    assert more[2:] == kept
    assert codes.texts[more[0]] == codes.texts[more[1]] == OTHER
    assert _encode(codes, ["c"]).tolist() == [more[0]]


def test_texts_of_a_column_that_no_event_carries_get_no_code() -> None:
    codes = ValueCodes()
    column = TextColumn.of(["gone", "web"]).take(np.array([1], np.int64))
    assert codes.encode(column).tolist() == [1]
    assert codes.texts == ["", "web"]


def test_codes_fit_into_an_entry() -> None:
    assert ValueCodes.LIMIT + 1 < 2**16


def test_customers_are_in_the_row_of_their_store_and_of_each_value() -> None:
    segments, codes = _segments("channel", "country"), ValueCodes()
    resolver = SegmentResolver(segments, codes)
    web, germany = _encode(codes, ["web"])[0], _encode(codes, ["DE"])[0]
    stores = np.array([resolver.whole_store(name) for name in ("a", "b", "a")], np.int64)
    rows = resolver.rows(stores, np.array([[web, germany], [web, 0], [0, 0]], np.int64))
    assert [[segments.names[row] for row in customer] for customer in rows.tolist()] == [
        [Segment("a", "all", "all"), Segment("a", "channel", "web"), Segment("a", "country", "DE")],
        [
            Segment("b", "all", "all"),
            Segment("b", "channel", "web"),
            Segment("b", "country", "unknown"),
        ],
        [
            Segment("a", "all", "all"),
            Segment("a", "channel", "unknown"),
            Segment("a", "country", "unknown"),
        ],
    ]
    assert resolver.is_known(rows[:, 1]).tolist() == [True, True, False]


def test_rows_of_values_met_later_are_found_too() -> None:
    segments, codes = _segments("channel"), ValueCodes()
    resolver = SegmentResolver(segments, codes)
    store = np.zeros(1, np.int64) + resolver.whole_store("a")
    found = []
    for number in range(50):
        code = _encode(codes, [f"value{number}"])
        row = resolver.rows(store, code.reshape(1, 1))[0, 1]
        found.append(segments.names[row].name)
    assert found == [f"value{number}" for number in range(50)]
    assert len(set(segments.names)) == len(segments.names) == 51


def test_two_partitions_share_the_rows_of_a_store() -> None:
    segments = _segments("channel")
    ours, theirs = (SegmentResolver(segments, ValueCodes()) for _ in range(2))
    assert ours.whole_store("a") == theirs.whole_store("a")
