"""What every flush promises, over each broker it is for."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest

from tests.integration.stream_harness import PARTITIONS, Stream
from tests.support.flushes import Kind, Membership, Workers

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from stream.tools.embedded_broker import EmbeddedBroker
    from tests.support.kafka_server import KafkaServer

EVERYTHING = range(PARTITIONS)
LARGE = 3_000


@pytest.fixture(
    params=[
        pytest.param(("lease", "embedded_broker"), id="lease, embedded"),
        pytest.param(("lease", "kafka_server"), id="lease, kafka", marks=pytest.mark.kafka),
        pytest.param(
            ("transactions", "kafka_server"), id="transactions, kafka", marks=pytest.mark.kafka
        ),
    ]
)
async def workers(request: pytest.FixtureRequest) -> AsyncIterator[Workers]:
    kind, broker = cast("tuple[Kind, str]", request.param)
    server: EmbeddedBroker | KafkaServer = request.getfixturevalue(broker)
    async with Workers(kind, Stream(server.address)) as made:
        yield made


async def test_what_was_written_is_there_for_the_next_owner(workers: Workers) -> None:
    first, second = await workers.start(), await workers.start()
    await first.take_over(EVERYTHING)
    assert await first.may_write()
    assert await first.write(
        [workers.part(0, 10, b"a", letters=2), workers.part(1, 11), workers.part(2, 12, b"c")]
    )
    await second.take_over(EVERYTHING)
    assert [await workers.changelog(partition) for partition in EVERYTHING] == [[b"a"], [], [b"c"]]
    assert await workers.dead_letters(0) == [b"10", b"10"]
    assert [await workers.position(partition) for partition in EVERYTHING] == [10, 11, 12]


async def test_changes_by_time_alone_are_written_without_a_position(workers: Workers) -> None:
    flush, successor = await workers.start(), await workers.start()
    await flush.take_over([0])
    assert await flush.may_write()
    assert await flush.write([workers.part(0, 7, b"a", stages=1)])
    assert await flush.may_write()
    assert await flush.write([workers.part(0, None, b"b", stages=2)])
    await successor.take_over([0])
    assert await workers.stage_events(0) == [b"0", b"0", b"1"]
    assert await workers.changelog(0) == [b"a", b"b"]
    assert await workers.position(0) == 7


async def test_the_last_of_many_flushes_counts(workers: Workers) -> None:
    flush, successor = await workers.start(), await workers.start()
    await flush.take_over([0])
    for number in range(1, 6):
        assert await flush.may_write()
        assert await flush.write([workers.part(0, number, b"%d" % number, letters=1)])
    await successor.take_over([0])
    assert await workers.changelog(0) == [b"1", b"2", b"3", b"4", b"5"]
    assert await workers.dead_letters(0) == [b"1", b"2", b"3", b"4", b"5"]
    assert await workers.position(0) == 5


async def test_more_than_one_batch_is_written_whole_and_in_order(workers: Workers) -> None:
    flush, successor = await workers.start(), await workers.start()
    await flush.take_over([0])
    assert await flush.may_write()
    part = workers.part(0, 1, b"x")
    values: list[bytes | None] = [b"%d" % number + b"." * 1_000 for number in range(LARGE)]
    part.changes.keys[:] = [b"%d" % number for number in range(LARGE)]
    part.changes.values[:] = values
    assert await flush.write([part])
    await successor.take_over([0])
    assert await workers.changelog(0) == values


async def test_who_takes_partitions_over_anew_can_go_on(workers: Workers) -> None:
    flush = await workers.start()
    await flush.take_over([0, 1])
    assert await flush.may_write()
    assert await flush.write([workers.part(0, 1, b"a")])
    await flush.take_over([0])
    assert await workers.position(0) == 1
    assert await flush.may_write()
    assert await flush.write([workers.part(0, 2, b"b")])
    await flush.take_over([0])
    assert await workers.changelog(0) == [b"a", b"b"]
    assert await workers.position(0) == 2


async def test_who_is_no_member_any_more_may_not_write(workers: Workers) -> None:
    membership = Membership()
    flush = await workers.start(membership)
    await flush.take_over([0])
    assert await flush.may_write()
    membership.lasts = False
    assert not await flush.may_write()
