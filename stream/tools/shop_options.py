"""The options of ``simulate``, and the shop and pace they ask for."""

from __future__ import annotations

import math
from argparse import ArgumentTypeError
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from stream.tools.console import CommandError
from stream.tools.shop import ShopConfig
from stream.tools.shop_pace import Pace
from stream.tools.shop_scenario import DAY_MS, HOUR_MS, SCENARIOS
from stream.tools.shop_shares import DeliveryShares, NewcomerShares, OrderShares

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

HISTORY_DAYS = 200
CUSTOMERS_PER_DAY = 1000.0
#: Time that runs faster than the real one needs somewhere to run: it begins so long before now.
HEAD_START_DAYS = 365
_NEWCOMERS, _ORDERS, _DELIVERY = NewcomerShares(), OrderShares(), DeliveryShares()


@dataclass(frozen=True, slots=True)
class Simulation:
    """A shop and the pace at which it is played."""

    shop: ShopConfig
    pace: Pace


def add_arguments(parser: ArgumentParser) -> None:
    """The options of ``simulate``."""
    pace = parser.add_argument_group("pace")
    how_fast = pace.add_mutually_exclusive_group()
    how_fast.add_argument(
        "--speed",
        type=float,
        default=1.0,
        help="simulated seconds in a second (default: 1, real time); above 1 the shop begins "
        f"{HEAD_START_DAYS} days further back, and goes on in real time once it reaches the "
        "present; the worker should then run with RETENTION_CLOCK=event",
    )
    how_fast.add_argument(
        "--rate", type=float, metavar="N", help="live events per second, in place of --speed"
    )
    pace.add_argument(
        "--history-days",
        type=int,
        default=HISTORY_DAYS,
        metavar="DAYS",
        help="days of the past sent first, as fast as possible (default: %(default)s)",
    )
    pace.add_argument(
        "--start",
        type=_utc_day,
        metavar="YYYY-MM-DD",
        help="first day of the history (default: such that live events are of now)",
    )
    pace.add_argument(
        "--duration",
        type=float,
        default=math.inf,
        metavar="SECONDS",
        help="how long to go on after the history; 0 sends just that (default: for ever)",
    )
    parser.add_argument(
        "--output",
        type=Path,
        metavar="FILE",
        help="write JSON lines there, .gz packed, instead of sending to Kafka",
    )
    _add_shop_arguments(parser)


def _add_shop_arguments(parser: ArgumentParser) -> None:
    shop = parser.add_argument_group("shop")
    shop.add_argument(
        "--scenario", choices=sorted(SCENARIOS), default="steady", help="(default: steady)"
    )
    shop.add_argument(
        "--scenario-at",
        type=int,
        default=0,
        metavar="DAYS",
        help="simulated days from the first live event until the scenario sets in; below 0 it "
        "began in the history (default: 0)",
    )
    shop.add_argument(
        "--scenario-strength",
        type=float,
        default=1.0,
        metavar="SHARE",
        help="how much of the scenario happens, 0 to 1; a third of retention-drop makes those who "
        "have bought buy 20 %% less often (default: 1)",
    )
    shop.add_argument(
        "--customers-per-day",
        type=float,
        default=CUSTOMERS_PER_DAY,
        metavar="N",
        help="who comes for the first time on an average day (default: %(default)g)",
    )
    shop.add_argument("--store", default="shop", help="its name (default: %(default)s)")
    shop.add_argument(
        "--seed", type=int, default=1, help="same seed and --start, same events (default: 1)"
    )
    for option, default, meaning in (
        ("--guest-share", _NEWCOMERS.guest, "newcomers who order as guests"),
        ("--return-share", _ORDERS.returned, "orders sent back"),
        ("--cancel-share", _ORDERS.cancelled, "orders cancelled"),
        ("--late-share", _DELIVERY.late, "events that come hours to days late"),
        ("--duplicate-share", _DELIVERY.duplicate, "events that come twice"),
        ("--bad-share", _DELIVERY.bad, "events followed by an unusable copy"),
    ):
        shop.add_argument(
            option,
            type=float,
            default=default,
            metavar="SHARE",
            help=f"{meaning}, 0 to 1 (default: {default:g})",
        )


def _utc_day(text: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is not a day like 2025-01-31") from None


def simulation(args: Namespace, now_ms: int) -> Simulation:
    """What the options ask for.

    Raises:
        CommandError: for an option that cannot be used.
    """
    history_days: int = args.history_days
    if history_days < 0:
        raise CommandError("--history-days must be 0 or more")
    try:
        if args.start is None:
            is_faster = args.rate is not None or args.speed > 1
            live_from_ms = now_ms - (HEAD_START_DAYS * DAY_MS if is_faster else 0)
            start_ms = live_from_ms // HOUR_MS * HOUR_MS - history_days * DAY_MS
        else:
            start_ms = int(args.start.timestamp()) * 1000
            live_from_ms = start_ms + history_days * DAY_MS
        if live_from_ms > now_ms:
            raise CommandError("the history would end after today: take an earlier --start")
        return Simulation(
            ShopConfig(
                start_ms=start_ms,
                seed=args.seed,
                store=args.store,
                customers_per_day=args.customers_per_day,
                scenario=args.scenario,
                scenario_from_day=history_days + args.scenario_at,
                scenario_strength=args.scenario_strength,
                newcomers=NewcomerShares(guest=args.guest_share),
                orders=OrderShares(returned=args.return_share, cancelled=args.cancel_share),
                delivery=DeliveryShares(
                    late=args.late_share, duplicate=args.duplicate_share, bad=args.bad_share
                ),
            ),
            Pace(live_from_ms, args.speed, args.rate),
        )
    except ValueError as error:
        raise CommandError(f"{error} (see retention-stream simulate --help)") from error
