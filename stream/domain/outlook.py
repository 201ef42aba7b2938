"""What customers may do next: lifetime models fitted to a store's own customers, and one's chances.

The models are BG/NBD, and MBG/NBD for customers without a repeat order, of whom BG/NBD says that
they are certainly still there. A day with several orders counts once, as the models ask for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from stream.domain.arrays import F64, I64, Records, starts_of_groups
from stream.domain.calendar import Timeline
from stream.domain.customers import Customers
from stream.domain.entries import is_live_order
from stream.domain.segments import Segment

if TYPE_CHECKING:
    from stream.domain.lifetime_model import LifetimeModel

HORIZON_DAYS = 90
#: Customers looked at for a fit: they are read at once, while no event is applied.
MOST_SAMPLED = 20_000
#: Fewer customers of a store say too little.
LEAST_CUSTOMERS = 100


@dataclass(frozen=True, slots=True)
class StoreModels:
    """A store's models; None where its customers do not determine one."""

    usual: LifetimeModel | None
    modified: LifetimeModel | None


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a model says of one customer."""

    model: Literal["bg_nbd", "mbg_nbd"]
    probability_alive: float
    #: Days with an order, of the next :data:`HORIZON_DAYS`.
    expected_orders: float


def sampled_histories(
    shards: Iterable[Customers], names: Sequence[Segment], timeline: Timeline, as_of_ms: int
) -> dict[str, F64]:
    """By store the frequency, recency and age of customers, as rows.

    Of at most :data:`MOST_SAMPLED`, evenly chosen.

    Args:
        shards: the customers of all partitions.
        names: of segment rows.
        timeline: of local days.
        as_of_ms: orders after it are left out.
    """
    shards = list(shards)
    step = max(1, -(-sum(map(len, shards)) // MOST_SAMPLED))
    columns: list[tuple[I64, F64]] = []
    for customers in shards:
        rows = np.arange(0, len(customers), step, dtype=np.int64)
        entries, lengths = customers.ledger.gather(rows)
        owners, histories = order_days(
            entries, np.repeat(np.arange(len(rows)), lengths), timeline, as_of_ms
        )
        columns.append((customers.segments[rows[owners], 0].astype(np.int64), histories))
    if not columns:
        return {}
    stores = np.concatenate([stores for stores, _ in columns])
    together = np.concatenate([histories for _, histories in columns], axis=1)
    return {names[row].store: together[:, stores == row] for row in np.unique(stores).tolist()}


def order_days(entries: Records, owners: I64, timeline: Timeline, as_of_ms: int) -> tuple[I64, F64]:
    """What the models know of customers with an order: frequency, recency and age, in days.

    Args:
        entries: of some customers, each one's together and in order.
        owners: the customer of each.
        timeline: of local days.
        as_of_ms: orders after it are left out.

    Returns:
        The customers, and the three as rows.
    """
    some = np.flatnonzero(is_live_order(entries) & (entries["time_ms"] <= as_of_ms))
    day, owner = timeline.local_day(entries["time_ms"][some]), owners[some]
    firsts = starts_of_groups(owner)
    another_day = firsts.copy()
    another_day[1:] |= day[1:] != day[:-1]
    day, owner, firsts = day[another_day], owner[another_day], firsts[another_day]
    begins = np.flatnonzero(firsts)
    lengths = np.diff(np.append(begins, len(day)))
    first, last = day[begins], day[begins + lengths - 1]
    rows = [lengths - 1, last - first, timeline.day_at(as_of_ms) - first]
    return owner[begins], np.array(rows, np.float64)


def fit_stores(
    samples: Mapping[str, F64], before: Mapping[str, StoreModels]
) -> dict[str, StoreModels]:
    """Models of every store with enough customers.

    Args:
        samples: by store frequency, recency and age of customers, as rows.
        before: the models of the last fit, near which the new ones are looked for.
    """
    # SciPy is large; who fits nothing does not load it.
    from stream.domain.lifetime_fit import fit  # noqa: PLC0415
    from stream.domain.lifetime_model import Histories  # noqa: PLC0415

    models = {}
    for store, sample in samples.items():
        if sample.shape[1] >= LEAST_CUSTOMERS:
            of_store = Histories.grouped(*sample)
            start = before.get(store, StoreModels(None, None))
            models[store] = StoreModels(
                fit(of_store, start=start.usual),
                fit(of_store, modified=True, start=start.modified),
            )
    return models


def outlook(
    models: StoreModels, entries: Records, timeline: Timeline, as_of_ms: int
) -> Outlook | None:
    """A customer's outlook; None without an order, or without a model that covers it.

    Args:
        models: of its store.
        entries: all the customer has, in order.
        timeline: of local days.
        as_of_ms: orders after it are left out.
    """
    owners, history = order_days(entries, np.zeros(len(entries), np.int64), timeline, as_of_ms)
    if not len(owners):
        return None
    frequency, recency, age = history
    model = models.usual if frequency[0] else models.modified
    if model is None:
        return None
    return Outlook(
        model="mbg_nbd" if model.modified else "bg_nbd",
        probability_alive=float(model.probability_alive(frequency, recency, age)[0]),
        expected_orders=float(model.expected_orders(HORIZON_DAYS, frequency, recency, age)[0]),
    )
