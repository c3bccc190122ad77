import numpy as np
import pytest
from scipy import stats

from steadyhand.report.aggregate import iqm, probability_of_improvement, resampled, stratified_interval


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 8, 13])
def test_the_interquartile_mean_is_scipys_trimmed_mean(n):
    scores = np.random.default_rng(n).normal(size=n)
    assert iqm(scores) == pytest.approx(stats.trim_mean(scores, 0.25))


def test_samples_stay_within_their_task():
    first, second = np.arange(3.0), np.arange(100.0, 105.0)
    drawn = resampled([first, second], np.random.default_rng(0), 50)
    assert drawn.shape == (50, 8)
    assert drawn[:, :3].max() <= 2.0
    assert drawn[:, 3:].min() >= 100.0


def test_the_interval_is_that_of_scipys_bootstrap():
    scores = np.random.default_rng(1).uniform(size=12)
    low, high = stratified_interval([scores], lambda drawn: iqm(drawn, axis=1), np.random.default_rng(0))
    statistic = lambda drawn, axis: stats.trim_mean(drawn, 0.25, axis=axis)  # noqa: E731
    other = stats.bootstrap((scores,), statistic, method="percentile", rng=0).confidence_interval
    assert (low, high) == pytest.approx((other.low, other.high), abs=0.02)


def test_the_interval_covers_the_mean_of_gaussian_scores():
    rng, hits = np.random.default_rng(2), 0
    for _ in range(200):
        low, high = stratified_interval([rng.normal(size=10), rng.normal(size=10)], lambda x: iqm(x, axis=1), rng)
        hits += low <= 0.0 <= high
    assert hits >= 0.88 * 200


def test_the_probability_of_improvement_is_the_mann_whitney_statistic():
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=7), rng.normal(size=5) - 0.5
    point, (low, high) = probability_of_improvement([x], [y], rng)
    assert point == pytest.approx(stats.mannwhitneyu(x, y).statistic / (len(x) * len(y)))
    assert low <= point <= high
    assert probability_of_improvement([np.ones(3)], [np.ones(2)], rng) == (0.5, (0.5, 0.5))
