"""Applying chunks, and remembering what must be safe before their offsets are committed."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stream.faust_app.fuse import BrokenWorldError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from stream.domain.events import DeadLetter, Stray
    from stream.engine import Engine
    from stream.faust_app.chunk import Chunk, SourcePartition
    from stream.wire.customer_state import Changes
    from stream.wire.record_bodies import Body, Header


@dataclass(frozen=True, slots=True)
class Forward:
    """A record on its way to another topic of ours."""

    topic: str
    partition: int
    key: bytes | None
    value: bytes | None
    headers: list[Header]


@dataclass(frozen=True, slots=True)
class PartitionSnapshot:
    """What one partition has to make safe, all of the same moment.

    ``forwards`` came out of the events of this partition, wherever they go. Once they and
    ``changes`` are safe, and not before, ``positions`` may be committed.
    """

    partition: int
    positions: Mapping[SourcePartition, int]
    changes: Changes
    forwards: Sequence[Forward]
    #: For the topic of stages, in the partition of this number.
    stage_events: Sequence[Body] = ()


class Intake:
    """The one place where chunks meet the engine.

    Nothing is awaited here, so that a snapshot can never see half a chunk.
    """

    def __init__(
        self,
        engine: Engine,
        now_ms: Callable[[], int],
        *,
        dead_letter_topic: str,
        rerouted_topic: str,
    ) -> None:
        self._engine = engine
        self._now_ms = now_ms
        self._dead_letter_topic = dead_letter_topic
        self._rerouted_topic = rerouted_topic
        self._positions: dict[SourcePartition, int] = {}
        self._committed: dict[SourcePartition, int] = {}
        self._reached: dict[tuple[str, int], int] = {}
        self._seeks = 0
        self._forwards: defaultdict[int, list[Forward]] = defaultdict(list)
        #: A snapshot was taken, and is not known to be safe.
        self._taken = False
        #: From the loss of partitions to the next seek nothing may be committed: by then the
        #: positions may be those of a state that was dropped.
        self.on_hold = False
        self._all_anew = False
        #: Chunks applied since start.
        self.chunks_applied = 0
        #: Events since start by (topic, outcome); they add up to the records read.
        self.outcomes: Counter[tuple[str, str]] = Counter()
        #: Dead letters since start by reason.
        self.dead_letters: Counter[str] = Counter()

    @property
    def positions(self) -> Mapping[SourcePartition, int]:
        """The next offset of each assigned source partition."""
        return self._positions

    @property
    def reached(self) -> Mapping[tuple[str, int], int]:
        """Up to which offset each source partition is in the engine's state.

        After a rebalance ``positions`` may go back to what was committed; the state of a
        partition that was kept does not.
        """
        return self._reached

    def forget(self, partition: int) -> None:
        """Note that the engine dropped a partition."""
        self._reached = {
            source: offset for source, offset in self._reached.items() if source[1] != partition
        }

    @property
    def has_uncommitted(self) -> bool:
        """Whether a chunk was applied, or a snapshot taken, since the last commit."""
        return self._taken or self._positions != self._committed

    @property
    def has_due(self) -> bool:
        """Whether time alone changed something that has to be made safe."""
        now_ms = self._now_ms()
        # Partitions whose positions are not known yet wait.
        partitions = {source.partition for source in self._positions}
        return any(self._engine.has_due(each, now_ms) for each in partitions)

    @property
    def has_changes(self) -> bool:
        """Whether there is something to make safe; also without a chunk, after an erasure."""
        return self.has_uncommitted or any(
            map(self._engine.owes_changes, self._engine.ready_partitions)
        )

    @property
    def nothing_to_flush(self) -> bool:
        """Whether a snapshot would be empty, or may not be taken."""
        return self.on_hold or not (self.has_changes or self._all_anew or self.has_due)

    def seek(self, positions: Mapping[SourcePartition, int], seeks: int = 0) -> None:
        """Start over from these offsets, which are the committed ones.

        What waited to be forwarded is dropped: its events come again.

        Args:
            positions: where each assigned source partition stands now.
            seeks: how often the consumer has sought; chunks of before are passed over.
        """
        self._seeks = seeks
        self._positions = dict(positions)
        self._committed = dict(positions)
        self._forwards.clear()
        self._taken = False
        self.on_hold = False
        for source, position in positions.items():
            self._reached[source] = max(position, self._reached.get(source, position))

    def hold(self) -> None:
        """Let nothing be committed before the next seek."""
        self.on_hold = True

    def apply(self, chunk: Chunk) -> None:
        """Apply a chunk that starts where the one before it ended.

        One that was fetched before the last seek says nothing: its records come again.

        Raises:
            BrokenWorldError: when it does not: records were lost on the way, or the topic was
                truncated or made anew. Committing past them would hide it.
        """
        if chunk.seeks < self._seeks:
            return
        expected = self._positions.get(chunk.source)
        if chunk.start != expected:
            raise BrokenWorldError(_gap(chunk, expected))
        if chunk.offsets:
            self._apply_records(chunk)
        self._positions[chunk.source] = chunk.end
        self._reached[chunk.source] = max(chunk.end, self._reached.get(chunk.source, chunk.end))
        self.chunks_applied += 1

    def snapshots(self) -> Iterator[PartitionSnapshot]:
        """Take what changed since the last time, with the positions it brings us to.

        Each part is of the moment at which it is asked for: between two of them chunks may be
        applied. Partitions that have nothing to make safe are left out, unless all are to be
        committed anew. From a loss of partitions on, nothing is given.
        """
        all_anew, self._all_anew = self._all_anew, False
        by_partition: defaultdict[int, list[SourcePartition]] = defaultdict(list)
        for source in self._positions:
            by_partition[source.partition].append(source)
        for partition in sorted(by_partition):
            if self.on_hold:
                return
            part = self._snapshot(partition, by_partition[partition], all_anew=all_anew)
            # Time may come to a customer's turn, and nothing come of it.
            if part is not None and (part.positions or part.changes.keys):
                self._taken = True
                yield part

    def _snapshot(
        self, partition: int, sources: Sequence[SourcePartition], *, all_anew: bool
    ) -> PartitionSnapshot | None:
        """One part; None when neither events nor time changed anything."""
        now_ms = self._now_ms()
        owes = all_anew or self._engine.owes_changes(partition)
        moved = {
            source: self._positions[source]
            for source in sources
            if owes or self._positions[source] != self._committed.get(source)
        }
        if not (moved or self._engine.has_due(partition, now_ms)):
            return None
        return PartitionSnapshot(
            partition=partition,
            positions=moved,
            changes=self._engine.take_changes(partition, now_ms),
            forwards=self._forwards.pop(partition, []),
            stage_events=self._engine.take_stage_events(partition),
        )

    def committed(self, positions: Mapping[SourcePartition, int]) -> None:
        """Note that these positions are committed, and with them the last snapshot."""
        self._committed.update(positions)
        self._taken = False
        by_partition: defaultdict[int, dict[str, int]] = defaultdict(dict)
        for source, position in positions.items():
            by_partition[source.partition][source.topic] = position
        for partition, of_topics in by_partition.items():
            self._engine.note_committed(partition, of_topics)

    def commit_anew(self) -> None:
        """Have the next snapshot take every partition, also where nothing was applied."""
        self._all_anew = True

    def _apply_records(self, chunk: Chunk) -> None:
        topic, partition = chunk.source
        applied = self._engine.apply(
            topic,
            partition,
            chunk.offsets,
            chunk.keys,
            chunk.values,
            self._now_ms(),
            headers=chunk.headers,
        )
        for outcome, count in applied.outcomes.items():
            self.outcomes[topic, outcome.value] += count
        for letter in applied.dead_letters:
            self.dead_letters[letter.reason] += 1
            self._forwards[partition].append(self._dead_letter(chunk, letter))
        if applied.strays:
            self._forwards[partition].extend(self._rerouted(chunk, s) for s in applied.strays)

    def _dead_letter(self, chunk: Chunk, letter: DeadLetter) -> Forward:
        topic, partition = chunk.source
        return Forward(
            topic=self._dead_letter_topic,
            partition=partition,
            key=chunk.keys[letter.index],
            value=chunk.values[letter.index],
            headers=[
                *chunk.headers(letter.index),
                ("dl-reason", letter.reason.encode()),
                ("dl-detail", letter.detail.encode()),
                ("dl-topic", topic.encode()),
                ("dl-partition", b"%d" % partition),
                ("dl-offset", b"%d" % chunk.offsets[letter.index]),
            ],
        )

    def _rerouted(self, chunk: Chunk, stray: Stray) -> Forward:
        return Forward(
            topic=self._rerouted_topic,
            partition=stray.partition,
            key=stray.key,
            value=chunk.values[stray.index],
            headers=chunk.headers(stray.index),
        )


def _gap(chunk: Chunk, expected: int | None) -> str:
    topic, partition = chunk.source
    where = f"{topic}[{partition}]"
    if expected is None:
        return f"{where} gave records though it is not assigned; start the worker again"
    if chunk.start < expected:
        return (
            f"{where} went back from offset {expected} to {chunk.start}: was the topic deleted and "
            "made again? Its new events would be taken for old ones; start the worker under a new "
            "RETENTION_APP_ID, which reads everything anew"
        )
    return (
        f"{where} skipped offsets {expected} to {chunk.start - 1}: start the worker again; if "
        "retention deleted them, accept the loss by moving the group's offset forward "
        "(kafka-consumer-groups --reset-offsets --to-earliest)"
    )
