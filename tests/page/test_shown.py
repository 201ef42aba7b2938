"""What the page shows is what the metrics say."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING

import pytest
from prometheus_client.parser import text_string_to_metric_families

from stream.publish.prometheus import Exposition
from tests.page.conftest import whole

if TYPE_CHECKING:
    from playwright.async_api import Page

    from tests.page.served import PageWorker

pytestmark = [pytest.mark.page, pytest.mark.asyncio(loop_scope="session")]

#: What the page writes for a number that is not there: an en dash.
NOTHING = "\u2013"

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def exposed(worker: PageWorker) -> Samples:
    """Every sample of ``/metrics``."""
    body, _ = Exposition(worker).scrape()
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(body.decode())
        for sample in family.samples
    }


def sample_of(samples: Samples, key: str, **place: str) -> float | None:
    """What ``/metrics`` has under the name that the page has for a number."""
    name, *rest = key.split(":")
    labels = {
        "retention_customers": ("status",),
        "retention_signups": ("status",),
        "retention_units": ("kind",),
        "retention_revenue": ("currency", "kind"),
        "retention_average_order_value": ("currency",),
    }.get(name, ())
    wanted = place | dict(zip(labels, rest, strict=True))
    return samples.get((name, frozenset(wanted.items())))


def shown_as(key: str, value: float) -> str:
    """How the page writes a number."""
    if key.endswith("_ratio"):
        return f"{rounded(value * 100, 1)}%"
    if key == "retention_purchase_frequency":
        return f"{rounded(value, 2)}"
    if key.endswith("_seconds"):
        days = value / 86_400
        return f"{rounded(days, 1 if days < 10 else 0)} days"
    if key.startswith(("retention_revenue", "retention_average")):
        return f"{rounded(value, 2 if value < 1000 else 0)} {key.split(':')[1]}"
    return rounded(value, 0)


def rounded(value: float, digits: int) -> str:
    """Half away from zero, as browsers write numbers."""
    exact = Decimal(repr(value)).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
    return f"{exact:,}"


@pytest.mark.parametrize("window", ["7d", "30d", "365d", "quarter"])
async def test_headlines_are_the_numbers_of_the_metrics(
    page: Page, worker: PageWorker, window: str
) -> None:
    await page.select_option("#window", window)
    await page.locator(f'#now[data-window="{window}"]').wait_for()
    samples = exposed(worker)
    place = {"store": "shop", "dimension": "all", "segment": "all", "window": window}

    items = page.locator("#now [data-key]")
    keys = [await item.get_attribute("data-key") or "" for item in await items.all()]
    assert {"retention_customer_retention_ratio", "retention_customers:lost"} < set(keys)
    assert {"retention_revenue:EUR:gross", "retention_orders"} < set(keys)
    for key in keys:
        number = page.locator(f'#now [data-key="{key}"] data')
        value = sample_of(samples, key, **place)
        if value is None:
            assert await number.text_content() == NOTHING
        else:
            assert float(await number.get_attribute("value") or "") == value
            assert await number.text_content() == shown_as(key, value)


async def test_a_change_is_told_against_the_window_before(page: Page, worker: PageWorker) -> None:
    samples = exposed(worker)
    place = {"store": "shop", "dimension": "all", "segment": "all"}
    key = "retention_customer_retention_ratio"
    now, before = (sample_of(samples, key, **place, window=w) for w in ("30d", "prev_30d"))
    assert now is not None
    assert before is not None
    tile = page.locator(f'#now [data-key="{key}"]')

    points = f"{rounded(abs(now - before) * 100, 1)} points"
    assert points in (await tile.locator(".change").text_content() or "")
    assert await tile.locator(".was").text_content() == f"from {shown_as(key, before)}"
    mood = "none" if points.startswith("0.0") else "good" if now > before else "bad"
    assert await tile.locator(".change").get_attribute("data-mood") == mood


async def test_a_month_to_date_is_not_compared_with_a_whole_one(page: Page) -> None:
    await page.select_option("#window", "month")
    await page.locator('#now[data-window="month"]').wait_for()

    assert set(await page.locator("#now .change").all_text_contents()) == {""}
    assert "before:" in (await page.locator("#now .was").first.text_content() or "")


async def test_cohorts_are_those_of_the_metrics(page: Page, worker: PageWorker) -> None:
    shown = await page.eval_on_selector_all(
        "#heat td[data-age]",
        "cells => cells.map(cell => [cell.closest('tr').dataset.cohort, cell.dataset.age,"
        " Number(cell.querySelector('data').value)])",
    )
    expected = {
        (labels["cohort"], labels["age"], value)
        for (name, pairs), value in exposed(worker).items()
        if name == "retention_cohort_customers" and (labels := dict(pairs))["store"] == "shop"
    }

    assert len(expected) > 20
    assert {tuple(cell) for cell in shown} == expected


async def test_cohorts_are_shown_as_customers_too(page: Page) -> None:
    cell = page.locator('#heat tr[data-cohort="2025-01"] td[data-age="1"]')
    assert (await cell.text_content() or "").endswith("%")
    await page.select_option("#cohort-unit", "customers")
    await page.locator('#heat td[data-age="1"]', has_text="%").first.wait_for(state="detached")

    value = await cell.locator("data").get_attribute("value")
    assert await cell.text_content() == value


@pytest.mark.parametrize("dimension", ["channel", "country"])
async def test_segments_are_those_of_the_metrics(
    page: Page, worker: PageWorker, dimension: str
) -> None:
    await page.select_option("#dimension", dimension)
    await page.locator("#segment-table caption", has_text=dimension).wait_for()
    shown = await page.eval_on_selector_all(
        "#segment-table data",
        "all => all.map(one => [one.closest('tr').dataset.segment, one.dataset.key, one.value])",
    )
    samples = exposed(worker)

    assert len(shown) > 20
    for segment, key, value in shown:
        place = {"store": "shop", "dimension": dimension, "segment": segment, "window": "30d"}
        expected = sample_of(samples, key, **place)
        assert value == "" if expected is None else float(value) == expected
    named = {dict(pairs)["segment"] for _, pairs in samples if ("dimension", dimension) in pairs}
    assert {segment for segment, _, _ in shown} <= named


async def test_segments_are_sorted_by_the_column_chosen(page: Page) -> None:
    async def column() -> list[float]:
        values: list[float] = await page.eval_on_selector_all(
            '#segment-table data[data-key="retention_orders"]', "all => all.map(one => +one.value)"
        )
        return values

    button = page.get_by_role("button", name="Orders")
    await button.click()
    assert await column() == sorted(await column(), reverse=True)
    await button.click()
    assert await column() == sorted(await column())
    assert len(set(await column())) > 3


async def test_a_chart_ends_where_the_headline_is(page: Page) -> None:
    for key, title in (
        ("retention_customer_retention_ratio", "Retention"),
        ("retention_repeat_purchase_ratio", "Repeat purchase"),
        ("retention_orders", "Orders"),
    ):
        chart = page.locator("figure", has=page.get_by_role("heading", name=title, exact=True))
        headline = await page.locator(f'#now [data-key="{key}"] data').text_content()
        assert await chart.locator(".readout b").text_content() == headline
        label = await chart.locator(".plot").get_attribute("aria-label") or ""
        assert f"{headline} at last" in label


async def test_a_chart_can_be_read_as_a_table(page: Page) -> None:
    chart = page.locator("figure.wide")
    await chart.locator("summary").click()
    rows = chart.locator("tbody tr")
    await rows.first.wait_for()

    assert await rows.count() == 90
    newest = await rows.first.locator("td").all_text_contents()
    statuses = ("new", "reactivated", "retained", "lost")
    assert newest == [
        await page.locator(f'#now [data-key="retention_customers:{status}"] data').text_content()
        for status in statuses
    ]


async def test_the_other_store_has_its_own_numbers(page: Page, worker: PageWorker) -> None:
    await page.select_option("#store", "outlet")
    await page.locator('#now[data-store="outlet"]').wait_for()
    place = {"store": "outlet", "dimension": "all", "segment": "all", "window": "30d"}
    value = sample_of(exposed(worker), "retention_orders", **place)

    number = page.locator('#now [data-key="retention_orders"] data')
    assert float(await number.get_attribute("value") or "") == value
    assert "store=outlet" in page.url
    await page.reload()
    await whole(page)
    assert await page.locator("#store").input_value() == "outlet"
