import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steadyhand.actor.statistics import wilson_interval


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    # Values of R's binom::binom.wilson.
    [
        (10, 20, 0.2993, 0.7007),
        (20, 20, 0.8389, 1.0),
        (0, 20, 0.0, 0.1611),
        (45, 50, 0.7864, 0.9565),
        (1, 1, 0.2065, 1.0),
    ],
)
def test_known_values(successes, trials, low, high):
    assert wilson_interval(successes, trials) == pytest.approx((low, high), abs=5e-4)


def test_without_trials_nothing_is_known():
    assert wilson_interval(0, 0) == (0.0, 1.0)


@given(st.integers(1, 10_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_interval_holds_the_rate_and_mirrors(case):
    successes, trials = case
    low, high = wilson_interval(successes, trials)
    assert 0.0 <= low <= successes / trials <= high <= 1.0
    assert low < high
    mirrored = wilson_interval(trials - successes, trials)
    assert math.isclose(low, 1.0 - mirrored[1], abs_tol=1e-12)


def test_it_narrows_with_more_trials():
    widths = [high - low for low, high in (wilson_interval(n // 2, n) for n in (10, 100, 1000))]
    assert widths == sorted(widths, reverse=True)


def test_more_successes_than_trials_are_refused():
    with pytest.raises(ValueError, match="expected 0 to 3"):
        wilson_interval(4, 3)
