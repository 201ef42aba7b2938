"""The page follows what happens."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import expect

from stream.settings import Secret
from stream.tools.shop_delivery import Delivery
from tests.page.conftest import Observed, whole
from tests.page.served import PageWorker, served

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page

pytestmark = [pytest.mark.page, pytest.mark.asyncio(loop_scope="session")]

TOKEN = "a-token-of-enough-characters"  # noqa: S105 - made up


def order(worker: PageWorker, number: int, store: str = "shop") -> None:
    """A new customer's order arrives, a moment before the latest event."""
    assert worker.last_event_ms is not None
    event = {
        "type": "purchase",
        "customer_id": f"late {number}",
        "order_id": f"late {number}",
        "occurred_at": worker.last_event_ms / 1000,
        "amount": "10.00",
        "currency": "EUR",
        "store": store,
    }
    worker.receive([Delivery(0, "purchase", f"late {number}", json.dumps(event).encode())])


async def test_numbers_change_when_events_arrive(page: Page, worker: PageWorker) -> None:
    number = page.locator('#now [data-key="retention_orders"] data')
    before = float(await number.get_attribute("value") or "")
    read = page.locator('[data-fact="read"] dd')
    assert await read.text_content() == f"{sum(worker.outcomes.values()):,} events"
    for at in range(7):
        order(worker, at)

    await expect(number).to_have_attribute("value", f"{before + 7:.0f}")
    await expect(read).to_have_text(f"{sum(worker.outcomes.values()):,} events")


async def test_charts_and_segments_follow_a_little_later(page: Page, worker: PageWorker) -> None:
    unknown = page.locator('tr[data-segment="unknown"] data[data-key="retention_orders"]')
    before = int(await unknown.get_attribute("value") or "")
    order(worker, 1)

    await expect(unknown).to_have_attribute("value", f"{before + 1}", timeout=30_000)
    headline = await page.locator('#now [data-key="retention_orders"] data').text_content()
    orders = page.locator("figure", has=page.get_by_role("heading", name="Orders", exact=True))
    await expect(orders.locator(".readout b")).to_have_text(headline or "", timeout=30_000)


async def test_a_worker_without_events_gets_its_numbers_when_they_come(browser: Browser) -> None:
    worker = PageWorker()
    async with served(worker) as address:
        page = await browser.new_page()
        await page.goto(address)
        notice = page.locator("#notice")
        await expect(notice).to_have_text(
            "No numbers yet: they appear when every partition is ready."
        )
        worker.restore()
        await expect(notice).to_have_text("No numbers yet: they appear with the first events.")
        worker.last_event_ms = 1_750_000_000_000
        order(worker, 1)
        number = page.locator('#now [data-key="retention_orders"] data')
        await expect(number).to_have_attribute("value", "1")
        await expect(notice).to_be_hidden()


async def test_a_worker_that_does_not_speak_says_so(browser: Browser, worker: PageWorker) -> None:
    worker.another_speaks = True
    async with served(worker) as address:
        page = await browser.new_page()
        await page.goto(address)
        await expect(page.locator("#notice")).to_contain_text("owns partition 0 shows the numbers")
        await expect(page.locator("#now")).to_be_hidden()
        await expect(page.locator('[data-fact="partitions"]')).to_contain_text("1 of 1")


async def test_without_a_past_the_rest_is_there(browser: Browser, worker: PageWorker) -> None:
    async with served(worker) as address:
        page = await browser.new_page()
        await page.route(
            "**/api/v1/history?*",
            lambda route: route.fulfill(status=503, json={"error": "another worker speaks"}),
        )
        await page.goto(address)
        await expect(page.locator("#past-hint")).to_have_text(
            "The past cannot be shown at the moment: another worker speaks."
        )
        assert await page.locator("#heat td").count() > 10
        assert await page.locator("#now data").count() > 10


async def test_a_lost_connection_is_told_and_found_again(
    browser: Browser, worker: PageWorker
) -> None:
    async with served(worker) as address:
        port = int(address.rpartition(":")[2])
        page = await browser.new_page()
        await page.goto(address)
        await whole(page)
        await expect(page.locator("#connection")).to_have_text("Live")
    await expect(page.locator("#connection")).to_have_text("Connection lost, trying again")
    async with served(worker, port=port):
        await expect(page.locator("#connection")).to_have_text("Live")
        await page.close()


async def test_with_a_token_a_browser_that_logged_in_sees_all(
    browser: Browser, worker: PageWorker, observed: Observed
) -> None:
    async with served(worker, token=Secret(TOKEN)) as address:
        context = await browser.new_context(
            http_credentials={"username": "anyone", "password": TOKEN}
        )
        page = await context.new_page()
        observed.watch(page)
        await page.goto(address)
        await whole(page)
        await expect(page.locator("#connection")).to_have_text("Live")
        await context.close()
    assert [text for text in observed.complaints if "401" not in text] == []
