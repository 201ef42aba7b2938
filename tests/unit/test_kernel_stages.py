"""The kernel's calls about stages: all there is of few things, and what does not fit together."""

from __future__ import annotations

import numpy as np
import pytest

from stream.domain.calendar import DAY_MS, END_OF_TIME_MS
from stream.domain.customers import TOLD_TYPE
from stream.domain.entries import entry_type
from stream.domain.events import customer_key
from stream.domain.lifecycle_rules import LifecycleRules
from stream.domain.stage_changes import StageChanges, new_look_at
from stream.wire.record_bodies import BODY_MAX_BYTES, NO_HEADERS
from stream.wire.stage_events import _stage_events
from tests.support.kernels import NEEDS_KERNEL, installed

pytestmark = NEEDS_KERNEL

CHANGE = (0, END_OF_TIME_MS - 1, 0, 1, 1, 1, 0)
KEY = b"\0ann"


def _changes(*changes: tuple[int, ...]) -> StageChanges:
    return StageChanges(*np.array(changes, np.int64).T.copy())


def _is_written_as_by_the_reference(keys: list[bytes], changes: StageChanges) -> bool:
    written = (keys, changes, NO_HEADERS, BODY_MAX_BYTES)
    return installed().stage_events(*written) == _stage_events(*written)


def test_every_day_has_its_date_and_every_millisecond_its_digits() -> None:
    days = np.arange(END_OF_TIME_MS // DAY_MS)
    every_ms = days * DAY_MS + days * 1_819_003 % DAY_MS
    changes = [(0, time_ms, 0, 1, 1, 1, time_ms) for time_ms in every_ms.tolist()]
    assert len({time_ms % 1000 for _, time_ms, *_ in changes}) == 1000
    assert _is_written_as_by_the_reference([KEY], _changes(CHANGE, *changes))


def test_every_character_is_written_as_it_must() -> None:
    text = "".join(map(chr, range(1, 0x250)))
    keys = [customer_key(text[first : first + 37], text) for first in range(0, len(text), 37)]
    changes = [(row, *CHANGE[1:]) for row in range(len(keys))]
    assert _is_written_as_by_the_reference(keys, _changes(*changes))


def test_ids_of_every_length_are_hashed_the_same() -> None:
    keys = [customer_key("default", "x" * length) for length in range(1, 600)]
    changes = [(row, *CHANGE[1:]) for row in range(len(keys))]
    assert _is_written_as_by_the_reference(keys, _changes(*changes))


@pytest.mark.parametrize(
    "keys",
    [[], [KEY, KEY], [b"ann"], [b""], [b"\0\xff"], [b"\xff\0ann"]],
    ids=["none", "too many", "no NUL", "empty", "an id not in UTF-8", "a store not in UTF-8"],
)
def test_keys_that_are_not_those_of_the_changes_are_refused(keys: list[bytes]) -> None:
    with pytest.raises(ValueError, match="key"):
        installed().stage_events(keys, _changes(CHANGE), NO_HEADERS, BODY_MAX_BYTES)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        *((column, -1) for column in StageChanges._fields[1:]),
        ("time_ms", 1 << 62),
        ("last_order_ms", 1 << 62),
        ("from_stages", 7),
        ("to_stages", 7),
    ],
)
def test_changes_that_cannot_be_are_refused(column: str, value: int) -> None:
    changes = _changes(CHANGE)._replace(**{column: np.array([value])})
    with pytest.raises(ValueError, match="change"):
        installed().stage_events([KEY], changes, NO_HEADERS, BODY_MAX_BYTES)


def test_columns_of_several_lengths_are_refused() -> None:
    changes = _changes(CHANGE)._replace(orders=np.zeros(2, np.int64))
    with pytest.raises(ValueError, match="length"):
        installed().stage_events([KEY], changes, NO_HEADERS, BODY_MAX_BYTES)


def test_rows_that_are_not_there_are_refused() -> None:
    look_at = new_look_at(LifecycleRules(), installed())
    ledger = installed().Ledger(entry_type(0))
    ledger.add_rows(1)
    for row in (-1, 1):
        with pytest.raises(IndexError, match="row"):
            look_at(ledger, np.array([row]), np.zeros(1, TOLD_TYPE), 0)
    with pytest.raises(ValueError, match="rows"):
        look_at(ledger, np.array([0]), np.zeros(2, TOLD_TYPE), 0)
