from __future__ import annotations

import json
from dataclasses import dataclass, replace

import pytest
from aiokafka.partitioner import murmur2

from stream.engine import Engine
from stream.faust_app.chunk import Chunk, SourcePartition
from stream.faust_app.fuse import BrokenWorldError
from stream.faust_app.intake import Intake
from stream.faust_app.record_batches import RecordColumns
from stream.settings import load_settings
from stream.wire.record_bodies import Header

NOW_MS = 1_700_000_000_000
PURCHASES = SourcePartition("purchases", 0)
SETTINGS = load_settings({"RETENTION_PARTITIONS": "2", "RETENTION_STAGE_EVENTS": "on"})


@dataclass(frozen=True)
class Record:
    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[Header, ...] = ()


def purchase(number: int, customer: str = "c0") -> bytes:
    return json.dumps(
        {
            "type": "purchase",
            "customer_id": customer,
            "occurred_at": NOW_MS / 1000,
            "order_id": f"o{number}",
            "amount": "1.00",
            "currency": "EUR",
        }
    ).encode()


def customer_of(partition: int) -> str:
    names = (f"c{number}" for number in range(100))
    return next(n for n in names if (murmur2(n.encode()) & 0x7FFFFFFF) % 2 == partition)


def chunk(start: int, count: int, source: SourcePartition = PURCHASES) -> Chunk:
    customer = customer_of(0)
    records = [
        Record(offset, customer.encode(), purchase(offset, customer))
        for offset in range(start, start + count)
    ]
    return Chunk.of(source, start, start + count, [RecordColumns.of(records)])


@pytest.fixture
def intake() -> Intake:
    engine = Engine(SETTINGS.engine_config())
    for partition in range(2):
        engine.assign(partition)
        engine.finish_restore(partition)
    made = Intake(engine, lambda: NOW_MS, dead_letter_topic="dead", rerouted_topic="rerouted")
    made.seek({PURCHASES: 10})
    return made


def test_the_position_is_the_end_of_the_last_chunk(intake: Intake) -> None:
    intake.apply(chunk(10, 5))
    intake.apply(chunk(15, 3))
    assert intake.positions == {PURCHASES: 18}
    assert +intake.outcomes == {("purchases", "applied"): 8}


def test_a_lost_chunk_is_noticed_and_not_committed_past(intake: Intake) -> None:
    intake.apply(chunk(10, 5))
    with pytest.raises(BrokenWorldError, match=r"purchases\[0\] skipped offsets 15 to 19"):
        intake.apply(chunk(20, 5))
    assert intake.positions == {PURCHASES: 15}


def test_a_topic_that_went_back_is_noticed(intake: Intake) -> None:
    with pytest.raises(BrokenWorldError, match="went back from offset 10 to 0"):
        intake.apply(chunk(0, 5))


def test_records_of_a_partition_never_sought_are_refused(intake: Intake) -> None:
    with pytest.raises(BrokenWorldError, match="not assigned"):
        intake.apply(chunk(10, 1, SourcePartition("purchases", 1)))


def test_gaps_inside_a_chunk_are_no_loss(intake: Intake) -> None:
    name = customer_of(0)
    records = [Record(offset, name.encode(), purchase(offset, name)) for offset in (12, 17)]
    intake.apply(Chunk.of(PURCHASES, 10, 25, [RecordColumns.of(records)]))
    assert intake.positions == {PURCHASES: 25}
    assert intake.outcomes["purchases", "applied"] == 2


def test_a_chunk_without_records_moves_the_position(intake: Intake) -> None:
    intake.apply(Chunk.of(PURCHASES, 10, 12, []))
    assert intake.positions == {PURCHASES: 12}
    assert intake.has_uncommitted


def test_a_chunk_whose_application_fails_does_not_move_the_position(
    intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Engine, "apply", fail)
    with pytest.raises(ZeroDivisionError):
        intake.apply(chunk(10, 5))
    assert intake.positions == {PURCHASES: 10}
    assert not intake.has_uncommitted


def test_a_snapshot_takes_changes_and_positions_of_the_same_moment(intake: Intake) -> None:
    intake.apply(chunk(10, 5))
    (first,) = intake.snapshots()
    intake.apply(chunk(15, 5))
    assert first.positions == {PURCHASES: 15}
    assert len([key for key in first.changes.keys if customer_of(0).encode() in key]) == 1
    (second,) = intake.snapshots()
    assert second.positions == {PURCHASES: 20}
    assert [key for key in second.changes.keys if customer_of(0).encode() in key]
    (third,) = intake.snapshots()
    assert not third.changes.keys


