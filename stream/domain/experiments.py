"""Variants of an experiment against its control: differences of ratios, with how sure they are.

Source:
    R. G. Newcombe: Interval estimation for the difference between independent proportions:
    comparison of eleven methods. Statistics in Medicine 17 (1998), 873-890: method 10, the
    hybrid of two Wilson score intervals without correction for continuity. Unlike the textbook
    interval it stays within -1 and 1 and holds its 95 % for few customers and for ratios near 0.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import sqrt
from statistics import NormalDist
from typing import NamedTuple

from stream.domain.config import Experiment
from stream.domain.segment_names import OTHER, UNKNOWN
from stream.domain.segments import Segment
from stream.domain.totals import Counts

#: Two-sided.
CONFIDENCE = 0.95
_Z = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)


class Proportion(NamedTuple):
    """So many of so many; at least of one."""

    some: int
    of: int


class Difference(NamedTuple):
    """A variant's proportion less the control's, and its interval; each from -1 to 1."""

    estimate: float
    lower: float
    upper: float


class Comparison(NamedTuple):
    """One variant in one window, in one of its ratios."""

    variant: Segment
    window: str
    ratio: str
    difference: Difference


def comparisons(
    experiment: Experiment, counts: Mapping[tuple[Segment, str], Counts]
) -> Iterator[Comparison]:
    """Every variant against the control of its store; none where a ratio has no denominator.

    Customers without a variant are in no arm of the experiment, and those of variants too small
    to have a name are in several.
    """
    for (variant, window), its in counts.items():
        if variant.dimension != experiment.dimension:
            continue
        if variant.name in (experiment.control, UNKNOWN, OTHER):
            continue
        control = counts.get((variant._replace(name=experiment.control), window))
        if control is None:
            continue
        ratios_of_control = dict(_ratios(control))
        for ratio, proportion in _ratios(its):
            if proportion.of and ratios_of_control[ratio].of:
                found = difference(proportion, ratios_of_control[ratio])
                yield Comparison(variant, window, ratio, found)


def difference(variant: Proportion, control: Proportion) -> Difference:
    """The difference of two independent proportions with its interval."""
    its, controls = variant.some / variant.of, control.some / control.of
    low, high = wilson(variant)
    controls_low, controls_high = wilson(control)
    estimate = its - controls
    return Difference(
        estimate,
        estimate - sqrt((its - low) ** 2 + (controls_high - controls) ** 2),
        estimate + sqrt((high - its) ** 2 + (controls - controls_low) ** 2),
    )


def wilson(proportion: Proportion) -> tuple[float, float]:
    """The score interval of one proportion, without correction for continuity."""
    some, of = proportion
    centre = 2 * some + _Z**2
    half = _Z * sqrt(_Z**2 + 4 * some * (1 - some / of))
    return (centre - half) / (2 * (of + _Z**2)), (centre + half) / (2 * (of + _Z**2))


def _ratios(counts: Counts) -> Iterator[tuple[str, Proportion]]:
    """By the name of its gauge without ``retention_`` and ``_ratio``."""
    yield "customer_retention", Proportion(counts.retained, counts.start)
    yield "repeat_purchase", Proportion(counts.repeat, counts.active)
