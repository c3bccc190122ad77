import pytest

from steadyhand.report.figures import rolling


def test_a_rolling_rate_is_over_the_newest_rows_only():
    points = rolling(list(range(1, 11)), [1.0] * 5 + [0.0] * 5, window=5)
    assert points[0] == (5, 1.0)
    assert points[-1] == (10, 0.0)
    assert points[2] == (7, pytest.approx(0.6))


def test_a_share_weighs_episodes_by_their_steps():
    points = rolling([1, 2, 3, 4, 5], [10, 0, 0, 0, 0], window=5, wholes=[10, 30, 30, 20, 10])
    assert points == [(5, pytest.approx(0.1))]


def test_too_few_rows_say_nothing():
    assert rolling([1, 2], [1.0, 1.0], window=20) == []
