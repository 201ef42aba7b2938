"""What must hold of any bytes, whoever makes them up: Hypothesis or a fuzzer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stream import kernel
from stream.engine import Engine
from stream.wire.customer_state import StateError
from stream.wire.event_reader import EventReader
from tests.fuzz.seeds import CONFIG, DIMENSIONS, LINES
from tests.support.engines import NOW_MS, PURCHASES, Log, gauges_of, ready_engine
from tests.support.kernels import texts_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from stream.domain.events import DeadLetter, EventBatch

READER = EventReader(DIMENSIONS, kernel.compiled)
REFERENCE = EventReader(DIMENSIONS, None)


def check_decoder(values: Sequence[bytes | None]) -> None:
    """Each value becomes an event or a dead letter, the same alone as among others.

    And the same with the compiled kernel as without.
    """
    batch, letters = READER.read(values)
    places = [*batch.index.tolist(), *(letter.index for letter in letters)]
    assert sorted(places) == list(range(len(values)))
    together = _by_place(batch, letters)
    assert together == _by_place(*REFERENCE.read(values))
    for place, value in enumerate(values):
        assert _by_place(*READER.read([value]))[0] == together[place]


def check_engine(values: Sequence[bytes | None]) -> None:
    """An engine counts each value under one outcome, and can show and store what it then has."""
    engine = ready_engine(CONFIG)
    # Each value twice: as one of many, and again as a possible duplicate.
    Log(engine).send_raw(PURCHASES, [*values, *values])
    _show_and_store(engine, {})


def check_state(records: Mapping[bytes, bytes | None]) -> None:
    """A changelog is refused by name, or gives an engine that works."""
    engine = Engine(CONFIG)
    engine.assign(0)
    engine.restore(0, list(records), list(records.values()))
    try:
        engine.finish_restore(0)
    except StateError:
        return
    Log(engine).send_raw(PURCHASES, LINES)
    _show_and_store(engine, records)
    engine.revoke(0)
    assert not engine._tallies.dense()


def _show_and_store(engine: Engine, stored: Mapping[bytes, bytes | None]) -> None:
    """Show the gauges, and restore a second engine from what was stored and what is new."""
    shown = gauges_of(engine, NOW_MS)
    changes = engine.take_changes(0, NOW_MS)
    again = Engine(CONFIG)
    again.assign(0)
    again.restore(0, [*stored, *changes.keys], [*stored.values(), *changes.values])
    again.finish_restore(0)
    assert gauges_of(again, NOW_MS) == shown


def _by_place(batch: EventBatch, letters: Sequence[DeadLetter]) -> dict[int, Any]:
    # Codes of the chunk's own may stand there.
    batch.entries["values"] = 0
    texts = list(map(texts_of, batch.values))
    events: dict[int, Any] = {
        place: (key, entry.tobytes(), *(column[row] for column in texts))
        for row, (place, key, entry) in enumerate(
            zip(batch.index.tolist(), batch.keys, batch.entries, strict=True)
        )
    }
    return events | {letter.index: (letter.reason, letter.detail) for letter in letters}
