"""The flush by lease, and what the consumer makes of a flush, without a broker."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from aiokafka.errors import KafkaTimeoutError
from faust.transport.consumer import ThreadDelegateConsumer
from faust.types import TP

from stream.engine import Engine
from stream.faust_app.app import RetentionApp, create_app
from stream.faust_app.chunk import Chunk, SourcePartition
from stream.faust_app.flush import LostPartitionsError
from stream.faust_app.fuse import BrokenWorldError
from stream.faust_app.give_way import LongSteps
from stream.faust_app.intake import Forward, PartitionSnapshot
from stream.faust_app.lease import Lease
from stream.faust_app.lease_flush import LeaseFlush
from stream.settings import load_settings
from stream.wire.customer_state import Changes
from stream.wire.record_bodies import Body

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from stream.faust_app.outgoing_batch import OutgoingBatch

PURCHASES = SourcePartition("purchases", 0)
PART = PartitionSnapshot(
    0, {PURCHASES: 5}, Changes([b"k"], [b"v"]), [Forward("dead", 1, b"k", b"v", [])]
)


class Producer:
    """Takes batches as aiokafka's producer does; acknowledges them when told."""

    is_transactional = False

    def __init__(self) -> None:
        self.sent: list[tuple[str, int]] = []
        self.acknowledgements: list[asyncio.Future[None]] = []

    async def send_batch(
        self, batch: OutgoingBatch, topic: str, *, partition: int
    ) -> asyncio.Future[None]:
        assert batch.record_count()
        self.sent.append((topic, partition))
        self.acknowledgements.append(asyncio.get_running_loop().create_future())
        return self.acknowledgements[-1]


class Offsets:
    def __init__(self) -> None:
        self.committed: list[Mapping[SourcePartition, int]] = []

    async def __call__(self, positions: Mapping[SourcePartition, int]) -> bool:
        self.committed.append(positions)
        return True


async def forever() -> float | None:
    return float("inf")


async def never() -> float | None:
    return None


async def test_positions_are_committed_after_everything_is_acknowledged() -> None:
    producer, offsets = Producer(), Offsets()
    flush = LeaseFlush(producer, "changelog", "lifecycle", forever, LongSteps(), offsets)
    assert await flush.may_write()
    writing = asyncio.create_task(flush.write([PART]))
    await asyncio.sleep(0.01)
    assert sorted(producer.sent) == [("changelog", 0), ("dead", 1)]
    producer.acknowledgements[0].set_result(None)
    await asyncio.sleep(0.01)
    assert not offsets.committed
    producer.acknowledgements[1].set_result(None)
    assert await writing
    assert offsets.committed == [{PURCHASES: 5}]


async def test_changes_of_stages_are_acknowledged_before_the_state_that_has_them_told() -> None:
    producer, offsets = Producer(), Offsets()
    flush = LeaseFlush(producer, "changelog", "lifecycle", forever, LongSteps(), offsets)
    assert await flush.may_write()
    told = replace(PART, stage_events=[Body(b"", 1)])
    writing = asyncio.create_task(flush.write([told]))
    await asyncio.sleep(0.01)
    assert producer.sent == [("lifecycle", 0)]
    producer.acknowledgements[0].set_result(None)
    await asyncio.sleep(0.01)
    assert sorted(producer.sent[1:]) == [("changelog", 0), ("dead", 1)]
    for each in producer.acknowledgements[1:]:
        each.set_result(None)
    assert await writing


async def test_without_an_acknowledgement_nothing_is_committed() -> None:
    producer, offsets = Producer(), Offsets()
    flush = LeaseFlush(producer, "changelog", "lifecycle", forever, LongSteps(), offsets)
    assert await flush.may_write()
    writing = asyncio.create_task(flush.write([PART]))
    await asyncio.sleep(0.01)
    producer.acknowledgements[0].set_result(None)
    producer.acknowledgements[1].set_exception(KafkaTimeoutError())
    with pytest.raises(KafkaTimeoutError):
        await writing
    assert not offsets.committed


async def test_nothing_is_handed_over_without_a_lease() -> None:
    producer = Producer()
    flush = LeaseFlush(producer, "changelog", "lifecycle", never, LongSteps(), Offsets())
    assert not await flush.may_write()
    with pytest.raises(BrokenWorldError, match="lost the partitions"):
        await flush.write([PART])
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


class Flush:
    """Ends as told."""

    def __init__(self, end: Callable[[], bool], *, member: bool = True) -> None:
        self._end = end
        self._member = member
        self.written: list[Sequence[PartitionSnapshot]] = []

    async def take_over(self, partitions: Collection[int]) -> None:
        pytest.fail(f"{partitions} are taken over, and no partition comes in these tests")

    async def may_write(self) -> bool:
        return self._member

    async def write(self, parts: Sequence[PartitionSnapshot]) -> bool:
        self.written.append(parts)
        return self._end()

    async def close(self) -> None:
        pytest.fail("no partition goes in these tests")


def lose() -> bool:
    raise LostPartitionsError


def fail() -> bool:
    raise KafkaTimeoutError


