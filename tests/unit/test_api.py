"""The API as JSON: what it answers, and the one line it says when it cannot."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast

import pytest
from aiohttp.test_utils import TestClient, TestServer

from stream.domain.catalogue import IN_STAGE, TOP_CUSTOMERS
from stream.domain.metrics import samples
from stream.publish.api.requests import MOST_POINTS
from stream.publish.http import build_app
from stream.settings import Secret
from tests.support.worker import NOW_MS, Worker

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from aiohttp import web

    from stream.domain.reading import Scope
    from stream.domain.totals import Totals

    Client = TestClient[web.Request, web.Application]

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
#: NOW_MS, to the second.
NOW = "2023-11-14T22:13:20Z"
TOKEN = "a-token-of-enough-characters"  # noqa: S105 - made up


@pytest.fixture
def worker() -> Worker:
    worker = Worker()
    worker.restore()
    for number in range(6):
        worker.purchase(
            f"c-{number % 4}",
            f"o-{number}",
            occurred_at=(NOW_MS - number * 5 * DAY_MS) / 1000,
            attributes={"channel": "web" if number % 2 else "shop"},
        )
    worker.purchase("nan", "other", store="north", amount="100")
    return worker


@pytest.fixture
async def client(worker: Worker) -> AsyncIterator[Client]:
    async with TestClient(TestServer(build_app(worker))) as client:
        yield client


async def answer(client: Client, path: str, expect: int = 200, /, **query: str) -> dict[str, Any]:
    async with client.get(f"/api/v1/{path}", params=query) as response:
        found = cast("dict[str, Any]", await response.json())
        assert (response.status, found.get("error") is not None) == (expect, expect != 200)
        return found


async def error(client: Client, path: str, expect: int = 400, /, **query: str) -> str:
    said = cast("str", (await answer(client, path, expect, **query))["error"])
    assert "\n" not in said
    return said


def shown(found: dict[str, Any]) -> dict[tuple[str, str, frozenset[tuple[str, str]]], float]:
    return {
        (metric["name"], sample.get("series", ""), frozenset(sample["labels"].items())): sample[
            "value"
        ]
        for metric in found["metrics"]
        for sample in metric["samples"]
    }


def expected(
    totals: Totals, *without: str
) -> dict[tuple[str, str, frozenset[tuple[str, str]]], float]:
    return {
        (sample.name, sample.suffix, frozenset(sample.labels)): sample.value
        for sample in samples(totals)
        if sample.name not in without
    }


async def test_metrics_are_those_of_the_exposition(client: Client, worker: Worker) -> None:
    found = await answer(client, "metrics")

    assert found["as_of"] == "2023-11-14T22:13:20.000Z"
    assert shown(found) == expected(worker.engine.totals(NOW_MS))
    assert {metric["type"] for metric in found["metrics"]} == {"gauge", "histogram"}


async def test_metrics_as_of_an_instant_before_are_those_of_then(
    client: Client, worker: Worker
) -> None:
    at_ms = NOW_MS - 7 * DAY_MS

    for at in ("2023-11-07T22:13:20Z", "2023-11-07T23:13:20+01:00", str(at_ms / 1000)):
        found = await answer(client, "metrics", at=at)
        assert found["as_of"] == "2023-11-07T22:13:20.000Z"
        # Of the top customers and of stages only the present is known.
        without = (TOP_CUSTOMERS.name, IN_STAGE.name)
        assert shown(found) == expected(worker.engine.totals(at_ms), *without)


async def test_a_part_of_the_past_is_what_the_whole_says_of_it(client: Client) -> None:
    whole = shown(await answer(client, "metrics", at="2023-11-07"))
    wanted = {"window": "prev_7d", "dimension": "all", "store": "default"}

    part = shown(await answer(client, "metrics", at="2023-11-07", **wanted))

    assert part
    assert part == {
        key: value for key, value in whole.items() if wanted.items() <= dict(key[2]).items()
    }


async def test_only_samples_with_the_labels_asked_for_are_shown(client: Client) -> None:
    found = await answer(
        client, "metrics", name="retention_customers", store="default", dimension="channel",
        segment="web", window="7d", status="active",
    )  # fmt: skip

    assert shown(found) == {
        (
            "retention_customers",
            "",
            frozenset(
                {
                    ("store", "default"),
                    ("dimension", "channel"),
                    ("segment", "web"),
                    ("window", "7d"),
                    ("status", "active"),
                }
            ),
        ): 1
    }


async def test_cohorts_of_a_store(client: Client) -> None:
    # Five orders in November and October: customers 0 to 3 began where their first order is.
    found = await answer(client, "cohorts")

    assert (found["store"], found["kind"]) == ("default", "first_order")
    assert found["cohorts"] == [
        {"month": "2023-10", "size": 3, "customers": [3, 2]},
        {"month": "2023-11", "size": 1, "customers": [1]},
    ]
    assert (await answer(client, "cohorts", store="nowhere"))["cohorts"] == []
    assert (await answer(client, "cohorts", kind="signup"))["cohorts"] == []


async def test_history_holds_the_value_of_every_instant(client: Client, worker: Worker) -> None:
    found = await answer(
        client, "history", metric="retention_customers", window="7d", status="active",
        store="default", to=NOW, **{"from": "2023-10-31T22:13:20Z"}, step="1d",
    )  # fmt: skip

    assert len(found["at"]) == 15
    assert (found["at"][0], found["at"][-1]) == (
        "2023-10-31T22:13:20.000Z",
        "2023-11-14T22:13:20.000Z",
    )
    (series,) = found["series"]
    assert series["labels"]["dimension"] == "all"
    key = ("retention_customers", "", frozenset(series["labels"].items()))
    assert series["values"] == [
        expected(worker.engine.totals(NOW_MS - back * DAY_MS))[key] for back in range(14, -1, -1)
    ]


async def test_several_metrics_at_once_are_what_each_is_alone(client: Client) -> None:
    metrics = ("retention_orders", "retention_revenue", "retention_repeat_purchase_ratio")
    place = {"window": "7d", "store": "default", "to": NOW}
    together = await answer(client, "history", metric=",".join(metrics), **place)
    alone = [await answer(client, "history", metric=metric, **place) for metric in metrics]

    def by_labels(series: dict[str, Any]) -> str:
        return f"{series['metric']} {series['labels']}"

    expected_series = [series for one in alone for series in one["series"]]
    assert len(expected_series) > 3
    assert sorted(together["series"], key=by_labels) == sorted(expected_series, key=by_labels)
    assert {one["metric"] for one in alone} == set(metrics)


async def test_where_a_ratio_had_no_denominator_history_has_null(client: Client) -> None:
    found = await answer(
        client, "history", metric="retention_repeat_purchase_ratio", window="7d", store="north",
        to=NOW, step="1d",
    )  # fmt: skip

    (series,) = found["series"]
    assert len(series["values"]) == 90
    assert series["values"][-2:] == [None, 0]


@pytest.mark.parametrize("metric", ["retention_customer_lifetime_value", "retention_window_mature"])
async def test_history_of_what_has_no_window(client: Client, metric: str) -> None:
    found = await answer(client, "history", metric=metric, to=NOW, step="1w", store="north")

    assert found["series"]
    assert all(len(series["values"]) == 90 for series in found["series"])


@pytest.mark.parametrize("path", ["metrics", "cohorts", "history"])
async def test_a_parameter_is_given_once_and_means_something(client: Client, path: str) -> None:
    url = f"/api/v1/{path}?store=a&store=b"
    async with client.get(url) as response:
        assert (response.status, await response.json()) == (400, {"error": "store is there twice"})
    assert "unknown parameter 'windows': there are" in await error(client, path, windows="7d")


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ({"name": "retention_custmers"}, "unknown metric 'retention_custmers'"),
        ({"at": "yesterday"}, "at: 'yesterday' is no time"),
        ({"at": ""}, "at: '' is no time"),
        ({"at": "nan"}, "at: 'nan' is no time"),
        ({"at": "inf"}, "at: 'inf' is no time"),
        ({"at": "-1"}, "at: '-1' is not from 1970 to 2099"),
        ({"at": "1e300"}, "at: '1e300' is not from 1970 to 2099"),
        ({"at": "0001-01-01T00:00:00+23:59"}, "not from 1970 to 2099"),
        ({"at": "2023-11-15"}, "at is after the instant the metrics are as of now"),
    ],
)
async def test_metrics_that_cannot_be_told(
    client: Client, query: dict[str, str], says: str
) -> None:
    assert says in await error(client, "metrics", **query)


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ({"metric": ""}, "unknown metric ''"),
        ({"metric": "retention_order_gap_seconds"}, "is a histogram"),
        ({"metric": "retention_orders,"}, "unknown metric ''"),
        ({"metric": "retention_orders,retention_window_mature"}, "ask for them apart"),
        ({"metric": "retention_orders,retention_units", "kind": "sold"}, "orders has no kind"),
        ({"metric": "retention_top_customers_revenue_ratio"}, "known as of now only"),
        ({"currency": "EUR"}, "retention_orders has no currency: its labels are store, dimension"),
        ({"window": "8d"}, "unknown window '8d': there are 7d, month"),
        ({"from": "2023-11-02", "to": "2023-11-01"}, "from is after to"),
        ({"from": "2023-11-01", "step": "1 day"}, "step: '1 day' is not a duration"),
        ({"from": "0", "step": "1m"}, f"more than {MOST_POINTS} points"),
        ({"from": "0", "to": "1e18"}, "to: '1e18' is not from 1970 to 2099"),
    ],
)
async def test_a_history_that_cannot_be_told(
    client: Client, query: dict[str, str], says: str
) -> None:
    assert says in await error(client, "history", **{"metric": "retention_orders"} | query)


async def test_no_range_has_more_points_than_the_most(client: Client) -> None:
    times = {"from": "2023-11-01T00:00:00Z", "to": str(1_698_796_800 + 60 * (MOST_POINTS - 1))}
    query = {"metric": "retention_signups", "window": "7d", "step": "1m", "status": "total"}

    assert len((await answer(client, "history", **query, **times))["at"]) == MOST_POINTS
    times["to"] = str(1_698_796_800 + 60 * MOST_POINTS)
    assert "ask for a longer step" in await error(client, "history", **query, **times)
    # The whole of time in as many points as there are by default.
    whole = {"from": "0", "to": "4102444799"}
    assert len((await answer(client, "history", metric="retention_orders", **whole))["at"]) == 91


async def test_an_unknown_kind_of_cohort(client: Client) -> None:
    assert await error(client, "cohorts", kind="orders") == (
        "unknown kind 'orders': there are first_order, signup"
    )


@pytest.mark.parametrize("path", ["metrics", "cohorts", "history?metric=retention_orders"])
async def test_no_number_while_partitions_are_missing_or_another_speaks(
    client: Client, worker: Worker, path: str
) -> None:
    worker.partitions_expected = 2
    assert "not all partitions" in await error(client, path, 503)
    worker.partitions_expected, worker.another_speaks = 1, True
    assert "another worker" in await error(client, path, 503)


async def test_pasts_are_computed_one_after_the_other(client: Client, worker: Worker) -> None:
    running, most = 0, 0
    whole = worker.history

    async def watched(at_ms: Sequence[int], scope: Scope) -> Sequence[Totals] | None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.01)
        running -= 1
        return await whole(at_ms, scope)

    worker.history = watched  # type: ignore[method-assign] # to watch it
    asked = [answer(client, "history", metric="retention_orders", to=NOW) for _ in range(3)]
    first, *others = await asyncio.gather(*asked)

    assert most == 1
    assert others == [first, first]


async def test_the_api_asks_for_the_token() -> None:
    worker = Worker()
    worker.restore()
    async with TestClient(TestServer(build_app(worker, Secret(TOKEN)))) as client:
        for path in ("metrics", "cohorts", "history", "openapi.json"):
            async with client.get(f"/api/v1/{path}") as response:
                assert response.status == 401
        shown_token = {"Authorization": f"Bearer {TOKEN}"}
        async with client.get("/api/v1/metrics", headers=shown_token) as response:
            assert response.status == 200
