"""Chunks in any dialect → event batches, with the reader of canonical events in the middle."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np

from stream.domain.config import TopicDialect
from stream.domain.events import DeadLetter, EventBatch
from stream.wire.dialects.detect import by_shape
from stream.wire.dialects.translator import HeadersOf, Translation, Translator

#: Canonical values of a chunk → its events, and its dead letters.
Reader: TypeAlias = Callable[[Sequence[bytes | None]], tuple[EventBatch, list[DeadLetter]]]


class DialectReader:
    """Reads chunks whose records may be in a dialect.

    What becomes of a record depends on nothing but the record and its topic's setting, never on
    its neighbours: read again after a crash, in other chunks, it becomes the same.
    """

    def __init__(self, read: Reader, translator: Translator) -> None:
        self._read = read
        self._translator = translator

    def read(
        self,
        values: Sequence[bytes | None],
        headers: HeadersOf | None = None,
        setting: TopicDialect = "auto",
    ) -> tuple[EventBatch, list[DeadLetter]]:
        """The events of a chunk and its dead letters, at most one for each record.

        A record of several events has several with its place in ``index``, side by side. It is
        used whole or not at all: one event that cannot be used makes it a dead letter.
        """
        if setting == "canonical" or (setting == "auto" and not _begins_foreign(values)):
            batch, letters = self._read(values)
            # Where all is canonical, dialects cost nothing.
            if setting == "canonical" or not letters:
                return batch, letters
            refused = {letter.index for letter in letters}
            translation = self._translator.translate_chunk(values, headers, setting, refused)
            if translation.recognised == 0:
                return batch, letters
        else:
            translation = self._translator.translate_chunk(values, headers, setting)
        return self._read_translated(translation)

    def _read_translated(self, translation: Translation) -> tuple[EventBatch, list[DeadLetter]]:
        batch, letters = self._read(translation.values)
        places = np.array(translation.places, np.int64)
        batch.index = places[batch.index]
        by_record = {letter.index: letter for letter in translation.refused}
        for letter in letters:
            place = translation.places[letter.index]
            moved = DeadLetter(place, letter.outcome, letter.reason, letter.detail)
            by_record.setdefault(place, moved)
        if letters:
            whole = ~np.isin(batch.index, list(by_record))
            if not whole.all():
                batch = batch.take(np.flatnonzero(whole))
        return batch, list(by_record.values())


def _begins_foreign(values: Sequence[bytes | None]) -> bool:
    """Whether a chunk is likely one that is worth translating before it is tried.

    Only the way differs: a record that reads as a canonical event is never translated.
    """
    return bool(values) and values[0] is not None and by_shape(values[0]) is not None
