from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from aiokafka.errors import KafkaTimeoutError

from stream.faust_app import outbox
from stream.faust_app.give_way import LongSteps
from stream.faust_app.intake import Forward
from stream.faust_app.outbox import send_changes, send_forwards, send_stage_events
from stream.wire.customer_state import Changes
from stream.wire.record_bodies import header_block, record_bodies
from tests.support.batches import stored

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from stream.faust_app.outgoing_batch import OutgoingBatch

BATCH_BYTES = 10_000


class Producer:
    """Takes batches as aiokafka's producer does; acknowledges them when told."""

    is_transactional = False

    def __init__(self) -> None:
        self.sent: dict[tuple[str, int], list[list[Any]]] = {}
        self.bytes_sent = 0
        self.acknowledgements: list[asyncio.Future[None]] = []

    async def send_batch(
        self, batch: OutgoingBatch, topic: str, *, partition: int
    ) -> asyncio.Future[None]:
        self.bytes_sent += batch.size()
        self.sent.setdefault((topic, partition), []).append(stored(batch))
        self.acknowledgements.append(asyncio.get_running_loop().create_future())
        return self.acknowledgements[-1]

    def values(self, topic: str, partition: int) -> list[bytes | None]:
        return [r.value for batch in self.sent[topic, partition] for r in batch]


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "record_bodies", partial(record_bodies, max_bytes=BATCH_BYTES))


def changes(count: int, size: int = 10) -> Changes:
    return Changes([b"k%d" % n for n in range(count)], [b"%0*d" % (size, n) for n in range(count)])


async def acknowledged(producer: Producer, sending: Coroutine[Any, Any, None]) -> None:
    """Let it send, acknowledging everything."""
    task = asyncio.create_task(sending)
    while not task.done():
        for acknowledgement in producer.acknowledgements:
            if not acknowledgement.done():
                acknowledgement.set_result(None)
        await asyncio.sleep(0)
    await task


async def test_every_changed_customer_is_written_in_order_to_its_partition() -> None:
    producer = Producer()
    await acknowledged(producer, send_changes(producer, "changelog", 2, changes(1000), LongSteps()))
    assert producer.values("changelog", 2) == changes(1000).values
    assert list(producer.sent) == [("changelog", 2)]


async def test_nothing_is_sent_for_nothing() -> None:
    producer = Producer()
    await send_changes(producer, "changelog", 0, changes(0), LongSteps())
    await send_forwards(producer, [])
    assert not producer.sent


async def test_changes_are_encoded_when_it_is_their_turn() -> None:
    producer, long_steps = Producer(), LongSteps()
    async with long_steps.turn():
        sending = asyncio.create_task(
            acknowledged(producer, send_changes(producer, "changelog", 0, changes(3), long_steps))
        )
        await asyncio.sleep(0.01)
        assert not producer.sent
    await sending
    assert producer.values("changelog", 0) == changes(3).values


async def test_batches_stay_below_what_a_broker_takes() -> None:
    producer = Producer()
    await acknowledged(
        producer, send_changes(producer, "changelog", 0, changes(100, size=1000), LongSteps())
    )
    sizes = [sum(len(r.value) for r in batch) for batch in producer.sent["changelog", 0]]
    assert len(sizes) > 9
    assert max(sizes) <= BATCH_BYTES


async def test_a_record_larger_than_a_batch_travels_alone() -> None:
    producer = Producer()
    what = Changes([b"a", b"b", b"c"], [b"1", b"x" * 2 * BATCH_BYTES, None])
    await acknowledged(producer, send_changes(producer, "changelog", 0, what, LongSteps()))
    lengths = [len(batch) for batch in producer.sent["changelog", 0]]
    assert lengths == [1, 1, 1]
    assert producer.values("changelog", 0) == what.values


async def test_changes_of_stages_arrive_as_they_are_in_fewer_bytes() -> None:
    producer = Producer()
    values: list[bytes | None] = [b"much the same text again, number %d" % n for n in range(1000)]
    headers = [header_block([("content-type", b"text")])] * len(values)
    events = record_bodies([b"k"] * len(values), values, headers)
    await acknowledged(producer, send_stage_events(producer, "lifecycle", 0, events))
    assert producer.values("lifecycle", 0) == values
    assert producer.sent["lifecycle", 0][0][0].headers == [("content-type", b"text")]
    assert producer.bytes_sent < sum(len(body.records) for body in events) / 5


async def test_forwards_keep_key_value_and_headers() -> None:
    producer = Producer()
    letter = Forward("dead", 3, b"k", None, [("a", b"b"), ("c", None)])
    bare = Forward("dead", 3, None, None, [])
    stray = Forward("rerouted", 1, b"c", b"v", [])
    await acknowledged(producer, send_forwards(producer, [letter, stray, bare]))
    first, second = producer.sent["dead", 3][0]
    assert (first.key, first.value, first.headers) == (b"k", None, [("a", b"b"), ("c", None)])
    assert (second.key, second.value, second.headers) == (None, None, [])
    assert producer.values("rerouted", 1) == [b"v"]


async def test_sending_ends_only_when_all_is_acknowledged() -> None:
    producer = Producer()
    letters = [Forward("dead", partition, b"k", b"v", []) for partition in (0, 1)]
    sending = asyncio.create_task(send_forwards(producer, letters))
    await asyncio.sleep(0.01)
    producer.acknowledgements[0].set_result(None)
    await asyncio.sleep(0.01)
    assert not sending.done()
    producer.acknowledgements[1].set_result(None)
    await sending


async def test_one_missing_acknowledgement_fails_the_whole() -> None:
    producer = Producer()
    sending = asyncio.create_task(
        send_changes(producer, "changelog", 0, changes(2, size=BATCH_BYTES), LongSteps())
    )
    await asyncio.sleep(0.01)
    producer.acknowledgements[0].set_result(None)
    producer.acknowledgements[1].set_exception(KafkaTimeoutError())
    with pytest.raises(KafkaTimeoutError):
        await sending
