"""Chunks of event JSON → columns: what is written plainly at once, the rest by the reference."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from stream import kernel
from stream.domain.arrays import I64
from stream.domain.entries import entry_type
from stream.domain.events import DeadLetter, EventBatch, TextColumn
from stream.domain.key_column import KeyColumn
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
        self, dimensions: tuple[str, ...], compiled: kernel.Kernel | None = kernel.compiled
    ) -> None:
        self._decoder = EventDecoder(dimensions)
        self._entry_type = entry_type(len(dimensions))
        self._plain = None if compiled is None else compiled.EventReader(dimensions, currencies())

    def read(self, values: Sequence[bytes | None]) -> tuple[EventBatch, list[DeadLetter]]:
        """Read the values of a chunk; each becomes an event or a dead letter."""
        if self._plain is None:
            return self._decoder.decode(values)
        left, records, keys, key_ends, texts = self._plain.read(list(values))
        entries = np.frombuffer(records, self._entry_type)
        columns = [
            TextColumn(entries["values"][:, dimension].astype(np.int64), texts_of_dimension)
            for dimension, texts_of_dimension in enumerate(texts)
        ]
        batch = EventBatch(
            np.arange(len(values), dtype=np.int64),
            KeyColumn.in_a_row(keys, key_ends),
            entries,
            columns,
        )
        if not left:
            return batch, []
        rest, letters = self._decoder.decode([values[place] for place in left])
        return _filled(batch, rest, np.array(left, np.int64)), [
            DeadLetter(left[letter.index], letter.outcome, letter.reason, letter.detail)
            for letter in letters
        ]


def _filled(batch: EventBatch, rest: EventBatch, left: I64) -> EventBatch:
    """The batch with the rest in the places that were left, without those it refused."""
    at = left[rest.index]
    batch.entries[at] = rest.entries
    batch.keys = batch.keys.replaced(at, rest.keys)
    batch.values = [
        _column(known, column, at) for known, column in zip(batch.values, rest.values, strict=True)
    ]
    refused = np.setdiff1d(left, at, assume_unique=True)
    if len(refused) == 0:
        return batch
    return batch.take(np.setdiff1d(batch.index, refused, assume_unique=True))


def _column(known: TextColumn, rest: TextColumn, at: I64) -> TextColumn:
    """A column with the rest in these places.

    Its texts are numbered in the order in which the chunk's events carry them: codes are given
    out in this order, and must not depend on how an event was written.
    """
    places = known.places.copy()
    places[at] = rest.places + len(known.texts)
    texts = known.texts + rest.texts
    first = np.full(len(texts), len(places))
    first[places[::-1]] = np.arange(len(places))[::-1]
    in_order = np.argsort(first)[: np.count_nonzero(first < len(places))]
    numbers = {"": 0}
    table = np.zeros(len(texts), np.int64)
    for place in in_order.tolist():
        table[place] = numbers.setdefault(texts[place], len(numbers))
    return TextColumn(table[places], list(numbers))
