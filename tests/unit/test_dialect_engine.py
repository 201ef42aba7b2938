"""Dialects through the engine: outcomes by record, duplicates, replays, strays, lateness."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.domain.config import EngineConfig
from stream.domain.events import Outcome
from stream.engine import Applied, Engine
from stream.wire.dialects.canonical import DialectConfig
from stream.wire.dialects.translator import RawHeaders, Translator
from stream.wire.partitioning import partitions_of
from tests.support.dialect_documents import (
    Document,
    cloud_event,
    ga4_purchase,
    ga4_request,
    segment,
    segment_order,
    shopify_customer,
    shopify_order,
    shopify_refund,
    woo_customer,
    woo_order,
)
from tests.support.engines import (
    DAY_MS,
    HOUR_MS,
    NOW_MS,
    PURCHASES,
    REROUTED,
    engine_config,
    named_sums,
    ready_engine,
)
from tests.support.naive import NaiveConfig

CONFIG = engine_config(NaiveConfig(("30d",), ("channel", "country"), "UTC", HOUR_MS))
TRANSLATOR = Translator(DialectConfig(CONFIG.dimensions))
PURCHASE = {
    "type": "purchase",
    "customer_id": "c-1",
    "occurred_at": "2025-03-05T10:00:00Z",
    "order_id": "o-1",
    "amount": "12.50",
    "currency": "EUR",
}


def send(
    engine: Engine,
    documents: list[Document],
    first: int = 0,
    *,
    topic: str = PURCHASES,
    partition: int = 0,
    headers: list[RawHeaders] | None = None,
) -> Applied:
    """One chunk of documents; every record has one outcome."""
    applied = engine.apply(
        topic,
        partition,
        range(first, first + len(documents)),
        [None] * len(documents),
        [json.dumps(document).encode() for document in documents],
        NOW_MS,
        headers=None if headers is None else headers.__getitem__,
    )
    assert sum(applied.outcomes.values()) == len(documents)
    return applied


def outcomes(applied: Applied) -> dict[str, int]:
    return {outcome.value: count for outcome, count in applied.outcomes.items() if count}


def with_refund(**changed: object) -> Document:
    return shopify_order(refunds=[shopify_refund()], **changed)


def test_one_chunk_may_mix_all_dialects() -> None:
    engine = ready_engine(CONFIG)
    applied = send(
        engine,
        [
            PURCHASE,
            segment_order(),
            with_refund(),
            woo_order(customer_id=0),
            ga4_request(ga4_purchase()),
            cloud_event("x.purchase", {**PURCHASE, "order_id": "o-2"}),
            shopify_customer(),
            woo_customer(),
            segment("Product Viewed"),
            {"type": "nothing"},
        ],
    )
    assert outcomes(applied) == {"applied": 7, "guest": 1, "rejected": 2}
    assert [(letter.index, letter.reason) for letter in applied.dead_letters] == [
        (8, "not_used"),
        (9, "bad_type"),
    ]
    # The same user in Segment's and Google's form is one customer.
    assert engine.customers == 6


def test_a_record_of_several_events_counts_once() -> None:
    engine = ready_engine(CONFIG)
    assert outcomes(send(engine, [with_refund(), PURCHASE])) == {"applied": 2}
    assert outcomes(send(engine, [with_refund()], 5)) == {"duplicate": 1}


def test_an_order_told_again_with_a_new_refund_adds_the_refund_alone() -> None:
    again = with_refund(total_price="1.00")
    step_by_step = ready_engine(CONFIG)
    assert outcomes(send(step_by_step, [shopify_order()])) == {"applied": 1}
    assert outcomes(send(step_by_step, [again], 1)) == {"applied": 1}
    assert outcomes(send(step_by_step, [again], 2)) == {"duplicate": 1}
    at_once = ready_engine(CONFIG)
    send(at_once, [with_refund()])
    assert named_sums(step_by_step) == named_sums(at_once)


def test_a_cancelled_order_is_as_if_never_placed() -> None:
    engine = ready_engine(CONFIG)
    send(engine, [shopify_order(), shopify_order(cancelled_at="2025-03-06T07:00:00-05:00")])
    assert named_sums(engine) == named_sums(ready_engine(CONFIG))


def test_a_record_read_again_is_replayed_whole() -> None:
    engine = ready_engine(CONFIG)
    send(engine, [with_refund()])
    before = named_sums(engine)
    assert outcomes(send(engine, [with_refund()])) == {"replayed": 1}
    assert named_sums(engine) == before


def test_a_record_with_one_bad_event_is_not_used_at_all() -> None:
    engine = ready_engine(CONFIG)
    bad = shopify_order(refunds=[shopify_refund(), shopify_refund(id=None)])
    applied = send(engine, [bad, PURCHASE])
    assert outcomes(applied) == {"applied": 1, "rejected": 1}
    assert [(letter.index, letter.reason) for letter in applied.dead_letters] == [
        (0, "missing_field")
    ]
    assert engine.customers == 1


def test_a_new_refund_of_an_order_beyond_the_horizon_counts() -> None:
    engine = ready_engine(replace(CONFIG, horizon_ms=800 * DAY_MS))
    send(engine, [{**PURCHASE, "occurred_at": "2025-03-08T00:00:00Z"}])
    old = "2020-01-01T00:00:00Z"
    applied = send(engine, [with_refund(processed_at=old)], 1)
    assert outcomes(applied) == {"applied": 1}
    assert applied.dead_letters == []
    too_old = shopify_order(id=1, processed_at=old, refunds=[shopify_refund(processed_at=old)])
    applied = send(engine, [too_old], 2)
    assert outcomes(applied) == {"too_late": 1}
    assert [letter.reason for letter in applied.dead_letters] == ["too_late"]


def test_a_record_with_an_event_in_the_future_is_a_dead_letter() -> None:
    engine = ready_engine(CONFIG)
    refund = shopify_refund(processed_at="2099-01-01T00:00:00Z")
    applied = send(engine, [shopify_order(refunds=[refund])])
    assert outcomes(applied) == {"rejected": 1}
    assert [letter.reason for letter in applied.dead_letters] == ["in_future"]


def test_a_stray_of_several_events_moves_once_and_is_read_there() -> None:
    engine = ready_engine(replace(CONFIG, partitions=2))
    (home,) = partitions_of([b"115310627314723954"], 2).tolist()
    headers: list[RawHeaders] = [[("X-Shopify-Shop-Domain", b"north")]]
    applied = send(engine, [with_refund()], partition=1 - home, headers=headers)
    assert outcomes(applied) == {"rerouted": 1}
    (stray,) = applied.strays
    assert (stray.partition, stray.key) == (home, b"115310627314723954")
    there = send(engine, [with_refund()], topic=REROUTED, partition=home, headers=headers)
    assert outcomes(there) == {"applied": 1}


def test_headers_decide_where_the_value_alone_does_not() -> None:
    data = {name: value for name, value in PURCHASE.items() if name != "type"}
    binary: RawHeaders = [("ce_specversion", b"1.0"), ("ce_type", b"shop.purchase")]
    engine = ready_engine(CONFIG)
    assert outcomes(send(engine, [data, data], headers=[[], binary])) == {
        "rejected": 1,
        "applied": 1,
    }


@pytest.mark.parametrize(
    ("dialect", "expected"),
    [
        ("auto", {"applied": 3}),
        ("segment", {"applied": 2, "rejected": 1}),
        ("canonical", {"applied": 1, "rejected": 2}),
    ],
)
def test_a_topics_setting_says_what_is_taken(dialect: str, expected: dict[str, int]) -> None:
    config: EngineConfig = replace(CONFIG, dialects={PURCHASES: dialect})  # type: ignore[dict-item]
    applied = send(ready_engine(config), [segment_order(), PURCHASE, woo_order()])
    assert outcomes(applied) == expected


def test_other_events_may_be_counted_only() -> None:
    config = replace(CONFIG, ignore_not_used=True)
    applied = send(ready_engine(config), [segment("Product Viewed"), segment_order(total="x")])
    assert outcomes(applied) == {"rejected": 2}
    assert [letter.reason for letter in applied.dead_letters] == ["bad_amount"]


def test_configured_names_reach_the_engine() -> None:
    config = replace(CONFIG, event_names=(("checkout done", "purchase"),))
    document = segment_order() | {"event": "Checkout Done"}
    assert outcomes(send(ready_engine(config), [document])) == {"applied": 1}


DOCUMENTS: list[Document] = [
    PURCHASE,
    segment_order(),
    segment_order(order_id="5032"),
    segment("Order Refunded", order_id="5031-A", total=8.5, currency="EUR"),
    segment("Order Cancelled", order_id="5032"),
    segment("Signed Up"),
    shopify_order(),
    with_refund(),
    shopify_order(cancelled_at="2025-03-06T07:00:00-05:00"),
    woo_order(refunds=[{"id": 1, "total": "-5.00"}]),
    woo_order(customer_id=0),
    ga4_request(ga4_purchase(), {"name": "sign_up"}),
    cloud_event("x.purchase", PURCHASE),
    segment("Product Viewed"),
]


@given(st.lists(st.sampled_from(DOCUMENTS), max_size=12), st.integers(1, 5), st.integers(0, 12))
def test_documents_count_as_their_canonical_events_do_whatever_the_chunks_and_replays(
    documents: list[Document], chunk: int, crash: int
) -> None:
    engine = ready_engine(CONFIG)
    found: Counter[Outcome] = Counter()
    for first in range(0, len(documents), chunk):
        found.update(send(engine, documents[first : first + chunk], first).outcomes)
    for place, document in enumerate(documents[:crash]):
        again = send(engine, [document], place).outcomes
        assert again[Outcome.REPLAYED] + again[Outcome.REJECTED] == 1
    assert found[Outcome.REJECTED] == documents.count(segment("Product Viewed"))
    plain = ready_engine(CONFIG)
    send(plain, [event for document in documents for event in canonical(document)])
    assert named_sums(engine) == named_sums(plain)


def canonical(document: Document) -> list[Document]:
    """The canonical events of a document, which may be one itself."""
    found = TRANSLATOR.translate(json.dumps(document).encode())
    if found is None:
        return [document]
    return [json.loads(event) for event in found] if isinstance(found, list) else []