@pytest.fixture
async def app() -> RetentionApp:
    settings = load_settings({"RETENTION_PARTITIONS": "2"})
    made = create_app(settings, Engine(settings.engine_config()))
    made.engine.assign(0)
    made.engine.finish_restore(0)
    made.intake.seek({PURCHASES: 0})
    made.intake.apply(Chunk.of(PURCHASES, 0, 5, []))
    return made


@pytest.fixture
def consumer(app: RetentionApp) -> Iterator[Any]:
    made: Any = app.consumer
    yield made
    made._thread.thread_loop.close()


async def test_what_was_flushed_is_committed(app: RetentionApp, consumer: Any) -> None:  # noqa: ANN401 - Faust's
    consumer.flush = flush = Flush(lambda: True)
    assert await consumer.force_commit()
    assert [part.positions for part in flush.written[0]] == [{PURCHASES: 5}]
    assert not app.intake.has_uncommitted
    assert not await consumer.force_commit()
    assert len(flush.written) == 1


async def test_who_is_no_member_takes_no_snapshot(app: RetentionApp, consumer: Any) -> None:  # noqa: ANN401 - Faust's
    consumer.flush = flush = Flush(lambda: True, member=False)
    assert not await consumer.force_commit()
    assert not flush.written
    assert app.intake.has_uncommitted


async def test_a_failed_flush_burns_the_fuse(app: RetentionApp, consumer: Any) -> None:  # noqa: ANN401 - Faust's
    consumer.flush = flush = Flush(fail)
    assert not await consumer.force_commit()
    assert app.fuse.reason is not None
    assert app.fuse.reason.startswith("flushing: KafkaTimeoutError")
    assert not await consumer.force_commit()
    assert len(flush.written) == 1


async def test_nothing_is_written_when_a_chunk_fails_while_snapshots_are_taken(
    app: RetentionApp,
    consumer: Any,  # noqa: ANN401 - Faust's
) -> None:
    consumer.flush = flush = Flush(lambda: True)
    committing = asyncio.create_task(consumer.force_commit())
    await asyncio.sleep(0)
    app.fuse.burn(ZeroDivisionError(), "applying")
    assert not await committing
    assert not flush.written
    assert app.intake.has_uncommitted


async def test_lost_partitions_are_not_kept_over_the_next_rebalance(
    app: RetentionApp,
    consumer: Any,  # noqa: ANN401 - Faust's
) -> None:
    everything = {TP("purchases", 0), TP("purchases", 1)}
    app.consumer_generation_id = 1
    app._update_assignment(everything)
    consumer.flush = Flush(lose)
    assert not await consumer.force_commit()
    assert not app.fuse.burnt
    app.consumer_generation_id = 2
    assert app._update_assignment(everything) == (everything, everything)


async def test_nothing_is_committed_between_a_revocation_and_the_next_seek(
    app: RetentionApp,
    consumer: Any,  # noqa: ANN401 - Faust's
) -> None:
    consumer.flush = flush = Flush(lambda: True)
    app.intake.hold()
    assert not await consumer.force_commit()
    assert not flush.written
    app.intake.seek({PURCHASES: 5})
    app.intake.apply(Chunk.of(PURCHASES, 5, 6, []))
    assert await consumer.force_commit()


class SlowFlush(Flush):
    """Takes its time to write, and lets go of the broker when asked to."""

    def __init__(self) -> None:
        super().__init__(lambda: True)
        self.writing, self.may_end = asyncio.Event(), asyncio.Event()
        self.closed = False

    async def write(self, parts: Sequence[PartitionSnapshot]) -> bool:
        assert not self.closed
        self.writing.set()
        await self.may_end.wait()
        return await super().write(parts)

    async def close(self) -> None:
        self.closed = True


async def test_nothing_is_written_after_the_last_commit_of_a_worker_that_stops(
    app: RetentionApp,
    consumer: Any,  # noqa: ANN401 - Faust's
) -> None:
    consumer.flush = flush = SlowFlush()
    stopping = asyncio.create_task(consumer.commit_and_end_transactions())
    await flush.writing.wait()
    # A chunk that was still waiting, and a rebalance as others stop, too.
    app.intake.apply(Chunk.of(PURCHASES, 5, 6, []))
    revoked = asyncio.create_task(consumer.commit_everything())
    await asyncio.sleep(0)
    flush.may_end.set()
    await asyncio.gather(stopping, revoked)
    assert flush.closed
    assert not app.fuse.burnt
    assert [part.positions for (part,) in flush.written] == [{PURCHASES: 5}]


async def test_faust_cannot_take_positions_back_on_its_own(
    app: RetentionApp,
    consumer: Any,  # noqa: ANN401 - Faust's
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def committed(_self: object) -> dict[TP, int]:
        return {TP(*PURCHASES): 0}

    monkeypatch.setattr(ThreadDelegateConsumer, "seek_to_committed", committed)
    await consumer.perform_seek()
    assert app.intake.positions == {PURCHASES: 5}
    consumer.allow_seek()
    await consumer.perform_seek()
    assert app.intake.positions == {PURCHASES: 0}
    app.intake.apply(Chunk.of(PURCHASES, 0, 5, []))
    await consumer.perform_seek()
    assert app.intake.positions == {PURCHASES: 5}