def test_chunks_may_come_between_the_parts_of_a_snapshot(intake: Intake) -> None:
    other = SourcePartition("purchases", 1)
    intake.seek({PURCHASES: 10, other: 7})
    intake.apply(chunk(10, 5))
    intake.apply(Chunk.of(other, 7, 9, []))
    parts = intake.snapshots()
    here = next(parts)
    intake.apply(chunk(15, 5))
    intake.apply(Chunk.of(other, 9, 12, []))
    (there,) = parts
    # What came before its own part was taken is in it, with its changes, and nothing after.
    assert (here.positions, there.positions) == ({PURCHASES: 15}, {other: 12})
    intake.committed({**here.positions, **there.positions})
    (rest,) = intake.snapshots()
    assert rest.positions == {PURCHASES: 20}
    assert [key for key in rest.changes.keys if customer_of(0).encode() in key]


def test_nothing_more_is_taken_once_partitions_are_lost(intake: Intake) -> None:
    other = SourcePartition("purchases", 1)
    intake.seek({PURCHASES: 10, other: 7})
    intake.apply(chunk(10, 5))
    intake.apply(Chunk.of(other, 7, 9, []))
    parts = intake.snapshots()
    assert next(parts).positions == {PURCHASES: 15}
    intake.hold()
    assert list(parts) == []
    assert intake.has_uncommitted


def test_only_partitions_with_something_to_commit_are_in_a_snapshot(intake: Intake) -> None:
    other = SourcePartition("purchases", 1)
    intake.seek({PURCHASES: 10, other: 7})
    assert list(intake.snapshots()) == []
    intake.apply(Chunk.of(other, 7, 9, []))
    (part,) = intake.snapshots()
    assert (part.partition, part.positions, part.forwards) == (1, {other: 9}, [])
    assert not part.changes.keys
    intake.committed(part.positions)
    assert list(intake.snapshots()) == []


def test_what_is_forwarded_belongs_to_the_partition_it_came_from(intake: Intake) -> None:
    other = SourcePartition("purchases", 1)
    intake.seek({PURCHASES: 10, other: 7})
    stray = Record(7, b"any key", purchase(1, customer_of(0)))
    intake.apply(Chunk.of(other, 7, 8, [RecordColumns.of([stray])]))
    intake.apply(Chunk.of(PURCHASES, 10, 11, [RecordColumns.of([Record(10, b"k", b"not json")])]))
    here, there = intake.snapshots()
    assert [(forward.topic, forward.partition) for forward in here.forwards] == [("dead", 0)]
    assert [(forward.topic, forward.partition) for forward in there.forwards] == [("rerouted", 0)]


def test_there_is_something_to_commit_until_the_positions_are_committed(intake: Intake) -> None:
    seen = [intake.has_uncommitted]
    intake.apply(chunk(10, 5))
    (part,) = intake.snapshots()
    seen.append(intake.has_uncommitted)
    intake.apply(chunk(15, 1))
    intake.committed(part.positions)
    seen.append(intake.has_uncommitted)
    (part,) = intake.snapshots()
    intake.committed(part.positions)
    seen.append(intake.has_uncommitted)
    assert seen == [False, True, True, False]


def test_time_alone_is_something_to_make_safe_until_it_is(intake: Intake) -> None:
    intake.apply(chunk(10, 1))
    (part,) = intake.snapshots()
    intake.committed(part.positions)
    # The order is of this very instant, which is not over yet.
    assert not part.stage_events
    due = [intake.has_due]
    intake._now_ms = lambda: NOW_MS + 1
    due.append(intake.has_due)
    (part,) = intake.snapshots()
    assert (part.positions, len(part.changes.keys)) == ({}, 1)
    assert sum(body.count for body in part.stage_events) == 1
    due.append(intake.has_due)
    assert due == [False, True, False]
    # What was taken and is not known to be safe must not be taken for kept.
    uncommitted = [intake.has_uncommitted]
    intake.committed({})
    uncommitted.append(intake.has_uncommitted)
    assert uncommitted == [True, False]
    assert list(intake.snapshots()) == []


def test_time_waits_for_partitions_whose_positions_are_not_known(intake: Intake) -> None:
    intake.apply(chunk(10, 1))
    list(intake.snapshots())
    intake._now_ms = lambda: NOW_MS + 1
    due = []
    for source in (SourcePartition("purchases", 1), PURCHASES):
        intake.seek({source: 11})
        due.append(intake.has_due)
    assert due == [False, True]


