"""One customer, as values ready to be written as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stream.domain.money import exponent
from stream.domain.outlook import HORIZON_DAYS
from stream.publish.api.answers import instant
from stream.publish.api.requests import RequestError
from stream.wire.checks import MAX_ID_LENGTH, MAX_NAME_LENGTH

if TYPE_CHECKING:
    from stream.domain.lookup import CustomerView, InWindow, Spent, Trade
    from stream.domain.outlook import Outlook


def checked_customer(store: str, customer_id: str) -> tuple[str, str]:
    """Store and id, as events may carry them.

    Raises:
        RequestError: when no event could; the message does not hold them.
    """
    for name, text, most in (
        ("store", store, MAX_NAME_LENGTH),
        ("customer id", customer_id, MAX_ID_LENGTH),
    ):
        if not 0 < len(text) <= most or "\0" in text:
            raise RequestError(f"a {name} has 1 to {most} characters and no NUL")
    return store, customer_id


def customer_answer(store: str, customer_id: str, view: CustomerView) -> dict[str, object]:
    """What is known of a customer."""
    return {
        "as_of": instant(view.as_of_ms),
        "store": store,
        "customer_id": customer_id,
        "signup": None if view.signup_ms is None else instant(view.signup_ms),
        "stage": view.stage,
        "segments": dict(view.segments),
        "money": {currency: _money(currency, spent) for currency, spent in view.money.items()},
        "intervals": {
            "mean_seconds": _seconds(view.mean_interval_ms),
            "median_seconds": _seconds(view.median_interval_ms),
        },
        "outlook": None if view.outlook is None else _outlook(view.outlook),
        "windows": [_window(window) for window in view.windows],
        "orders": [
            {"order_id_xxh3": _hash(order), "cancelled": order.cancelled} | _trade(order)
            for order in view.orders
        ],
        "orders_left_out": view.orders_left_out,
        "returns": [{"return_id_xxh3": _hash(each)} | _trade(each) for each in view.returns],
        "returns_left_out": view.returns_left_out,
    }


def _outlook(outlook: Outlook) -> dict[str, object]:
    return {
        "model": outlook.model,
        "probability_alive": outlook.probability_alive,
        f"expected_orders_{HORIZON_DAYS}d": outlook.expected_orders,
    }


def major_text(minor_units: int, currency: str) -> str:
    """An amount in major units, exactly, with all digits its currency has."""
    digits = exponent(currency) or 0
    text = str(abs(minor_units)).rjust(digits + 1, "0")
    whole, fraction = text[: len(text) - digits], text[len(text) - digits :]
    return ("-" if minor_units < 0 else "") + whole + (f".{fraction}" if fraction else "")


def _window(window: InWindow) -> dict[str, object]:
    return {
        "window": window.window,
        "preceding_from": instant(window.preceding_from_ms),
        "from": instant(window.from_ms),
        "to": instant(window.to_ms),
        "preceding_orders": window.preceding_orders,
        "orders": window.orders,
        "statuses": [
            {"status": reason.status, "because_of_orders": [instant(at) for at in reason.order_ms]}
            for reason in window.reasons
        ],
    }


def _money(currency: str, spent: Spent) -> dict[str, object]:
    net = spent.gross_minor_units - spent.refunded_minor_units
    return {
        "orders": spent.orders,
        "gross": major_text(spent.gross_minor_units, currency),
        "refunded": major_text(spent.refunded_minor_units, currency),
        "net": major_text(net, currency),
    }


def _trade(trade: Trade) -> dict[str, object]:
    return {
        "time": instant(trade.time_ms),
        "amount": major_text(trade.minor_units, trade.currency),
        "currency": trade.currency,
        "units": trade.units,
    }


def _hash(trade: Trade) -> str:
    return f"{trade.id_hash:016x}"


def _seconds(interval_ms: int | None) -> float | None:
    return None if interval_ms is None else interval_ms / 1000
