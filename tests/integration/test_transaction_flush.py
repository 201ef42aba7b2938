"""What transactions add to a flush: all at once or nothing, and no word from an earlier owner."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

import pytest

from stream.faust_app import transaction_flush
from stream.faust_app.flush import FlushStep, LostPartitionsError
from stream.faust_app.fuse import BrokenWorldError
from tests.integration.stream_harness import Stream
from tests.support.flushes import Membership, Workers
from tests.support.kafka_server import KafkaServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from stream.faust_app.intake import PartitionSnapshot

pytestmark = pytest.mark.kafka

IN_A_TRANSACTION = [
    FlushStep.BEGUN,
    FlushStep.CHANGELOG_SENT,
    FlushStep.FORWARDS_SENT,
    FlushStep.OFFSETS_SENT,
]


@pytest.fixture
async def workers(kafka_server: KafkaServer) -> AsyncIterator[Workers]:
    async with Workers("transactions", Stream(kafka_server.address)) as made:
        yield made


class StopHereError(Exception):
    pass


class StopAt:
    """Raises at a step, once it is told to."""

    def __init__(self, step: FlushStep) -> None:
        self._step = step
        self.armed = False

    def __call__(self, step: FlushStep, _part: PartitionSnapshot) -> None:
        if self.armed and step == self._step:
            raise StopHereError


@pytest.mark.parametrize("step", IN_A_TRANSACTION)
async def test_nothing_of_an_unfinished_flush_is_ever_seen(
    workers: Workers, step: FlushStep
) -> None:
    stop = StopAt(step)
    first, second = await workers.start(observe=stop), await workers.start()
    await first.take_over([0])
    assert await first.write([workers.part(0, 1, b"before", letters=1)])
    stop.armed = True
    with pytest.raises(StopHereError):
        await first.write([workers.part(0, 2, b"unfinished", letters=1)])
    await second.take_over([0])
    assert await workers.changelog(0) == [b"before"]
    assert await workers.dead_letters(0) == [b"1"]
    assert await workers.position(0) == 1
    assert await second.write([workers.part(0, 3, b"after", letters=1)])
    await second.take_over([0])
    assert await workers.changelog(0) == [b"before", b"after"]
    assert await workers.dead_letters(0) == [b"1", b"3"]


@pytest.mark.parametrize("step", [FlushStep.NOTHING_SENT, *IN_A_TRANSACTION])
async def test_a_partition_taken_over_in_the_middle_of_a_flush_refuses_the_rest_of_it(
    workers: Workers, step: FlushStep
) -> None:
    """The owner before is held up at a step, and goes on when another has written."""
    membership, held, taken_over = Membership(), threading.Event(), threading.Event()

    def hold_up(at: FlushStep, _part: PartitionSnapshot) -> None:
        if at == step:
            held.set()
            assert taken_over.wait(20)

    async def flush_late(stream: Stream) -> None:
        async with Workers("transactions", stream) as others:
            late = await others.start(membership, hold_up)
            await late.take_over([0])
            with pytest.raises(LostPartitionsError):
                await late.write([others.part(0, 5, b"late", letters=1)])

    # In a thread of its own, as all of its event loop stands still meanwhile.
    stream = workers.stream
    lagging = asyncio.create_task(asyncio.to_thread(lambda: asyncio.run(flush_late(stream))))
    assert await asyncio.to_thread(held.wait, 20)
    membership.lasts = False
    successor = await workers.start()
    await successor.take_over([0])
    assert await successor.write([workers.part(0, 7, b"new")])
    taken_over.set()
    await lagging
    await successor.take_over([0])
    assert await workers.changelog(0) == [b"new"]
    assert await workers.dead_letters(0) == []
    assert await workers.position(0) == 7


async def test_who_is_refused_as_a_member_ends_and_says_so(workers: Workers) -> None:
    first, second = await workers.start(), await workers.start()
    await first.take_over([0, 1])
    await second.take_over([1])
    with pytest.raises(BrokenWorldError, match=r"another worker writes .* \(1\).*start it again"):
        await first.write([workers.part(0, 4, b"mine"), workers.part(1, 5, b"not mine")])
    # What nobody else had taken over is safe.
    await second.take_over([0, 1])
    assert [await workers.changelog(partition) for partition in (0, 1)] == [[b"mine"], []]
    assert [await workers.position(partition) for partition in (0, 1)] == [4, None]


async def test_a_broker_that_restarts_in_the_middle_of_a_flush_delays_it(tmp_path: Path) -> None:
    with KafkaServer(tmp_path / "kafka") as server:
        async with Workers("transactions", Stream(server.address)) as workers:
            restarts: list[asyncio.Task[None]] = []

            def restart(step: FlushStep, _part: PartitionSnapshot) -> None:
                if step == FlushStep.CHANGELOG_SENT and not restarts:
                    server.kill()
                    restarts.append(asyncio.create_task(asyncio.to_thread(server.start)))

            flush, successor = await workers.start(observe=restart), await workers.start()
            await flush.take_over([0])
            assert await flush.write([workers.part(0, 1, b"a", letters=1)])
            await asyncio.gather(*restarts)
            await successor.take_over([0])
            assert await workers.changelog(0) == [b"a"]
            assert await workers.dead_letters(0) == [b"1"]
            assert await workers.position(0) == 1
            assert len(restarts) == 1


async def test_a_flush_that_gets_no_answer_ends_in_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transaction_flush, "FLUSH_TIMEOUT_SECONDS", 3.0)
    monkeypatch.setattr(transaction_flush, "TAKE_OVER_TIMEOUT_SECONDS", 3.0)
    with KafkaServer(tmp_path / "kafka") as server:
        async with Workers("transactions", Stream(server.address)) as workers:
            flush = await workers.start()
            await flush.take_over([0])
            server.kill()
            with pytest.raises(BrokenWorldError, match=r"flush within 3 s.*unknown"):
                await flush.write([workers.part(0, 1, b"a")])
            with pytest.raises(BrokenWorldError, match="coordinator of transactions did not"):
                await flush.take_over([0])
