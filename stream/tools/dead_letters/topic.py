"""Reading the topic of dead letters, from its beginning to where it ended when that was asked."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Self

from kafka import KafkaConsumer, TopicPartition

from stream.tools.console import CommandError
from stream.tools.kafka_clients import kafka_failure, reaching_kafka

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from types import TracebackType

    from stream.settings import KafkaConnection
    from stream.tools.dead_letters.letters import Record

POLL_MS = 200
#: An end the broker told may be that of its last batch only, or one that an open transaction
#: keeps out of reach: past what is certain, this much silence is the end.
QUIET_SECONDS = 1.0
STALL_SECONDS = 30.0


class DeadLetterTopic:
    """The topic's records, of committed transactions only. It can be read several times.

    Every reading ends where the first one did: what comes meanwhile, like events that are sent
    again and fail again, is left for another run.

    Args:
        kafka: where it is.
        name: of the topic.
        report: is told how many records are passed, of how many.

    Raises:
        CommandError: on entering, when there is no such topic; later, when Kafka fails.
    """

    def __init__(
        self, kafka: KafkaConnection, name: str, report: Callable[[int, int], None]
    ) -> None:
        self._kafka = kafka
        self.name = name
        self._report = report
        self._ends: dict[TopicPartition, int] = {}
        self._failures: AbstractContextManager[None] = reaching_kafka(kafka)

    def __enter__(self) -> Self:
        with reaching_kafka(self._kafka):
            self._consumer = KafkaConsumer(
                **self._kafka.client_options(),
                enable_auto_commit=False,
                auto_offset_reset="earliest",
                isolation_level="read_committed",
                allow_auto_create_topics=False,
            )
            partitions = self._consumer.partitions_for_topic(self.name)
        if not partitions:
            self._consumer.close()
            raise CommandError(
                f"no topic {self.name} on {self._kafka.bootstrap_servers}; "
                "run: retention-stream topics"
            )
        self._partitions = [TopicPartition(self.name, partition) for partition in partitions]
        self._consumer.assign(self._partitions)
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._consumer.close()

    def records(self) -> Iterator[Record]:
        """Every record; those of a partition in their order."""
        self._consumer.resume(*self._partitions)
        self._consumer.seek_to_beginning(*self._partitions)
        certain = self._ends or self._consumer.end_offsets(self._partitions)
        starts = {tp: self._consumer.position(tp) for tp in self._partitions}
        total = sum(certain[tp] - starts[tp] for tp in self._partitions)
        passed = 0
        self._report(passed, total)
        left = set(self._partitions)
        moved_at = time.monotonic()
        while left:
            for tp, records in self._consumer.poll(POLL_MS).items():
                moved_at = time.monotonic()
                passed += len(records)
                end = self._ends.get(tp)
                yield from (record for record in records if end is None or record.offset < end)
            self._report(passed, total)
            left = {tp for tp in left if not self._at_end(tp)}
            quiet_seconds = time.monotonic() - moved_at
            if quiet_seconds > QUIET_SECONDS and all(
                self._consumer.position(tp) >= certain[tp] for tp in left
            ):
                break
            if quiet_seconds > STALL_SECONDS:
                raise kafka_failure(self._kafka, f"nothing came for {STALL_SECONDS:.0f} s")
        if not self._ends:
            self._ends = {tp: self._consumer.position(tp) for tp in self._partitions}

    def _at_end(self, tp: TopicPartition) -> bool:
        end = self._ends.get(tp, self._consumer.highwater(tp))
        if end is None or self._consumer.position(tp) < end:
            return False
        self._consumer.pause(tp)
        return True
