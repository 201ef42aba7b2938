"""Chunks of event JSON → columns: what is written plainly at once, the rest by the reference."""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType

import numpy as np

from stream import kernel
from stream.domain.arrays import I64
from stream.domain.entries import entry_type
from stream.domain.events import DeadLetter, EventBatch, TextColumn
from stream.domain.money import currencies
from stream.wire.event_json import EventDecoder


class EventReader:
    """Reads chunks: with the compiled kernel where there is one.

    The kernel takes events without escapes, exponents and the like, all of whose fields are
    sound at sight; whatever else there is, :class:`EventDecoder` reads or refuses.

    Args:
        dimensions: the attributes that matter.
        compiled: the kernel; None for the reference alone.
    """

    def __init__(
        self, dimensions: tuple[str, ...], compiled: ModuleType | None = kernel.compiled
    ) -> None:
        self._decoder = EventDecoder(dimensions)
        self._entry_type = entry_type(len(dimensions))
        self._compiled = (
            None if compiled is None else compiled.EventReader(dimensions, currencies())
        )

    def read(self, values: Sequence[bytes | None]) -> tuple[EventBatch, list[DeadLetter]]:
        """Read the values of a chunk; each becomes an event or a dead letter."""
        if self._compiled is None:
            return self._decoder.decode(values)
        entries = np.zeros(len(values), self._entry_type)
        left, keys, texts = self._compiled.read(list(values), entries.view(np.uint8))
        columns = [
            TextColumn(entries["values"][:, dimension].astype(np.int64), list_of_texts)
            for dimension, list_of_texts in enumerate(texts)
        ]
        batch = EventBatch(np.arange(len(values), dtype=np.int64), keys, entries, columns)
        if not left:
            return batch, []
        rest, letters = self._decoder.decode([values[place] for place in left])
        places = np.array(left, np.int64)
        return (
            _filled(batch, rest, places),
            [
                DeadLetter(left[letter.index], letter.outcome, letter.reason, letter.detail)
                for letter in letters
            ],
        )


def _filled(batch: EventBatch, rest: EventBatch, left: I64) -> EventBatch:
    """The batch with the rest in the places that were left, without those it refused."""
    at = left[rest.index]
    batch.entries[at] = rest.entries
    for place, key in zip(at.tolist(), rest.keys, strict=True):
        batch.keys[place] = key
    for dimension, column in enumerate(rest.values):
        known = batch.values[dimension]
        places = known.places
        places[at] = np.where(column.places > 0, column.places + len(known.texts) - 1, 0)
        batch.values[dimension] = TextColumn(places, known.texts + column.texts[1:])
    refused = np.setdiff1d(left, at, assume_unique=True)
    if len(refused) == 0:
        return batch
    return batch.take(np.setdiff1d(batch.index, refused, assume_unique=True))
