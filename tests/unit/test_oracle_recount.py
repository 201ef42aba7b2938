"""The oracle's SQL against the plain recount, on random histories in random order of arrival."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from stream.tools.oracle import OracleParameters
from tests.support.event_lines import HOUR_MS, NOW_MS, START_MS, Event, gauges_of
from tests.support.naive import NaiveConfig, differences, naive_gauges, time_ms

few = st.integers(0, 4)
names = few.map("customer {}".format)
stores = st.sampled_from(["default", "default", "other"])
# Coarse times, so that ties and edges of periods happen often.
times = st.integers(-2_000, 2_000).map(lambda step: START_MS + step * 6 * HOUR_MS) | st.integers(
    START_MS - 300 * 24 * HOUR_MS, START_MS + 300 * 24 * HOUR_MS
)
attributes = st.fixed_dictionaries(
    {}, optional={"channel": st.sampled_from(["web", "app", "", "unknown", "other"])}
)
amounts = st.integers(0, 100_000).map(lambda cents: f"{cents // 100}.{cents % 100:02}")
money: dict[str, st.SearchStrategy[object]] = {
    "amount": amounts,
    "currency": st.sampled_from(["EUR", "USD"]),
    "units": st.integers(0, 3),
}
common: dict[str, st.SearchStrategy[object]] = {
    "store": stores,
    "customer_id": names,
    "occurred_at": times,
}
order_ids = st.integers(0, 12).map(str)
purchases = st.fixed_dictionaries(
    common
    | money
    | {
        "type": st.just("purchase"),
        "customer_id": names | names | names | st.none(),
        "order_id": order_ids,
        "attributes": attributes,
    }
)
signups = st.fixed_dictionaries(common | {"type": st.just("signup"), "attributes": attributes})
returns = st.fixed_dictionaries(
    common | money | {"type": st.just("return"), "return_id": few.map(str)}
)
cancellations = st.fixed_dictionaries(
    common | {"type": st.just("cancellation"), "order_id": order_ids}
)
erasures = st.fixed_dictionaries(common | {"type": st.just("erasure")})
histories = st.lists(
    purchases | purchases | purchases | signups | returns | cancellations | erasures,
    min_size=1,
    max_size=60,
)
zones = st.sampled_from(["UTC", "Europe/Berlin", "America/St_Johns", "Asia/Kolkata"])


@settings(max_examples=40, deadline=None)
@given(events=histories, timezone=zones, as_of_ms=st.none() | times)
def test_sql_and_loops_agree_on_every_gauge(
    events: list[Event], timezone: str, as_of_ms: int | None
) -> None:
    given = OracleParameters(
        windows=("12h", "7d", "30d", "365d", "day", "week", "month", "quarter", "year"),
        dimensions=("channel",),
        timezone=timezone,
        bucket_ms=HOUR_MS,
        horizon_ms=10_000 * 24 * HOUR_MS,
        clock="event",
        now_ms=NOW_MS,
        as_of_ms=as_of_ms,
        experiment="channel",
        control="web",
    )
    with tempfile.TemporaryDirectory() as folder:
        recomputed = gauges_of(Path(folder), events, given).recomputed
    found = {(name, frozenset(labels.items())): value for name, labels, value in recomputed.samples}
    assert len(found) == len(recomputed.samples)
    latest_ms = max(time_ms(event["occurred_at"]) for event in events)
    config = NaiveConfig(given.windows, given.dimensions, timezone, HOUR_MS, "channel", "web")
    expected = naive_gauges(events, config, latest_ms if as_of_ms is None else as_of_ms)
    assert differences(expected, found) == []
