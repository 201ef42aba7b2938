"""However partitions are spread over workers and messages are mixed: one engine's sum."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from stream.engine import Engine
from stream.meeting.messages import Present, Question, Share, Standing, decode, encode, terms_of
from stream.meeting.rounds import Rounds
from stream.wire.partitioning import partitions_of
from tests.properties.histories import History, histories
from tests.support.engines import Log, engine_config, gauges, gauges_of, run
from tests.support.naive import differences

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

    from stream.meeting.messages import Message
    from tests.support.naive import Event

PARTITIONS = 4
WORKERS = 3
GENERATION = 7


@given(
    histories(),
    st.lists(st.integers(0, WORKERS - 1), min_size=PARTITIONS, max_size=PARTITIONS),
    st.randoms(use_true_random=False),
)
def test_a_round_adds_up_to_what_one_engine_counts(
    history: History, worker_of: list[int], random: Random
) -> None:
    config = engine_config(history.config, partitions=PARTITIONS)
    engines = spread(history, worker_of)
    terms = terms_of(config)
    rounds = Rounds("w0", config, engines[0].same_moment)
    for number in (1, 2):
        assert rounds.call(GENERATION, 1.0) is not None
        present = [Present(terms, number, standing(engines, worker)) for worker in range(WORKERS)]
        old = [Present(terms, number - 1, standing(engines, 0))]
        older = [Present(terms, number, standing(engines, 1, GENERATION - 1))]
        questions = [
            question
            for message in shuffled([*present, *present, *old, *older], random)
            if (question := heard(rounds, message)) is not None
        ]
        if number == 2 or not history.events:
            # Nothing has changed; or there is nothing to be as of.
            assert questions == []
            continue
        (question,) = questions
        shares = [
            Share(
                terms, number, standing(engines, worker), engines[worker].totals(question.as_of_ms)
            )
            for worker in range(WORKERS)
        ]
        for share in shuffled([*shares, *shares], random):
            heard(rounds, share)
    overview = rounds.overview(1.0)
    alone = run(history.events, engine_config(history.config))
    assert overview.as_of_ms == alone.latest_event_ms
    assert overview.partitions_ready == PARTITIONS
    if overview.totals is not None and overview.as_of_ms is not None:
        assert differences(gauges_of(alone, overview.as_of_ms), gauges(overview.totals)) == []


def spread(history: History, worker_of: Sequence[int]) -> list[Engine]:
    """An engine for each worker, with the events of its partitions."""
    config = engine_config(history.config, partitions=PARTITIONS)
    engines = [Engine(config) for _ in range(WORKERS)]
    events: defaultdict[int, list[Event]] = defaultdict(list)
    for event in history.events:
        key = event.get("customer_id")
        name = str(event["order_id"] if key is None else key).encode()
        events[int(partitions_of([name], PARTITIONS)[0])].append(event)
    for partition, worker in enumerate(worker_of):
        engines[worker].assign(partition)
        engines[worker].finish_restore(partition)
        Log(engines[worker], partition).send(events[partition])
    return engines


def standing(engines: Sequence[Engine], worker: int, generation: int = GENERATION) -> Standing:
    engine = engines[worker]
    positions = {("purchases", partition): 1 for partition in engine.ready_partitions}
    return Standing(
        f"w{worker}", generation, engine.ready_partitions, positions, engine.latest_event_ms
    )


def shuffled(messages: Sequence[Present | Share], random: Random) -> list[Present | Share]:
    mixed = list(messages)
    random.shuffle(mixed)
    return mixed


def heard(rounds: Rounds, message: Message) -> Question | None:
    """What a message leads to, after its way as bytes."""
    match decode(encode(message)):
        case Present() as present:
            return rounds.hear_present(present, now_ms=0)
        case Share() as share:
            rounds.hear_share(share)
    return None
