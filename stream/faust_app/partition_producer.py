"""The transactional producer of one partition, on connections it shares with all the others."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from aiokafka.errors import KafkaError
from aiokafka.producer.message_accumulator import MessageAccumulator
from aiokafka.producer.sender import Sender
from aiokafka.producer.transaction_manager import TransactionManager
from aiokafka.structs import OffsetAndMetadata, TopicPartition

from stream.wire.record_bodies import BODY_MAX_BYTES

if TYPE_CHECKING:
    from collections.abc import Awaitable, Mapping

    from aiokafka.client import AIOKafkaClient

    from stream.faust_app.chunk import SourcePartition
    from stream.faust_app.outgoing_batch import OutgoingBatch

ACKS_ALL = -1
NO_COMPRESSION = 0
RETRY_BACKOFF_MS = 100
#: How long the brokers may be away before a write fails.
PRODUCE_TIMEOUT_SECONDS = 30.0
#: After that long the coordinator aborts what a dead worker left open, and readers go on.
#: Longer than any flush may take.
TRANSACTION_TIMEOUT_MS = 60_000
CLOSE_TIMEOUT_SECONDS = 1.0


class PartitionProducer:
    """aiokafka's transactional producer, without connections of its own.

    An ``AIOKafkaProducer`` opens two connections to every broker and keeps its own metadata;
    with one for each of many partitions that is more work than their transactions. Its three
    parts can be used apart from it.

    Args:
        client: connected; not closed here.
        transactional_id: who starts last under it is the only one that can write.
    """

    is_transactional = True

    def __init__(self, client: AIOKafkaClient, transactional_id: str) -> None:
        self._client = client
        self._transactions = TransactionManager(transactional_id, TRANSACTION_TIMEOUT_MS)
        self._batches = MessageAccumulator(
            client.cluster,
            BODY_MAX_BYTES,
            NO_COMPRESSION,
            PRODUCE_TIMEOUT_SECONDS,
            txn_manager=self._transactions,
        )
        self._sender = Sender(
            client,
            acks=ACKS_ALL,
            txn_manager=self._transactions,
            message_accumulator=self._batches,
            retry_backoff_ms=RETRY_BACKOFF_MS,
            request_timeout_ms=round(PRODUCE_TIMEOUT_SECONDS * 1000),
        )

    async def start(self) -> None:
        """Fence whoever wrote under this id before.

        Its open transaction is aborted. One that it had decided to commit is carried through
        first, so what is read after this is all there will ever be of it. Tries until the
        coordinator answers: set a time limit.

        Raises:
            KafkaError: when the coordinator refuses.
        """
        await self._sender.start()

    def begin(self) -> None:
        """Begin a transaction."""
        self._transactions.begin_transaction()

    async def send_batch(
        self, batch: OutgoingBatch, topic: str, *, partition: int
    ) -> Awaitable[object]:
        """Queue a batch; what comes back ends when it is acknowledged, or raises."""
        await self._client._wait_on_metadata(topic)  # noqa: SLF001 - AIOKafkaProducer does
        acknowledged: Awaitable[object] = await self._batches.add_batch(
            batch, TopicPartition(topic, partition), PRODUCE_TIMEOUT_SECONDS
        )
        return acknowledged

    async def send_offsets(self, positions: Mapping[SourcePartition, int], group_id: str) -> None:
        """Make positions of a group part of the transaction."""
        offsets = {
            TopicPartition(*source): OffsetAndMetadata(position, "")
            for source, position in positions.items()
        }
        # Shielded, here and below: the sender must find its futures as it left them.
        await asyncio.shield(self._transactions.add_offsets_to_txn(offsets, group_id))

    async def commit(self) -> None:
        """Commit; when it returns the outcome is settled, and readers see it in a moment.

        Every batch must have been acknowledged: a failed one would be left out in silence.
        """
        self._transactions.committing_transaction()
        await asyncio.shield(self._transactions.wait_for_transaction_end())

    async def close(self) -> None:
        """Stop sending; an open transaction stays open until it is fenced or times out."""
        with suppress(KafkaError, TimeoutError):  # whoever awaited the write was told already
            async with asyncio.timeout(CLOSE_TIMEOUT_SECONDS):
                await self._sender.close()
        ended = self._transactions.wait_for_transaction_end()
        if ended is not None and ended.done():
            ended.exception()  # or asyncio reports it as never looked at
