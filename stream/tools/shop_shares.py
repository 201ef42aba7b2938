"""The shares, from 0 to 1, that say what kind of shop is simulated."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


@dataclass(frozen=True, slots=True)
class NewcomerShares:
    """Who comes for the first time."""

    #: of newcomers, those who order as guests and are never recognised again
    guest: float = 0.04
    #: of the others, those who sign up before they buy
    signup: float = 0.6
    #: of those who sign up, those who never buy
    never_buys: float = 0.3

    def __post_init__(self) -> None:
        _require_shares(self)


@dataclass(frozen=True, slots=True)
class OrderShares:
    """What becomes of orders."""

    #: of the orders of known customers, sent back in whole or in part some days later
    returned: float = 0.06
    #: of the orders of known customers, cancelled minutes to days later
    cancelled: float = 0.02
    #: of the cancellations, those that arrive before their order
    cancelled_first: float = 0.1
    #: of orders, those through another channel than the customer's own
    elsewhere: float = 0.12
    #: of orders and signups, those without attributes
    no_attributes: float = 0.02

    def __post_init__(self) -> None:
        _require_shares(self)


@dataclass(frozen=True, slots=True)
class DeliveryShares:
    """How badly events travel, of all events sent."""

    #: arrive from one hour to five days late
    late: float = 0.02
    #: arrive twice
    duplicate: float = 0.01
    #: are followed by a broken copy that nobody can use
    bad: float = 0.0

    def __post_init__(self) -> None:
        _require_shares(self)


def _require_shares(shares: DataclassInstance) -> None:
    for name, share in asdict(shares).items():
        if not 0 <= share <= 1:
            raise ValueError(f"the {name.replace('_', ' ')} share must be 0 to 1, not {share:g}")
