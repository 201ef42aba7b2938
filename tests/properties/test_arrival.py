"""How events arrive is no matter: their order, repetitions, and how they are cut into chunks."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.domain import apply
from stream.domain.events import Outcome
from tests.properties.histories import History, histories
from tests.properties.traffic import traffics
from tests.support.engines import Log, engine_config, gauges_of, named_sums, ready_engine, run
from tests.support.kernels import use_kernel
from tests.support.naive import differences

if TYPE_CHECKING:
    from random import Random

    from stream.domain.arrays import Bools

#: How many records arrive together, and whether all kinds of events share a topic.
CHUNKS = st.fixed_dictionaries(
    {"chunk": st.sampled_from((1, 2, 3, 5, 9, 1000)), "one_topic": st.booleans()}
)
#: What the reference keeps of a customer, however it came about.
COLUMNS = (
    "first_order_ms",
    "last_order_ms",
    "before_order_ms",
    "orders",
    "signup_ms",
    "currency",
    "net_minor_units",
)


class Chunks(TypedDict):
    """What CHUNKS draws."""

    chunk: int
    one_topic: bool


def _everything(grouped: apply._Grouped) -> Bools:
    return np.ones(len(grouped.rows), np.bool_)


@given(histories(ambiguous=False), CHUNKS, st.randoms(use_true_random=False))
def test_any_order_of_arrival_gives_the_same_sums(
    history: History, chunks: Chunks, random: Random
) -> None:
    config = engine_config(history.config)
    shuffled = list(history.events)
    random.shuffle(shuffled)
    in_order = run(history.events, config)
    out_of_order = run(shuffled, config, **chunks)
    assert named_sums(out_of_order) == named_sums(in_order)
    for as_of_ms in history.moments():
        found = gauges_of(out_of_order, as_of_ms)
        assert differences(gauges_of(in_order, as_of_ms), found) == []


@given(histories(), CHUNKS)
def test_any_chunking_gives_the_same_sums(history: History, chunks: Chunks) -> None:
    config = engine_config(history.config)
    assert named_sums(run(history.events, config, **chunks)) == named_sums(
        run(history.events, config)
    )


@given(histories() | traffics(), CHUNKS)
def test_appending_gives_the_same_sums_and_state_as_the_exact_path(
    history: History, chunks: Chunks
) -> None:
    config = engine_config(history.config)
    with pytest.MonkeyPatch.context() as patch:
        use_kernel(patch, None)
        mixed = run(history.events, config, **chunks)
        patch.setattr(apply._Grouped, "needs_exact_path", _everything)
        exact = run(history.events, config, **chunks)
    assert named_sums(mixed) == named_sums(exact)
    ours, theirs = mixed._shards[0].customers, exact._shards[0].customers
    rows = np.arange(len(ours), dtype=np.int64)
    assert len(theirs) == len(rows)
    assert ours.keys_of(rows) == theirs.keys_of(rows)
    np.testing.assert_array_equal(ours.applied[rows], theirs.applied[rows])
    for column in COLUMNS:
        kept, exactly = (getattr(each._keeping, column)[rows] for each in (ours, theirs))
        np.testing.assert_array_equal(kept, exactly)
    entries, lengths = ours.ledger.gather(rows)
    exact_entries, exact_lengths = theirs.ledger.gather(rows)
    np.testing.assert_array_equal(lengths, exact_lengths)
    for field in ("time_ms", "id_hash", "amount_minor_units", "units", "currency", "flags"):
        np.testing.assert_array_equal(entries[field], exact_entries[field])


@given(histories(), CHUNKS, st.data())
def test_repeated_events_change_nothing_and_are_counted_as_duplicates(
    history: History, chunks: Chunks, data: st.DataObject
) -> None:
    engine = ready_engine(engine_config(history.config))
    log = Log(engine)
    log.send(history.events, **chunks)
    before = named_sums(engine)
    log.outcomes.clear()
    repeated = (
        data.draw(st.lists(st.sampled_from(history.events), max_size=12)) if history.events else []
    )
    log.send(repeated, **chunks)
    assert named_sums(engine) == before
    assert log.outcomes[Outcome.DUPLICATE] == len(repeated)


@given(histories(ambiguous=False), CHUNKS, st.data())
def test_repetitions_anywhere_in_the_history_change_nothing(
    history: History, chunks: Chunks, data: st.DataObject
) -> None:
    config = engine_config(history.config)
    repeated = [
        event for event in history.events for _ in range(data.draw(st.sampled_from((1, 1, 2, 3))))
    ]
    assert named_sums(run(repeated, config, **chunks)) == named_sums(
        run(history.events, config, **chunks)
    )
