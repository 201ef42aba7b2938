"""The page keeps to itself, and everyone can use it: by keyboard, on a phone, in the dark."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import pytest
from playwright.async_api import expect

from tests.page.conftest import Observed, nothing_for_axe, whole

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page

pytestmark = [pytest.mark.page, pytest.mark.asyncio(loop_scope="session")]

DESK, PHONE = (1280, 900), (390, 844)


async def test_nothing_is_complained_about_and_no_other_host_is_asked(
    page: Page, address: str, observed: Observed
) -> None:
    for name, value in (("window", "month"), ("range", "1y"), ("store", "outlet")):
        await page.select_option(f"#{name}", value)
    await page.locator('#now[data-store="outlet"][data-window="month"]').wait_for()
    for theme in ("dark", "light", "auto"):
        await page.select_option("#theme", theme)
    for summary in await page.locator("summary").all():
        await summary.click()

    assert observed.complaints == []
    assert len(observed.urls) > 15
    assert {url for url in observed.urls if not url.startswith(f"{address}/")} == set()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
async def test_axe_finds_nothing(
    browser: Browser, address: str, scheme: Literal["light", "dark"], size: tuple[int, int]
) -> None:
    width, height = size
    page = await browser.new_page(
        viewport={"width": width, "height": height}, color_scheme=scheme, bypass_csp=True
    )
    await page.goto(f"{address}/?store=shop")
    await whole(page)
    for summary in (await page.locator("summary").all())[::4]:
        await summary.click()
    await nothing_for_axe(page)


async def test_without_scripts_there_are_the_headline_tables(
    browser: Browser, address: str
) -> None:
    context = await browser.new_context(java_script_enabled=False)
    plain = await context.new_page()
    await plain.goto(address)
    rows = await plain.locator("#plain tbody tr").count()
    assert rows == 14
    assert not await plain.locator("#live").is_visible()
    assert not await plain.locator("#choices").is_visible()


async def test_nothing_is_wider_than_a_phone(browser: Browser, address: str) -> None:
    page = await browser.new_page(viewport={"width": 320, "height": 640})
    await page.goto(f"{address}/?store=shop")
    await whole(page)

    wider = await page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    assert wider == 0


async def test_everything_is_reached_by_keyboard_in_the_order_of_the_page(page: Page) -> None:
    await page.locator("body").focus()
    reached: list[str] = []
    places: list[int] = []
    for _ in range(80):
        await page.keyboard.press("Tab")
        name, place, outline = await page.evaluate(
            "(() => { const one = document.activeElement; return [one.id || one.dataset.key"
            " || one.getAttribute('aria-label') || one.textContent,"
            " [...document.querySelectorAll('*')].indexOf(one),"
            " getComputedStyle(one).outlineStyle]; })()"
        )
        if places and place <= places[-1]:
            break
        assert outline != "none", f"{name} does not show that it has the focus"
        reached.append(name)
        places.append(place)

    assert reached[0] == "Skip to the numbers"
    controls = {"store", "window", "range", "theme", "cohort-kind", "cohort-unit", "dimension"}
    assert controls <= set(reached)
    assert {"retention_orders", "Cohorts, table", "Segments by channel, table"} <= set(reached)
    assert reached.count("As a table") >= 8


async def test_the_keyboard_chooses_a_window(page: Page) -> None:
    await page.locator("#window").focus()
    await page.keyboard.press("ArrowDown")

    await page.locator('#now[data-window="90d"]').wait_for()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_colours_follow_the_system_unless_chosen(
    browser: Browser, address: str, scheme: Literal["light", "dark"]
) -> None:
    ground = {"light": "rgb(244, 246, 248)", "dark": "rgb(14, 18, 23)"}
    other = "light" if scheme == "dark" else "dark"
    page = await browser.new_page(color_scheme=scheme)
    await page.goto(address)
    body = page.locator("body")
    await expect(body).to_have_css("background-color", ground[scheme])
    await page.select_option("#theme", other, force=True)
    await expect(body).to_have_css("background-color", ground[other])
    await page.reload()
    await expect(body).to_have_css("background-color", ground[other])
    await expect(page.locator("#theme")).to_have_value(other)
