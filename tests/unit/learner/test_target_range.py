import numpy as np
import pytest

from steadyhand.learner.algos.algorithm import find_algorithm
from steadyhand.learner.target_range import RewardSteps, fits_rewards, same_meaning
from steadyhand.runtime.config import compose


def steps(*episodes, gamma=0.97, ended=True):
    """Episodes as lists of rewards; `ended`: the last step of each ends the task, else time ran out."""
    reward = np.concatenate([np.asarray(episode, np.float64) for episode in episodes])
    discount, follows = np.full(len(reward), gamma), np.ones(len(reward), np.bool_)
    for end in np.cumsum([len(episode) for episode in episodes]) - 1:
        follows[end] = False
        discount[end] = 0.0 if ended else gamma
    return RewardSteps(reward, discount, follows)


def algo(*overrides):
    return find_algorithm(compose(["task=reach", *overrides])["algo"]).settings


FITS = {
    "sparse and terminal": steps([0, 0, 0, 1], [0, 1]),
    "sparse, the episode goes on": steps([0, 0, 0] + [1] * 20, ended=False),
    "sparse, lost again": steps([0, 1, 1, 0, 0, 1, 1], ended=False),
    "no success": steps([0, 0, 0], ended=False),
    "a small cost of each step": steps([-0.02] * 10 + [1.0]),
    "a partial reward": steps([0, 0, 0.5]),
}
FLATTENED = {
    "-1 a step and 0 at the goal, which goes on": steps([-1] * 8 + [0] * 40, ended=False),
    "-1 a step and 0 at the goal, which ends it": steps([-1] * 8 + [0]),
    "the same, nearly": steps([-0.9] * 8 + [0], [-0.9] * 3 + [0]),
    "ten at the goal": steps([0, 0, 0, 10]),
    "a cost and a large reward": steps([-1] * 8 + [100]),
    "dense": steps(np.linspace(0.0, 0.9, 30), ended=False),
    "one a step until it falls": steps([1] * 30),
    "half for the grasp, one for the goal": steps([0, 0.5, 0.5, 1, 1, 1], ended=False),
}


@pytest.mark.parametrize("name", FITS)
def test_rewards_that_the_default_range_keeps_apart_fit(name):
    assert fits_rewards(algo("algo=rlpd"), FITS[name]) == ""


@pytest.mark.parametrize("name", FLATTENED)
def test_rewards_that_the_default_range_makes_equal_are_named(name):
    line = fits_rewards(algo("algo=rlpd"), FLATTENED[name])
    assert line.startswith("algo.target_clip=[0,1]: expected the range of returns that the rewards, from ")
    assert "\n" not in line


@pytest.mark.slow
@pytest.mark.parametrize("name", [*FITS, *FLATTENED])
def test_the_range_that_the_line_gives_fits_and_so_does_none(name):
    every = FITS | FLATTENED
    line = fits_rewards(algo("algo=rlpd"), every[name])
    if line:
        given = line.partition("give ")[2].partition(",")[0] + "," + line.partition("give ")[2].split(",")[1]
        assert fits_rewards(algo("algo=rlpd", given.strip()), every[name]) == ""
    assert fits_rewards(algo("algo=rlpd", "algo.target_clip=null"), every[name]) == ""
    assert fits_rewards(algo("algo=sac"), every[name]) == ""


def test_fetch_is_told_its_range():
    line = fits_rewards(algo("algo=rlpd"), FLATTENED["-1 a step and 0 at the goal, which goes on"])
    assert "from -1 to 0" in line
    assert "give algo.target_clip=[-33.4,0], or switch it off with algo.target_clip=null" in line


def test_the_range_of_a_classification_head_counts_too():
    line = fits_rewards(
        algo("algo=rlpd", "algo.target_clip=null", "algo.critic_head=hl_gauss"), FLATTENED["ten at the goal"]
    )
    assert line.startswith("algo.value_range=[0,1]: ")
    assert "null" not in line


def test_sparse_rewards_mean_the_same_when_one_has_the_others_values():
    zero_one, minus = steps([0, 0, 1]), steps([-1, -1, 0])
    assert same_meaning(zero_one, steps([1]))
    assert same_meaning(steps([0, 0]), zero_one)
    assert not same_meaning(zero_one, minus)
    assert not same_meaning(minus, steps([1]))
    assert same_meaning(minus, steps([0.1, 0.2, 0.3]))  # of a dense one nothing is said
