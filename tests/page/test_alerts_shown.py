"""What is off in a store stands on its page, and so do stages of customers, if they are known."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Literal

import pytest
from playwright.async_api import expect

from stream.tools.shop_delivery import Delivery
from tests.page.conftest import nothing_for_axe
from tests.page.served import END_MS, PageWorker, served

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from playwright.async_api import Browser, Page, Route

    from tests.page.conftest import Observed

pytestmark = [pytest.mark.page, pytest.mark.asyncio(loop_scope="session")]

HOUR_MS = 3_600_000
ORDERS_AN_HOUR = 10
STAGES = {"new": 40, "active": 120, "at_risk": 30, "gone": 10}


def purchases(store: str, hours: Iterable[int]) -> Iterator[Delivery]:
    """Orders of customers who come back every ten days, at so many hours before the end."""
    for hour in hours:
        for number in range(ORDERS_AN_HOUR):
            customer = f"{store}-{hour % 240}-{number}"
            event = {
                "type": "purchase",
                "customer_id": customer,
                "order_id": f"{store}-{hour}-{number}",
                "occurred_at": (END_MS - hour * HOUR_MS) / 1000,
                "amount": "10.00",
                "currency": "EUR",
                "store": store,
            }
            yield Delivery(0, "purchase", customer, json.dumps(event).encode())


def worker_with_a_quiet_day() -> PageWorker:
    """Nobody has ordered for a day in one of two shops."""
    worker = PageWorker()
    worker.restore()
    worker.receive(purchases("quiet", reversed(range(24, 80 * 24))))
    worker.receive(purchases("steady", reversed(range(80 * 24))))
    return worker


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_what_is_off_is_told_until_all_is_well(
    browser: Browser, observed: Observed, scheme: Literal["light", "dark"]
) -> None:
    worker = worker_with_a_quiet_day()
    async with served(worker) as address:
        page = await browser.new_page(color_scheme=scheme, bypass_csp=True)
        observed.watch(page)
        await page.goto(f"{address}/?store=quiet")
        alert = page.locator('#alerts li[data-signal="returning_orders"]')
        await expect(alert).to_contain_text("quiet: customers come back less than usual")
        await expect(alert).to_contain_text("of what is usual at this hour")
        await expect(alert).to_contain_text("deploy/runbooks/RetentionRateDropped.md")
        await page.locator("#charts canvas").first.wait_for()
        await nothing_for_axe(page)

        await page.select_option("#store", "steady")
        await expect(page.locator("#alerts")).to_be_hidden()
        await page.select_option("#store", "quiet")
        await expect(alert).to_be_visible()
        # The orders of that day had been under way.
        worker.receive(purchases("quiet", reversed(range(24))))
        await expect(page.locator("#alerts")).to_be_hidden(timeout=90_000)
    assert observed.complaints == []


async def with_stages(page: Page, *, known: bool = True) -> None:
    """Let the worker's API know these stages of customers, or none, as that of an older one."""

    async def openapi(route: Route) -> None:
        document = await (await route.fetch()).json()
        (name,) = (
            each
            for each in document["paths"]["/api/v1/metrics"]["get"]["parameters"]
            if each["name"] == "name"
        )
        if not known:
            name["schema"]["enum"].remove("retention_customers_in_stage")
        await route.fulfill(json=document)

    async def metrics(route: Route) -> None:
        samples = [
            {"labels": {"store": "shop", "stage": stage}, "value": customers}
            for stage, customers in STAGES.items()
        ]
        one = {
            "name": "retention_customers_in_stage",
            "type": "gauge",
            "help": "",
            "samples": samples,
        }
        await route.fulfill(json={"as_of": "2025-07-20T00:00:00Z", "metrics": [one]})

    await page.route("**/api/v1/openapi.json*", openapi)
    await page.route("**/api/v1/metrics?*name=retention_customers_in_stage*", metrics)


async def test_stages_are_shown_where_they_are_counted(browser: Browser, address: str) -> None:
    page = await browser.new_page(bypass_csp=True)
    await with_stages(page)
    await page.goto(f"{address}/?store=shop")
    at_risk = page.locator('#stages li[data-stage="at_risk"]')

    await expect(at_risk.locator(".tile-title")).to_have_text("At risk")
    await expect(at_risk.locator("data")).to_have_text("30")
    await expect(at_risk.locator(".tile-what")).to_have_text("15.0% of customers")
    await page.locator("#heat td.h10").first.wait_for()
    await nothing_for_axe(page)


async def test_the_workers_own_stages_are_shown(page: Page) -> None:
    counts = page.locator("#stages li[data-stage] data")
    await expect(counts.first).to_be_visible()
    shown = [int(text.replace(",", "")) for text in await counts.all_inner_texts()]
    assert sum(shown) > 0


async def test_without_stages_there_is_no_section_of_them(browser: Browser, address: str) -> None:
    page = await browser.new_page(bypass_csp=True)
    await with_stages(page, known=False)
    await page.goto(f"{address}/?store=shop")
    await page.locator("#heat td.h10").first.wait_for()
    await expect(page.locator("#stages")).to_be_hidden()
