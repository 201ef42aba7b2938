from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiokafka.errors import KafkaTimeoutError
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.record.memory_records import MemoryRecords

from stream.faust_app.fuse import BrokenWorldError
from stream.faust_app.intake import Forward, Snapshot
from stream.faust_app.lease import Lease
from stream.faust_app.outbox import send
from stream.wire.customer_state import Changes

BATCH_BYTES = 10_000


class Producer:
    """Takes batches as aiokafka's producer does; acknowledges them when told."""

    def __init__(self) -> None:
        self.sent: dict[tuple[str, int], list[list[Any]]] = {}
        self.acknowledgements: list[asyncio.Future[None]] = []

    def create_batch(self) -> BatchBuilder:
        return BatchBuilder(BATCH_BYTES, 0)

    async def send_batch(
        self, batch: BatchBuilder, topic: str, *, partition: int
    ) -> asyncio.Future[None]:
        stored = MemoryRecords(bytes(batch._build()))
        self.sent.setdefault((topic, partition), []).append(list(stored.next_batch()))
        self.acknowledgements.append(asyncio.get_running_loop().create_future())
        return self.acknowledgements[-1]

    def values(self, topic: str, partition: int) -> list[bytes | None]:
        return [r.value for batch in self.sent[topic, partition] for r in batch]


async def forever() -> float | None:
    return float("inf")


async def never() -> float | None:
    return None


def changes(count: int, size: int = 10) -> Changes:
    return Changes([b"k%d" % n for n in range(count)], [b"%0*d" % (size, n) for n in range(count)])


def snapshot(changed: dict[int, Changes], forwards: list[Forward] | None = None) -> Snapshot:
    return Snapshot(positions={}, changes=changed, forwards=forwards or [])


async def acknowledge_all(producer: Producer, sending: asyncio.Task[None]) -> None:
    while not sending.done():
        for acknowledgement in producer.acknowledgements:
            if not acknowledgement.done():
                acknowledgement.set_result(None)
        await asyncio.sleep(0)
    await sending


def start(producer: Producer, what: Snapshot, lease: Lease | None = None) -> asyncio.Task[None]:
    return asyncio.create_task(send(producer, what, "changelog", lease or Lease(forever)))


async def test_every_changed_customer_is_written_in_order_to_its_partition() -> None:
    producer = Producer()
    what = snapshot({0: changes(1000), 2: changes(3), 1: changes(0)})
    await acknowledge_all(producer, start(producer, what))
    assert producer.values("changelog", 0) == changes(1000).values
    assert producer.values("changelog", 2) == changes(3).values
    assert ("changelog", 1) not in producer.sent


async def test_batches_stay_below_what_a_broker_takes() -> None:
    producer = Producer()
    await acknowledge_all(producer, start(producer, snapshot({0: changes(100, size=1000)})))
    sizes = [sum(len(r.value) for r in batch) for batch in producer.sent["changelog", 0]]
    assert len(sizes) > 9
    assert max(sizes) <= BATCH_BYTES


async def test_a_record_larger_than_a_batch_travels_alone() -> None:
    producer = Producer()
    what = Changes([b"a", b"b", b"c"], [b"1", b"x" * 2 * BATCH_BYTES, None])
    await acknowledge_all(producer, start(producer, snapshot({0: what})))
    lengths = [len(batch) for batch in producer.sent["changelog", 0]]
    assert lengths == [1, 1, 1]
    assert producer.values("changelog", 0) == what.values


async def test_forwards_keep_key_value_and_headers() -> None:
    producer = Producer()
    letter = Forward("dead", 3, b"k", None, [("a", b"b"), ("c", None)])
    bare = Forward("dead", 3, None, None, [])
    await acknowledge_all(producer, start(producer, snapshot({}, [letter, bare])))
    first, second = producer.sent["dead", 3][0]
    assert (first.key, first.value, first.headers) == (b"k", None, [("a", b"b"), ("c", None)])
    assert (second.key, second.value, second.headers) == (None, None, [])


async def test_sending_ends_only_when_all_is_acknowledged() -> None:
    producer = Producer()
    sending = start(producer, snapshot({0: changes(1), 1: changes(1)}))
    await asyncio.sleep(0.01)
    producer.acknowledgements[0].set_result(None)
    await asyncio.sleep(0.01)
    assert not sending.done()
    producer.acknowledgements[1].set_result(None)
    await sending


async def test_one_missing_acknowledgement_fails_the_whole() -> None:
    producer = Producer()
    sending = start(producer, snapshot({0: changes(1), 1: changes(1)}))
    await asyncio.sleep(0.01)
    producer.acknowledgements[0].set_result(None)
    producer.acknowledgements[1].set_exception(KafkaTimeoutError())
    with pytest.raises(KafkaTimeoutError):
        await sending


async def test_nothing_is_handed_over_without_a_lease() -> None:
    producer = Producer()
    with pytest.raises(BrokenWorldError, match="lost the partitions"):
        await start(producer, snapshot({0: changes(1)}), Lease(never))
    assert not producer.sent


async def test_a_lease_is_renewed_when_it_is_about_to_end() -> None:
    now = asyncio.get_running_loop().time()
    answers = iter([now, now + 1000.0])
    asked = []

    async def heartbeat() -> float | None:
        asked.append(1)
        return next(answers)

    lease = Lease(heartbeat)
    assert await lease.renew()
    await lease.confirm()
    await lease.confirm()
    assert len(asked) == 2
