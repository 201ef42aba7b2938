"""Customers by net revenue: the error of the top's share, adding up, and taking out."""

from __future__ import annotations

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st

from stream.domain.nets import NetBuckets, Nets, buckets_of

#: So that the largest crowd below adds up inside 64 bits, as all money of a store must.
LARGEST_NET = 2**63 // 1200
#: Of a sum of floats; the error that is promised is 1 %.
ROUNDING = 1e-9

brought = st.integers(1, 300) | st.integers(1, LARGEST_NET)
positives = st.lists(brought, min_size=1, max_size=120)
# Many of a kind, as it takes over a hundred customers for a second one to be at the top.
crowds = st.lists(
    st.tuples(st.integers(-1000, 1000) | brought, st.integers(1, 150)), max_size=8
).map(lambda groups: [net for net, customers in groups for _ in range(customers)])


def _held(*several: tuple[list[int], int]) -> Nets:
    """Customers under one row, put in (1) or taken out (-1) group by group."""
    nets = Nets()
    nets.add_rows()
    for customers, sign in several:
        minor_units = np.array(customers, np.int64)
        nets.add(np.zeros((1, len(minor_units)), np.int64), minor_units, sign)
    return nets


def _buckets(customers: list[int]) -> NetBuckets:
    return _held((customers, 1)).buckets(0)


@given(positives, st.data())
def test_what_any_number_of_the_greatest_brought_is_within_a_hundredth(
    nets: list[int], data: st.DataObject
) -> None:
    top = data.draw(st.integers(1, len(nets)))
    exact = sum(sorted(nets)[-top:])
    assert abs(_buckets(nets).top_minor_units(top) - exact) <= (0.01 + ROUNDING) * exact


@given(crowds)
def test_the_top_hundredth_is_within_a_hundredth_also_of_customers_who_cost_money(
    nets: list[int],
) -> None:
    assume(sum(nets) > 0)
    top = -(-len(nets) // 100)
    exact = sum(sorted(nets)[-top:])
    assert abs(_buckets(nets).top_minor_units(top) - exact) <= (0.01 + ROUNDING) * exact


@given(positives)
def test_all_of_them_brought_exactly_their_sum(nets: list[int]) -> None:
    buckets = _buckets(nets)
    assert sum(buckets.minor_units) == sum(nets)
    assert sum(buckets.customers) == len(nets)


@given(crowds, crowds)
def test_two_workers_buckets_add_up_to_those_of_one(ours: list[int], theirs: list[int]) -> None:
    assert _buckets(ours).plus(_buckets(theirs)) == _buckets(ours + theirs)
    assert _buckets(ours).plus(NetBuckets.none()) == _buckets(ours)


@given(crowds, crowds)
def test_taking_customers_out_leaves_those_who_stay(stay: list[int], leave: list[int]) -> None:
    assert _held((stay, 1), (leave, 1), (leave, -1)).dense() == _held((stay, 1)).dense()
    assert _held((leave, 1), (leave, -1)).dense() == {}


@given(st.lists(st.integers(-LARGEST_NET, LARGEST_NET), min_size=2, max_size=50).map(sorted))
def test_a_greater_net_is_in_no_lower_bucket(nets: list[int]) -> None:
    buckets = buckets_of(np.array(nets, np.int64)).tolist()
    assert buckets == sorted(buckets)
    assert all((bucket == 0) == (net <= 0) for bucket, net in zip(buckets, nets, strict=True))
