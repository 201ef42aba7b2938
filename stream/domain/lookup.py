"""What is known of one customer, and why it counts as it does.

Read from the customer's entries alone, not from the tallies: the same answer by another way.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

import numpy as np

from stream.domain.arrays import Records
from stream.domain.calendar import Timeline, first_day_of_period, period_of_day
from stream.domain.config import EngineConfig
from stream.domain.entries import CANCELLED, ORDER, PLACED, RETURN, SIGNUP
from stream.domain.lifecycle import STAGE_NAMES, stages_at
from stream.domain.money import currency_code
from stream.domain.outlook import Outlook
from stream.domain.windows import RollingWindow, Window

#: Orders, and returns, that are listed one by one: the latest.
MOST_LISTED = 1000
#: What a customer may be in a window.
STATUSES = ("active", "new", "retained", "reactivated", "repeat", "start", "lost")


@dataclass(frozen=True, slots=True)
class Trade:
    """One order or return. Of its id only the hash is kept."""

    time_ms: int
    id_hash: int
    minor_units: int
    currency: str
    units: int
    cancelled: bool = False


@dataclass(slots=True)
class Spent:
    """Money in one currency, cancelled orders left out."""

    orders: int = 0
    gross_minor_units: int = 0
    refunded_minor_units: int = 0


@dataclass(frozen=True, slots=True)
class Reason:
    """A status, and the times of the orders that make it so."""

    status: str
    order_ms: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class InWindow:
    """A customer in one window, ``[from_ms, to_ms)``, and the one before it."""

    window: str
    preceding_from_ms: int
    from_ms: int
    to_ms: int
    preceding_orders: int
    orders: int
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class CustomerView:
    """One customer as of an instant; lists are in order of time."""

    as_of_ms: int
    signup_ms: int | None
    #: Of its lifecycle; None without an order that counts.
    stage: str | None
    #: By dimension.
    segments: Mapping[str, str]
    #: By currency.
    money: Mapping[str, Spent]
    orders: tuple[Trade, ...]
    orders_left_out: int
    returns: tuple[Trade, ...]
    returns_left_out: int
    #: Times between consecutive orders; None with fewer than two.
    mean_interval_ms: int | None
    median_interval_ms: int | None
    windows: tuple[InWindow, ...]
    #: None while there is no model of its store, or none that covers it.
    outlook: Outlook | None = None


def customer_view(
    entries: Records,
    segments: Mapping[str, str],
    config: EngineConfig,
    timeline: Timeline,
    as_of_ms: int,
) -> CustomerView:
    """A customer's view.

    Args:
        entries: all the customer has, in order.
        segments: its segment in each dimension.
        config: its windows, and the rules of its lifecycle.
        timeline: of buckets and local days.
        as_of_ms: the instant the windows and the stage are as of.
    """
    kinds, flags = entries["kind"], entries["flags"]
    # A cancellation that came before its order is not an order yet.
    orders = _trades(entries[(kinds == ORDER) & ((flags & PLACED) != 0)])
    returns = _trades(entries[kinds == RETURN])
    signups = entries["time_ms"][kinds == SIGNUP].tolist()
    live_ms = [order.time_ms for order in orders if not order.cancelled]
    gaps_ms = [after - before for before, after in pairwise(live_ms)]
    return CustomerView(
        as_of_ms=as_of_ms,
        signup_ms=signups[0] if signups else None,
        stage=_stage(live_ms, config, as_of_ms),
        segments=segments,
        money=_money(orders, returns),
        orders=tuple(orders[-MOST_LISTED:]),
        orders_left_out=max(len(orders) - MOST_LISTED, 0),
        returns=tuple(returns[-MOST_LISTED:]),
        returns_left_out=max(len(returns) - MOST_LISTED, 0),
        mean_interval_ms=round(sum(gaps_ms) / len(gaps_ms)) if gaps_ms else None,
        median_interval_ms=round(median(gaps_ms)) if gaps_ms else None,
        windows=tuple(_in_window(live_ms, window, timeline, as_of_ms) for window in config.windows),
    )


def _stage(order_ms: Sequence[int], config: EngineConfig, as_of_ms: int) -> str | None:
    end_ms = (as_of_ms // config.bucket_ms + 1) * config.bucket_ms - 1
    counts = np.array([len(order_ms)], np.int64)
    (stage,) = stages_at(np.array(order_ms, np.int64), counts, end_ms, config.lifecycle).tolist()
    return STAGE_NAMES[stage] or None


def _trades(entries: Records) -> list[Trade]:
    names = ("time_ms", "id_hash", "amount_minor_units", "currency", "units", "flags")
    return [
        Trade(time_ms, id_hash, minor_units, currency_code(currency), units, bool(flag & CANCELLED))
        for time_ms, id_hash, minor_units, currency, units, flag in zip(
            *(entries[name].tolist() for name in names), strict=True
        )
    ]


def _money(orders: Sequence[Trade], returns: Sequence[Trade]) -> dict[str, Spent]:
    money: dict[str, Spent] = {}
    for order in orders:
        if not order.cancelled:
            spent = money.setdefault(order.currency, Spent())
            spent.orders += 1
            spent.gross_minor_units += order.minor_units
    for sent_back in returns:
        spent = money.setdefault(sent_back.currency, Spent())
        spent.refunded_minor_units += sent_back.minor_units
    return money


def _in_window(
    order_ms: Sequence[int], window: Window, timeline: Timeline, as_of_ms: int
) -> InWindow:
    before_ms, from_ms, to_ms = _bounds_ms(window, timeline, as_of_ms)
    inside = [at for at in order_ms if from_ms <= at < to_ms]
    preceding = [at for at in order_ms if before_ms <= at < from_ms]
    return InWindow(
        window=window.name,
        preceding_from_ms=before_ms,
        from_ms=from_ms,
        to_ms=to_ms,
        preceding_orders=len(preceding),
        orders=len(inside),
        reasons=tuple(_reasons(order_ms, inside, preceding)),
    )


def _reasons(
    orders: Sequence[int], inside: Sequence[int], preceding: Sequence[int]
) -> Iterator[Reason]:
    """The statuses of SPEC's table that hold."""
    if inside:
        yield Reason("active", (inside[-1],))
        if orders[0] == inside[0]:
            yield Reason("new", (orders[0],))
        elif preceding:
            yield Reason("retained", (preceding[-1], inside[0]))
        else:
            last_before = max(at for at in orders if at < inside[0])
            yield Reason("reactivated", (last_before, inside[0]))
        if len(inside) > 1:
            yield Reason("repeat", (inside[0], inside[1]))
    if preceding:
        yield Reason("start", (preceding[-1],))
        if not inside:
            yield Reason("lost", (preceding[-1],))


def _bounds_ms(window: Window, timeline: Timeline, as_of_ms: int) -> tuple[int, int, int]:
    """Where the preceding window and the window begin, and where the window ends."""
    bucket_ms = timeline.bucket_ms
    end_ms = (as_of_ms // bucket_ms + 1) * bucket_ms
    if isinstance(window, RollingWindow):
        length_ms = window.length_buckets * bucket_ms
        return end_ms - 2 * length_ms, end_ms - length_ms, end_ms
    day = timeline.day_at(as_of_ms)
    period = int(period_of_day(window.unit, np.array([day], np.int64))[0])
    before_ms, from_ms, next_ms = (
        timeline.first_ms_of_day(first_day_of_period(window.unit, period + step))
        for step in (-1, 0, 1)
    )
    return before_ms, from_ms, min(end_ms, next_ms)
