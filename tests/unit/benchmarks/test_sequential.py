import numpy as np
import pytest

from benchmarks.sequential import fixed_pairs, goals_missed, independent, main, mcnemar, opposite, simulated, table


def test_mcnemar_is_the_sign_test_of_the_pairs_that_differ():
    assert mcnemar(0, 0) == 1.0
    assert mcnemar(6, 0) == pytest.approx(2 / 2**6)
    assert mcnemar(1, 7) == mcnemar(7, 1) == pytest.approx(2 * 9 / 2**8)


def test_the_drawn_pairs_have_their_rates_and_their_dependence():
    rng = np.random.default_rng(0)
    apart, against = (draw(rng, (400, 50)).reshape(-1, 2) for draw in (independent(0.8, 0.3), opposite(0.5)))
    assert apart.mean(axis=0) == pytest.approx([0.8, 0.3], abs=0.02)
    assert against.mean(axis=0) == pytest.approx([0.5, 0.5], abs=0.02)
    assert (against[:, 0] != against[:, 1]).all()


def test_rows_of_equal_and_of_different_policies():
    equal = simulated("equal", "equal", independent(0.5, 0.5), 100, 0)
    different = simulated("different", "0.9 and 0.5, independent", independent(0.9, 0.5), 100, 0)
    assert equal.false <= 0.05 < equal.peeking_false
    assert (different.right, different.false) == (1.0, 0.0)
    assert different.pairs < 40
    assert goals_missed([equal, different]) == []
    assert "| 0.9 and 0.5, independent | 0.0 % | 100.0 % |" in table([equal, different])


def test_a_bigger_difference_needs_fewer_fixed_pairs():
    assert fixed_pairs(0.45, 0.05) < fixed_pairs(0.3, 0.1)


def test_the_program_prints_its_table(capsys):
    assert main(["--comparisons", "20", "--no-write"]) in (0, 1)
    assert "opposite starts" in capsys.readouterr().out
