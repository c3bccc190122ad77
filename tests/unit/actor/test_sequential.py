import math
from fractions import Fraction
from itertools import product

import numpy as np
import pytest

from steadyhand.actor.sequential import PairedTest, confidence_sequence, e_value


def by_integration(wins, losses, points=200_000):
    q = np.linspace(0.5, 1.0, points)
    return float(np.trapezoid(2.0 ** (wins + losses) * 2.0 * q**wins * (1 - q) ** losses, q))


@pytest.mark.parametrize(("wins", "losses"), [(0, 0), (1, 0), (0, 1), (3, 2), (12, 1), (1, 12), (20, 20)])
def test_the_closed_form_is_the_integral(wins, losses):
    assert e_value(wins, losses) == pytest.approx(by_integration(wins, losses), rel=1e-6)


@pytest.mark.parametrize("length", range(1, 9))
def test_its_mean_over_fair_pairs_is_one_at_every_length(length):
    """Exactly: the sum over all sequences of the mean capital under a fair coin, in rational numbers."""
    total = Fraction(0)
    for sequence in product((0, 1), repeat=length):
        w = sum(sequence)
        n = length
        value = Fraction(sum(math.comb(n + 1, j) for j in range(w + 1)), (n + 1) * math.comb(n, w))
        assert float(value) == pytest.approx(e_value(w, n - w))
        total += value * Fraction(1, 2**n)
    assert total == 1


def test_it_never_expects_more_while_the_side_is_not_better():
    for wins, losses, q in product(range(6), range(6), (0.0, 0.2, 0.5)):
        expected = q * e_value(wins + 1, losses) + (1 - q) * e_value(wins, losses + 1)
        assert expected <= e_value(wins, losses) + 1e-12


def test_large_counts_do_not_overflow():
    assert e_value(3000, 0) == math.inf
    assert 0.0 < e_value(1500, 1500) < 1.0


def test_a_verdict_needs_eight_clear_pairs_at_five_percent():
    test = PairedTest(0.05)
    for pair in range(8):
        assert (test.verdict, test.pairs) == ("", pair)
        test = test.after(False, True)
    assert (test.verdict, test.second_alone, test.first_alone) == ("second", 8, 0)
    assert test.e_second >= test.threshold == 40.0


def test_equal_results_tell_nothing():
    test = PairedTest(0.05).after(True, True).after(False, False)
    assert (test.pairs, test.e_first, test.e_second) == (2, 1.0, 1.0)


def test_a_verdict_out_of_reach_is_known():
    assert not PairedTest(0.05).reachable(7)
    assert PairedTest(0.05).reachable(8)
    assert not PairedTest(0.05, 20, 10, 10).reachable(5)


def test_a_confidence_sequence_holds_at_every_number_of_trials_at_once():
    rng, missed, rate = np.random.default_rng(0), 0, 0.8
    for _ in range(200):
        wins = np.cumsum(rng.random(60) < rate)
        intervals = [confidence_sequence(int(won), n + 1) for n, won in enumerate(wins)]
        missed += any(not low <= rate <= high for low, high in intervals)
    assert missed <= 0.05 * 200
    assert confidence_sequence(0, 0) == (0.0, 1.0)
    low, high = confidence_sequence(20, 20)
    assert (low, high) == (pytest.approx(0.74, abs=0.01), 1.0)


@pytest.mark.parametrize("call", [lambda: e_value(-1, 0), lambda: confidence_sequence(3, 2), lambda: PairedTest(0.0)])
def test_impossible_counts_are_refused(call):
    with pytest.raises(ValueError, match="expected"):
        call()
