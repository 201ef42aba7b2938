"""Whole engines with and without the kernel: the same sums, and the same bytes written."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.tools.shop import ShopConfig, shop_events
from stream.tools.shop_shares import DeliveryShares
from tests.properties.histories import HOUR_MS, History, histories
from tests.properties.traffic import traffics
from tests.support.engines import (
    NOW_MS,
    PURCHASES,
    Log,
    encoded,
    engine_config,
    named_sums,
    ready_engine,
)
from tests.support.kernels import NEEDS_KERNEL, installed, use_kernel
from tests.support.naive import NaiveConfig

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

    from stream.kernel import Kernel

pytestmark = NEEDS_KERNEL

CHUNKS = st.sampled_from((1, 3, 7, 1000))


def _outcome(
    compiled: Kernel | None, config: NaiveConfig, values: Sequence[bytes | None], chunk: int
) -> tuple[object, ...]:
    """All that an engine says of the events it was sent."""
    with pytest.MonkeyPatch.context() as patch:
        use_kernel(patch, compiled)
        log = Log(ready_engine(engine_config(config)))
    changes: list[object] = []
    for first in range(0, len(values), chunk):
        log.send_raw(PURCHASES, values[first : first + chunk])
        # After every chunk, as a flush may come after any.
        changes.append(log.engine.take_changes(0, NOW_MS))
        changes.append(log.engine.take_stage_events(0))
    return named_sums(log.engine), changes, log.outcomes, log.dead_letters


def _compare(config: NaiveConfig, values: Sequence[bytes | None], chunk: int) -> None:
    ours = _outcome(installed(), config, values, chunk)
    assert ours == _outcome(None, config, values, chunk)


@given(history=histories() | traffics(), chunk=CHUNKS)
def test_any_history_leaves_the_same_sums_and_records(history: History, chunk: int) -> None:
    _compare(history.config, list(map(encoded, history.events)), chunk)


@given(
    seed=st.integers(0, 2**32),
    random=st.randoms(use_true_random=False),
    chunk=st.sampled_from((50, 200)),
)
def test_shuffled_events_of_a_shop_leave_the_same_sums_and_records(
    seed: int, random: Random, chunk: int
) -> None:
    shop = ShopConfig(
        seed=seed,
        start_ms=1_735_689_600_000,
        delivery=DeliveryShares(late=0.1, duplicate=0.1, bad=0.05),
    )
    lines = [delivery.line for delivery in islice(shop_events(shop), 400)]
    random.shuffle(lines)
    config = NaiveConfig(("1d", "1w", "month"), ("channel", "country"), "Europe/Berlin", HOUR_MS)
    _compare(config, lines, chunk)
