import math

import numpy as np
import pytest

from steadyhand.data.coverage import BINS, coverage

GRID = np.array([[x, y] for x in range(BINS) for y in range(BINS)], float)


def test_tq_is_the_mean_return_between_the_references_worst_and_best():
    assert coverage([0.0, 1.0, 1.0, 1.0], GRID, None).tq == 0.75
    assert coverage([5.0], GRID, ([0.0, 10.0], GRID)).tq == 0.5
    assert math.isnan(coverage([1.0, 1.0], GRID, None).tq)


def test_saco_counts_different_pairs():
    assert coverage([0.0], GRID, None).saco == 1.0
    assert coverage([0.0], np.repeat(GRID, 4, axis=0), None).saco == 0.25
    assert coverage([0.0], GRID[:25], ([0.0], GRID)).saco == 0.25
    assert coverage([0.0], np.repeat(GRID, 4, axis=0), ([0.0], GRID)).saco == 1.0


def test_pairs_within_one_bin_are_one():
    assert coverage([0.0], np.array([[0.0], [0.01], [0.02], [1.0]]), None).saco == 0.5


def test_what_is_not_finite_or_of_another_size_is_left_out():
    spoilt = np.vstack([GRID, [[np.nan, 0.0]]])
    assert coverage([0.0], spoilt, None).saco == pytest.approx(1.0)
    assert math.isnan(coverage([0.0], GRID, ([0.0], np.zeros((3, 5)))).saco)
    assert math.isnan(coverage([], np.zeros((0, 0)), None).saco)
