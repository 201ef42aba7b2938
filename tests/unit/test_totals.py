"""Adding up totals, and folding small segments."""

from __future__ import annotations

import pytest

from stream.domain.nets import NetBuckets
from stream.domain.segments import Segment
from stream.domain.totals import (
    MAX_SEGMENTS,
    Cohort,
    CohortKind,
    Counts,
    Gaps,
    Lifetime,
    LifetimeMoney,
    Money,
    Totals,
)

SHOP = Segment("default", "all", "all")
WEB = Segment("default", "channel", "web")
JULY = Cohort("default", CohortKind.FIRST_ORDER, 18)
AUGUST = Cohort("default", CohortKind.FIRST_ORDER, 19)


def test_totals_of_two_workers_add_up() -> None:
    ours = Totals(
        7,
        counts={(SHOP, "7d"): Counts(*range(1, 13))},
        money={(SHOP, "7d", "EUR"): Money(10, 1, 2)},
        lifetimes={SHOP: Lifetime(4, 2, 100)},
        lifetime_money={(SHOP, "EUR"): LifetimeMoney(10, 1, 2, NetBuckets([3, 5], [1, 1], [7, 9]))},
        cohorts={JULY: [4, 4, 1]},
        gaps={"default": Gaps([1, 2], 5)},
        first_order_slots={"default": 50},
        mature_from_slots={"7d": 40},
    )
    ours.add(
        Totals(
            7,
            counts={(SHOP, "7d"): Counts(*[10] * 12), (WEB, "7d"): Counts(active=1)},
            money={(SHOP, "7d", "EUR"): Money(5, 5, 5), (SHOP, "7d", "JPY"): Money(9, 0, 1)},
            lifetimes={SHOP: Lifetime(2, 1, 10), WEB: Lifetime(1)},
            lifetime_money={
                (SHOP, "EUR"): LifetimeMoney(1, 1, 1, NetBuckets([5, 6], [1, 1], [2, 3]))
            },
            cohorts={JULY: [1, 1, 1], AUGUST: [2, 2]},
            gaps={"default": Gaps([1, 1], 1), "north": Gaps([0, 1], 7)},
            first_order_slots={"default": 45, "north": 60},
            mature_from_slots={"7d": 40},
        )
    )
    assert ours.counts == {
        (SHOP, "7d"): Counts(*range(11, 23)),
        (WEB, "7d"): Counts(active=1),
    }
    assert ours.money == {
        (SHOP, "7d", "EUR"): Money(15, 6, 7),
        (SHOP, "7d", "JPY"): Money(9, 0, 1),
    }
    assert ours.lifetimes == {SHOP: Lifetime(6, 3, 110), WEB: Lifetime(1)}
    assert ours.lifetime_money == {
        (SHOP, "EUR"): LifetimeMoney(11, 2, 3, NetBuckets([3, 5, 6], [1, 2, 1], [7, 11, 3]))
    }
    assert ours.cohorts == {JULY: [5, 5, 2], AUGUST: [2, 2]}
    assert ours.gaps == {"default": Gaps([2, 3], 6), "north": Gaps([0, 1], 7)}
    assert ours.first_order_slots == {"default": 45, "north": 60}


def test_adding_leaves_the_other_totals_as_they_are() -> None:
    ours, theirs = Totals(7), Totals(7, counts={(SHOP, "7d"): Counts(active=1)})
    for _ in range(2):
        ours.add(theirs)
    assert ours.counts[SHOP, "7d"].active == 2
    assert theirs.counts[SHOP, "7d"].active == 1


def test_totals_of_different_instants_do_not_add_up() -> None:
    with pytest.raises(ValueError, match="different instants"):
        Totals(7).add(Totals(8))


def _segment(name: str, store: str = "default") -> Segment:
    return Segment(store, "country", name)


def _with_customers(customers: dict[Segment, int]) -> Totals:
    return Totals(
        7,
        counts={(segment, "7d"): Counts(active=n) for segment, n in customers.items()},
        money={(segment, "7d", "EUR"): Money(n, 0, n) for segment, n in customers.items()},
        lifetimes={segment: Lifetime(n) for segment, n in customers.items()},
    )


def test_the_largest_segments_keep_their_name_and_the_rest_is_other() -> None:
    sizes = {_segment(f"c{number:02}"): 100 + number for number in range(60)}
    folded = _with_customers(
        {**sizes, _segment("unknown"): 1, SHOP: 5}
    ).with_small_segments_folded()
    names = {segment.name for segment, _ in folded.counts}
    largest = {f"c{number}" for number in range(10, 60)}
    assert len(largest) == MAX_SEGMENTS
    assert names == largest | {"unknown", "other", "all"}
    rest = sum(range(100, 110))
    assert folded.counts[_segment("other"), "7d"].active == rest
    assert folded.money[_segment("other"), "7d", "EUR"] == Money(rest, 0, rest)
    assert folded.lifetimes[_segment("other")].customers == rest
    assert folded.counts[_segment("c59"), "7d"].active == 159


def test_of_segments_of_one_size_the_first_names_stay() -> None:
    sizes = {_segment(f"c{number:02}"): 1 for number in range(MAX_SEGMENTS + 1)}
    folded = _with_customers(sizes).with_small_segments_folded()
    assert (_segment("c49"), "7d") in folded.counts
    assert (_segment("c50"), "7d") not in folded.counts


def test_stores_and_dimensions_are_folded_apart() -> None:
    sizes = {_segment(f"c{n:02}", store): 1 for n in range(40) for store in ("a", "b")}
    sizes |= {Segment("a", "channel", f"c{n:02}"): 1 for n in range(40)}
    totals = _with_customers(sizes)
    assert totals.with_small_segments_folded().counts == totals.counts


def test_folding_adds_to_a_segment_that_is_called_other() -> None:
    sizes = {_segment(f"c{number:02}"): 5 for number in range(MAX_SEGMENTS)}
    folded = _with_customers(
        {**sizes, _segment("small"): 1, _segment("other"): 3}
    ).with_small_segments_folded()
    assert folded.counts[_segment("other"), "7d"].active == 4
