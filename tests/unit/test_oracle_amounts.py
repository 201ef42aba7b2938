"""Sums over a window: money by currency, and units."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.event_lines import gauges_of, parameters, product_return, purchase

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.event_lines import Gauges


def money(gauges: Gauges, currency: str) -> tuple[float | None, ...]:
    return (
        gauges.value("revenue", "30d", kind="gross", currency=currency),
        gauges.value("revenue", "30d", kind="refunded", currency=currency),
        gauges.value("average_order_value", "30d", currency=currency),
    )


def test_money_is_exact_and_currencies_stay_apart(tmp_path: Path) -> None:
    events = [
        purchase("a", 40, amount="0.10"),
        purchase("a", 41, amount="0.20"),
        purchase(None, 42, amount="0.05"),
        product_return("a", 43, amount="0.07"),
        purchase("a", 40, amount="1200", currency="JPY"),
        purchase("a", 41, amount=301, currency="JPY"),
        purchase("b", 40, amount="1.234", currency="KWD"),
        product_return("b", 41, amount="0.001", currency="KWD"),
        product_return("b", 41, amount="5.00", currency="USD"),
    ]
    gauges = gauges_of(tmp_path, events, parameters("30d", as_of_day=60))
    assert money(gauges, "EUR") == (0.35, 0.07, 35 / 300)
    assert money(gauges, "JPY") == (1501, 0, 1501 / 2)
    assert money(gauges, "KWD") == (1.234, 0.001, 1.234)
    assert money(gauges, "USD") == (0, 5, None)
    assert money(gauges, "GBP") == (None, None, None)


def test_sums_of_money_past_64_bits_stay_exact(tmp_path: Path) -> None:
    largest = 10**14
    events = [purchase("a", 40, amount=str(largest), currency="JPY") for _ in range(12_000)]
    gauges = gauges_of(tmp_path, events, parameters("30d", as_of_day=60))
    assert gauges.value("revenue", "30d", kind="gross", currency="JPY") == 12_000 * largest


def test_units_sold_and_returned(tmp_path: Path) -> None:
    events = [
        purchase("a", 40, units=4),
        purchase(None, 41, units=0),
        purchase("b", 42),
        product_return("a", 43, units=2),
        product_return("never bought", 44),
        product_return("a", 20, units=100),
    ]
    gauges = gauges_of(tmp_path, events, parameters("30d", as_of_day=60))
    assert gauges.value("units", "30d", kind="sold") == 5
    assert gauges.value("units", "30d", kind="returned") == 3
    assert gauges.value("product_return_ratio", "30d") == 3 / 5
