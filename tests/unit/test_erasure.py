"""The two steps of an erasure in the changelog, and the crashes between them."""

from __future__ import annotations

from stream.domain.events import Outcome
from stream.engine import Engine
from stream.wire.customer_state import header_type
from tests.support.engines import encoded, engine_config, named_sums, ready_engine
from tests.support.naive import Event, NaiveConfig

CONFIG = engine_config(NaiveConfig(("30d",), (), "UTC", 3_600_000))
NOW_MS = 1_800_000_000_000
PURCHASE: Event = {
    "type": "purchase",
    "customer_id": "ann",
    "order_id": "1",
    "occurred_at": 1_700_000_000,
    "amount": 1,
    "currency": "EUR",
}
ERASURE: Event = {"type": "erasure", "customer_id": "ann", "occurred_at": 1_700_000_000}
ANN = b"\0ann"


def apply(engine: Engine, topic: str, offset: int, event: Event) -> Outcome:
    outcomes = engine.apply(topic, 0, [offset], [None], [encoded(event)], NOW_MS).outcomes
    (outcome,) = (outcome for outcome, count in outcomes.items() if count)
    return outcome


def changes(engine: Engine) -> list[tuple[bytes, bytes | None]]:
    taken = engine.take_changes(0, NOW_MS)
    customers = zip(taken.keys, taken.values, strict=True)
    return [(key, value) for key, value in customers if not key.startswith(b"\xff")]


def restored(records: list[tuple[bytes, bytes | None]]) -> Engine:
    engine = Engine(CONFIG)
    engine.assign(0)
    engine.restore(0, [key for key, _ in records], [value for _, value in records])
    engine.finish_restore(0)
    return engine


def erased() -> Engine:
    """An engine that read a purchase and then the erasure."""
    engine = ready_engine(CONFIG)
    apply(engine, "purchases", 0, PURCHASE)
    apply(engine, "returns", 0, ERASURE)
    return engine


def test_the_first_step_is_one_record_and_the_second_puts_the_anonymous_row_first() -> None:
    engine = erased()
    before = named_sums(engine)
    first = changes(engine)
    assert [key for key, _ in first] == [ANN]
    engine.note_committed(0, {"purchases": 1, "returns": 1})
    (anonymous, own), last = changes(engine)
    assert anonymous.startswith(b"\0\0\0")
    assert own is not None
    assert last == (ANN, None)
    assert not engine.owes_changes(0)
    assert changes(engine) == []
    assert named_sums(restored([*first, (anonymous, own), last])) == before


def test_a_crash_inside_the_second_step_counts_nothing_twice() -> None:
    engine = erased()
    before = named_sums(engine)
    first = changes(engine)
    engine.note_committed(0, {"purchases": 1, "returns": 1})
    anonymous, _ = changes(engine)
    again = restored([*first, anonymous])
    assert named_sums(again) == before
    assert changes(again) == []
    again.note_committed(0, {"purchases": 1, "returns": 1})
    assert changes(again) == [anonymous, (ANN, None)]


def test_positions_that_are_behind_an_erasure_do_not_let_its_customer_go() -> None:
    engine = erased()
    before = named_sums(engine)
    again = restored(changes(engine))
    # The crash came before the commit, and the next one is of nothing read.
    again.note_committed(0, {"purchases": 0, "returns": 0})
    assert changes(again) == []
    assert apply(again, "purchases", 0, PURCHASE) is Outcome.REPLAYED
    again.note_committed(0, {"purchases": 1, "returns": 0})
    assert changes(again) == []
    assert apply(again, "returns", 0, ERASURE) is Outcome.REPLAYED
    assert named_sums(again) == before
    again.note_committed(0, {"purchases": 1, "returns": 1})
    assert changes(again)[-1] == (ANN, None)


def test_who_comes_back_between_the_steps_is_another_customer() -> None:
    engine = erased()
    changes(engine)
    assert apply(engine, "purchases", 1, {**PURCHASE, "order_id": "2"}) is Outcome.APPLIED
    engine.note_committed(0, {"purchases": 1, "returns": 1})
    # Its own record still holds what is on its way, until positions are past its order.
    ((key, value),) = changes(engine)
    assert key == ANN
    assert value is not None
    assert value[1] == 1
    engine.note_committed(0, {"purchases": 2, "returns": 1})
    (_, own), (key, value) = changes(engine)
    assert own is not None
    assert key == ANN
    assert value is not None
    assert value[1] == 0
    view = engine.customer("default", "ann", NOW_MS)
    assert view is not None
    assert len(view.orders) == 1


def test_order_ids_do_not_lead_to_an_erased_customer() -> None:
    engine = erased()
    changes(engine)
    engine.note_committed(0, {"purchases": 1, "returns": 1})
    with_id = ready_engine(CONFIG)
    apply(with_id, "purchases", 0, PURCHASE)
    (_, plain), *_ = changes(with_id)
    (_, anonymous), *_ = changes(engine)
    assert plain is not None
    assert anonymous is not None
    header = header_type(len(CONFIG.topics)).itemsize
    assert plain[header : header + 8] == anonymous[header : header + 8]
    assert plain[header + 8 : header + 16] != bytes(8)
    assert anonymous[header + 8 : header + 16] == bytes(8)


def test_a_customer_of_whom_nothing_counts_is_deleted() -> None:
    engine = ready_engine(CONFIG)
    cancellation = {**ERASURE, "type": "cancellation", "order_id": "1"}
    apply(engine, "returns", 0, cancellation)
    apply(engine, "returns", 1, ERASURE)
    first = changes(engine)
    assert [key for key, _ in first] == [ANN]
    # Also after a crash, when the record alone has to say so.
    for later in (engine, restored(first)):
        later.note_committed(0, {"returns": 2})
        assert changes(later) == [(ANN, None)]
        assert not later.owes_changes(0)


def test_an_erasure_of_nobody_changes_nothing() -> None:
    engine = ready_engine(CONFIG)
    assert apply(engine, "returns", 0, ERASURE) is Outcome.APPLIED
    assert changes(engine) == []
    assert not engine.owes_changes(0)
