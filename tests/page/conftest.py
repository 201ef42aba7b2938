"""A browser for the tests of the page: Debian's Chromium, without a window."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio
from playwright.async_api import async_playwright, expect

from tests.page.served import served, shop_worker

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playwright.async_api import Browser, ConsoleMessage, Page, Request

    from tests.page.served import PageWorker

CHROMIUM = Path("/usr/bin/chromium")
MODULES = Path(__file__).parents[2] / ".cache/page-assets/node_modules"


#: The machine may be busy; a test that fails may take its time.
expect.set_options(timeout=20_000)


@pytest.fixture
def worker() -> PageWorker:
    """Half a year of two shops; each test may let more happen."""
    return shop_worker()


@pytest_asyncio.fixture(loop_scope="session")
async def address(worker: PageWorker) -> AsyncIterator[str]:
    async with served(worker) as address:
        yield address


@pytest.fixture(scope="session")
def chromium() -> Path:
    if not CHROMIUM.exists():
        pytest.fail("chromium is missing: run scripts/install_chromium.sh")
    return CHROMIUM


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def shared_browser(chromium: Path) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def browser(shared_browser: Browser) -> AsyncIterator[Browser]:
    """The browser, without what another test left open in it."""
    yield shared_browser
    for context in shared_browser.contexts:
        await context.close()


@dataclass
class Observed:
    """What a page did that a person does not see."""

    complaints: list[str] = field(default_factory=list)
    urls: list[str] = field(default_factory=list)

    def watch(self, page: Page) -> None:
        """Note from now on what the page complains about and asks for."""
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", self._request)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(message.text)

    def _request(self, request: Request) -> None:
        self.urls.append(request.url)


@pytest.fixture
def observed() -> Observed:
    return Observed()


@pytest_asyncio.fixture(loop_scope="session")
async def page(browser: Browser, address: str, observed: Observed) -> Page:
    """The page of the store ``shop``, with all its parts."""
    page = await browser.new_page(viewport={"width": 1280, "height": 900})
    observed.watch(page)
    await page.goto(f"{address}/?store=shop")
    await whole(page)
    return page


async def whole(page: Page) -> None:
    """Wait until every part is there."""
    for part in ("#charts canvas", "#heat td.h10", "#segment-table tbody tr", "#revenue data"):
        await page.locator(part).first.wait_for()


async def nothing_for_axe(page: Page) -> None:
    """Let axe-core look at the page as it stands; its policy on scripts must be off.

    Raises:
        AssertionError: with what axe finds.
    """
    await page.evaluate((MODULES / "axe-core/axe.min.js").read_text(encoding="utf-8"))
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    result = await page.evaluate(
        "tags => axe.run(document, { runOnly: { type: 'tag', values: tags } })", tags
    )
    found = [
        (each["id"], [node["target"] + [node["failureSummary"]] for node in each["nodes"][:3]])
        for each in result["violations"]
    ]
    assert found == [], json.dumps(found, indent=1)
    assert len(result["passes"]) > 30
