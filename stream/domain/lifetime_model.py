"""How likely customers are to buy again: the BG/NBD model and its modification MBG/NBD.

A customer buys at random, with a rate of their own (Gamma distributed: shape r, rate alpha), and
after a purchase is gone for good, with a chance of their own (Beta distributed: a, b). In the
BG/NBD they cannot be gone after the first purchase; in the MBG/NBD they can, so that it says
something of customers without a repeat order too.

Sources:
    P. S. Fader, B. G. S. Hardie, K. L. Lee: "Counting Your Customers" the Easy Way: An
    Alternative to the Pareto/NBD Model. Marketing Science 24 (2005), 275-284. Equation 6 is the
    likelihood, equation 10 the conditional expectation; P(alive) is in the same authors' note
    "Computing P(alive) Using the BG/NBD Model" (2008).
    E. P. Batislam, M. Denizel, A. Filiztekin: Empirical Validation and Comparison of Models for
    Customer Base Analysis. International Journal of Research in Marketing 24 (2007), 201-209:
    the same three for the MBG/NBD.

With x repeat orders and c the number of chances to be gone that were survived if the customer is
still there (x for the BG/NBD, x + 1 for the MBG/NBD), both models are one:

    L = Γ(r+x) alpha^r / Γ(r) · B(a, b+c) / B(a, b)
        · ((alpha+T)^-(r+x) + δ · a / (b+c-1) · (alpha+t_x)^-(r+x)),    δ = 1 if c > 0, else 0
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.special import betaln, gammaln, hyp2f1

from stream.domain.arrays import F64, Bools

#: The formula of the expectation divides by a - 1; this close to 1 it loses as many digits as
#: stepping aside does.
_AROUND_ONE = 1e-6


@dataclass(frozen=True, slots=True)
class Histories:
    """Customers grouped by what the model knows of them; columns of one length.

    Times may be in any unit, as long as it is one. Days on which a customer bought several times
    should count once: the model knows no two purchases at one instant.
    """

    #: Repeat orders, the first one not among them.
    frequency: F64
    #: Time from the first order to the last; 0 without a repeat order.
    recency: F64
    #: Time from the first order to now.
    age: F64
    #: Customers with these three.
    customers: F64

    @classmethod
    def grouped(cls, frequency: F64, recency: F64, age: F64) -> Self:
        """Customers one by one, those with the same history counted together."""
        rows = np.stack([frequency, recency, age], axis=1).astype(np.float64)
        unique, counts = np.unique(rows, axis=0, return_counts=True)
        return cls(unique[:, 0], unique[:, 1], unique[:, 2], counts.astype(np.float64))


@dataclass(frozen=True, slots=True)
class LifetimeModel:
    """A model with its parameters, all of them above 0."""

    r: float
    #: In the unit of the histories' times.
    alpha: float
    a: float
    b: float
    #: Whether a customer may be gone right after the first order: the MBG/NBD.
    modified: bool = False

    def log_likelihood(self, histories: Histories) -> float:
        """The logarithm of the chance of just these histories."""
        x = histories.frequency
        shape = self.r + x
        survived = self.survived(x)
        alive, dead = self.log_terms(x, histories.recency, histories.age)
        each = (
            gammaln(shape)
            - gammaln(self.r)
            + self.r * np.log(self.alpha)
            + betaln(self.a, self.b + survived)
            - betaln(self.a, self.b)
            + np.logaddexp(alive, dead)
        )
        return float(histories.customers @ each)

    def probability_alive(self, frequency: F64, recency: F64, age: F64) -> F64:
        """The chance, per customer, not to be gone yet; 1 without a repeat order in the BG/NBD."""
        alive, dead = self.log_terms(frequency, recency, age)
        result: F64 = np.exp(alive - np.logaddexp(alive, dead))
        return result

    def expected_orders(self, horizon: float, frequency: F64, recency: F64, age: F64) -> F64:
        """Orders expected, per customer, within ``horizon`` from now.

        A new customer, whose first order is now, has frequency, recency and age 0.
        """
        a = self.a if abs(self.a - 1) > _AROUND_ONE else 1 + _AROUND_ONE
        all_chances = a + self.b + self.survived(frequency) - 1
        until = self.alpha + age + horizon
        # Euler's transformation of the papers' 2F1(r+x, b+c; a+b+c-1; z), which overflows for
        # customers with hundreds of orders.
        series = hyp2f1(a + self.b - 1 - self.r + self._first, a - 1, all_chances, horizon / until)
        gone: F64 = 1 - ((self.alpha + age) / until) ** (a - 1) * series
        chance = self.probability_alive(frequency, recency, age)
        result: F64 = all_chances / (a - 1) * gone * chance
        return result

    @property
    def _first(self) -> int:
        return 1 if self.modified else 0

    def survived(self, frequency: F64) -> F64:
        """The chances to be gone that a customer who is still there has survived."""
        return frequency + self._first

    def log_terms(self, frequency: F64, recency: F64, age: F64) -> tuple[F64, F64]:
        """Logarithms of the likelihood's terms for being there still and for being gone."""
        shape = self.r + frequency
        chances = self.survived(frequency)
        could_be_gone: Bools = chances > 0
        odds = self.a / np.where(could_be_gone, self.b + chances - 1, 1.0)
        alive: F64 = -shape * np.log(self.alpha + age)
        dead: F64 = np.where(
            could_be_gone, np.log(odds) - shape * np.log(self.alpha + recency), -np.inf
        )
        return alive, dead
