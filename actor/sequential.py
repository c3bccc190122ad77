"""A sequential test of two policies on the same starts that may be looked at after every pair of episodes.

A pair is one episode of each policy from the same start. With X_i in {-1, 0, 1}, the success of the first policy minus
that of the second, the capital of a bettor against "the first policy is not better" is

    K_n = prod_i (1 + lambda X_i),    0 <= lambda <= 1

(the capital process of Waudby-Smith and Ramdas, arXiv 2010.09686, section 4, for (X_i + 1) / 2 and mean 1/2). Its
expectation never rises while the first policy is not better, for every dependence within a pair. With
q = (1 + lambda) / 2, and averaged over q uniform on [1/2, 1], it depends on the wins w and losses l alone:

    E(w, l) = 2^n * 2 * integral_{1/2}^{1} q^w (1 - q)^l dq = sum_{j <= w} C(n + 1, j) / ((n + 1) C(n, w)),    n = w + l

An average of such capitals is again one (the method of mixtures, Robbins 1970). By Ville's inequality it ever reaches
1 / alpha with a probability of at most alpha. The other direction is the same with w and l exchanged.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from steadyhand.runtime.ranges import expect

__all__ = ["PairedTest", "Verdict", "confidence_sequence", "e_value"]

Verdict = Literal["first", "second", ""]
BISECTIONS = 60


@lru_cache(maxsize=65536)
def e_value(wins: int, losses: int) -> float:
    """Return the evidence E(wins, losses) that the side with the wins is better; 1 without pairs.

    Args:
        wins: Pairs in which this side alone succeeded.
        losses: Pairs in which the other side alone succeeded.
    """
    if wins < 0 or losses < 0:
        raise ValueError(f"e_value: expected counts of at least 0, found {wins} and {losses}")
    n = wins + losses
    term = total = 1  # C(n + 1, 0)
    for j in range(1, wins + 1):
        term = term * (n + 2 - j) // j
        total += term
    try:
        return total / ((n + 1) * math.comb(n, wins))
    except OverflowError:
        return math.inf


@dataclass(frozen=True)
class PairedTest:
    """Counts of the pairs so far, and the verdict that they allow.

    Each direction has half of `alpha`. So the probability of a verdict, ever, is at most `alpha` where the policies are
    equal, and that of the wrong verdict at most `alpha / 2` where they are not.

    Attributes:
        alpha: Largest probability of a false verdict.
        pairs: Pairs so far.
        first_alone: Pairs in which only the first policy succeeded.
        second_alone: Pairs in which only the second policy succeeded.
    """

    alpha: float
    pairs: int = 0
    first_alone: int = 0
    second_alone: int = 0

    def __post_init__(self) -> None:
        expect(0.0 < self.alpha < 1.0, "alpha", "a number within (0, 1)", self.alpha)

    def after(self, first: bool, second: bool) -> PairedTest:
        """Return the test with one more pair.

        Args:
            first: Whether the first policy succeeded.
            second: Whether the second policy succeeded.
        """
        return PairedTest(
            self.alpha,
            self.pairs + 1,
            self.first_alone + (first and not second),
            self.second_alone + (second and not first),
        )

    @property
    def e_first(self) -> float:
        """Evidence that the first policy is better."""
        return e_value(self.first_alone, self.second_alone)

    @property
    def e_second(self) -> float:
        """Evidence that the second policy is better."""
        return e_value(self.second_alone, self.first_alone)

    @property
    def threshold(self) -> float:
        """Evidence that a verdict needs."""
        return 2.0 / self.alpha

    @property
    def verdict(self) -> Verdict:
        """The better policy; "" while the pairs do not tell."""
        if self.e_first >= self.threshold:
            return "first"
        return "second" if self.e_second >= self.threshold else ""

    def reachable(self, more: int) -> bool:
        """Return whether `more` pairs could still bring a verdict."""
        best = e_value(self.first_alone + more, self.second_alone), e_value(self.second_alone + more, self.first_alone)
        return max(best) >= self.threshold


def confidence_sequence(successes: int, trials: int, alpha: float = 0.05) -> tuple[float, float]:
    """Return an interval of a success rate that holds at every number of trials at once; (0, 1) without trials.

    It contains the rates p whose likelihood ratio against a uniform mixture,
    B(s + 1, f + 1) / (p^s (1 - p)^f) with s successes and f failures, stays below 1 / alpha (Robbins 1970; Ville's
    inequality). A Wilson interval would be too narrow for a number of trials that depends on the results.
    """
    if not 0 <= successes <= trials:
        raise ValueError(f"successes: expected 0 to {trials} trials, found {successes}")
    if trials == 0:
        return 0.0, 1.0
    failures, rate = trials - successes, successes / trials
    mixture = math.lgamma(successes + 1) + math.lgamma(failures + 1) - math.lgamma(trials + 2)
    level = mixture + math.log(alpha)

    def is_inside(p: float) -> bool:
        return _log_power(p, successes) + _log_power(1.0 - p, failures) > level

    return _edge(is_inside, rate, 0.0), _edge(is_inside, rate, 1.0)


def _log_power(base: float, exponent: int) -> float:
    if exponent == 0:
        return 0.0
    return exponent * math.log(base) if base > 0.0 else -math.inf


def _edge(is_inside: Callable[[float], bool], inside: float, end: float) -> float:
    """Return the place between `inside` and `end` at which the interval ends."""
    if is_inside(end):
        return end
    outside = end
    for _ in range(BISECTIONS):
        middle = (inside + outside) / 2.0
        inside, outside = (middle, outside) if is_inside(middle) else (inside, middle)
    return outside
