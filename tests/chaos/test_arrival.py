"""Events that come twice, in any interleaving, and from clients that place them otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from stream.tools.event_files import disordered
from tests.chaos.feeder import Feeder
from tests.chaos.fleet import Fleet
from tests.chaos.reckoning import assert_reckoning
from tests.chaos.sizes import SENDING_SECONDS, WORKERS
from tests.chaos.workload import (
    AS_KAFKA_CLIENTS,
    DATA,
    MIXED_CLIENTS,
    interleaved,
    lines_of,
    placed,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.chaos.sizes import Size
    from tests.chaos.workload import Sent
    from tests.integration.stream_harness import Stream

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(3600)]


@pytest.mark.parametrize("data", DATA)
def test_every_event_sent_twice_changes_no_gauge(
    stream: Stream, size: Size, tmp_path: Path, data: str
) -> None:
    lines = lines_of(data, size.events, seed=11)
    twice = list(disordered(lines, shuffle=False, repeat_share=1.0, seed=12))
    assert len(twice) == 2 * len(lines)
    records = placed(twice, stream.settings, AS_KAFKA_CLIENTS, seed=13)
    _consume_with_a_kill(stream, records, tmp_path)


@pytest.mark.parametrize("data", DATA)
def test_any_interleaving_of_the_partitions_changes_no_gauge(
    stream: Stream, size: Size, tmp_path: Path, data: str
) -> None:
    lines = lines_of(data, size.events, seed=14)
    records = placed(lines, stream.settings, AS_KAFKA_CLIENTS, seed=15)
    _consume_with_a_kill(stream, interleaved(records, seed=16), tmp_path)


@pytest.mark.parametrize("data", DATA)
def test_strays_that_are_late_and_come_twice_change_no_gauge(
    stream: Stream, size: Size, tmp_path: Path, data: str
) -> None:
    lines = lines_of(data, size.events, seed=17, bad_share=0.002)
    twice = list(disordered(lines, shuffle=False, repeat_share=1.0, seed=18))
    records = placed(twice, stream.settings, MIXED_CLIENTS, seed=19)
    _consume_with_a_kill(stream, interleaved(records, seed=20), tmp_path)


def _consume_with_a_kill(stream: Stream, records: Sequence[Sent], folder: Path) -> None:
    """As fast as it comes; one kill in the middle, so that replays take part, too."""
    with (
        Fleet(stream.environ, folder, WORKERS) as fleet,
        Feeder(stream.settings.broker, records) as feeder,
    ):
        fleet.until(lambda: feeder.share_sent > 0.5, "half sent", SENDING_SECONDS)
        fleet.kill(0)
        fleet.start(0)
        fleet.until(lambda: feeder.done, "everything sent", SENDING_SECONDS)
        assert_reckoning(stream, fleet, records, folder)
        assert fleet.ended_by_themselves == []