def test_a_chunk_fetched_before_the_last_seek_is_passed_over(intake: Intake) -> None:
    intake.apply(chunk(10, 5))
    late = replace(chunk(15, 3), seeks=0)
    intake.seek({PURCHASES: 15}, seeks=1)
    intake.apply(late)
    assert intake.positions == {PURCHASES: 15}
    intake.apply(replace(late, seeks=1))
    assert intake.positions == {PURCHASES: 18}


def test_all_positions_are_committed_anew_when_asked_for(intake: Intake) -> None:
    intake.seek({PURCHASES: 10, SourcePartition("purchases", 1): 4})
    assert list(intake.snapshots()) == []
    intake.commit_anew()
    assert not intake.nothing_to_flush
    # Whoever asks whether all that was applied is safe must not be alarmed.
    assert not intake.has_uncommitted
    parts = list(intake.snapshots())
    assert [part.positions for part in parts] == [
        {PURCHASES: 10},
        {SourcePartition("purchases", 1): 4},
    ]
    assert not any(part.changes.keys for part in parts)
    assert list(intake.snapshots()) == []


def test_seeking_starts_over_from_the_committed_offsets(intake: Intake) -> None:
    intake.apply(Chunk.of(PURCHASES, 10, 11, [RecordColumns.of([Record(10, b"k", b"not json")])]))
    intake.hold()
    intake.seek({PURCHASES: 10})
    assert intake.positions == {PURCHASES: 10}
    assert not intake.on_hold
    intake.apply(Chunk.of(PURCHASES, 10, 12, []))
    (part,) = intake.snapshots()
    assert not part.forwards


def test_a_dead_letter_keeps_the_record_and_tells_why(intake: Intake) -> None:
    bad = Record(10, b"key", b"not json", (("trace", b"1"), ("empty", None)))
    intake.apply(Chunk.of(PURCHASES, 10, 11, [RecordColumns.of([bad])]))
    (part,) = intake.snapshots()
    (letter,) = part.forwards
    assert (letter.topic, letter.partition) == ("dead", 0)
    assert (letter.key, letter.value) == (b"key", b"not json")
    assert letter.headers[:2] == [("trace", b"1"), ("empty", None)]
    added = dict(letter.headers[2:])
    assert list(added) == ["dl-reason", "dl-detail", "dl-topic", "dl-partition", "dl-offset"]
    assert (added["dl-topic"], added["dl-partition"], added["dl-offset"]) == (
        b"purchases",
        b"0",
        b"10",
    )
    assert sum(intake.dead_letters.values()) == 1
    assert added["dl-reason"] == next(iter(intake.dead_letters)).encode()


def test_a_stray_is_forwarded_to_its_partition_with_its_headers(intake: Intake) -> None:
    name = customer_of(1)
    stray = Record(10, b"any key", purchase(1, name), (("trace", b"1"),))
    intake.apply(Chunk.of(PURCHASES, 10, 11, [RecordColumns.of([stray])]))
    (part,) = intake.snapshots()
    (forward,) = part.forwards
    assert (forward.topic, forward.partition, forward.key) == ("rerouted", 1, name.encode())
    assert (forward.value, forward.headers) == (stray.value, [("trace", b"1")])
    assert intake.outcomes["purchases", "rerouted"] == 1


def test_what_was_reached_does_not_go_back_with_a_kept_partition(intake: Intake) -> None:
    intake.seek({PURCHASES: 13})
    intake.apply(chunk(13, 4))
    # The commit failed: its events come again, but they are in the state already.
    intake.seek({PURCHASES: 13})
    assert intake.positions[PURCHASES] == 13
    assert intake.reached[PURCHASES] == 17
    intake.apply(chunk(13, 2))
    assert intake.reached[PURCHASES] == 17
    intake.apply(chunk(15, 9))
    assert intake.reached[PURCHASES] == 24


def test_what_was_reached_is_forgotten_with_its_partition(intake: Intake) -> None:
    other = SourcePartition("purchases", 1)
    intake.seek({PURCHASES: 13, other: 5})
    intake.apply(chunk(13, 4))
    intake.forget(0)
    assert intake.reached == {other: 5}
    intake.seek({PURCHASES: 4, other: 5})
    assert intake.reached == {PURCHASES: 4, other: 5}
