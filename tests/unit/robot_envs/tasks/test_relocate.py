"""The relocation both ways: the direction follows from where the cube lies, and nothing is placed between episodes."""

from itertools import pairwise

import numpy as np
import pytest

from steadyhand.robot_envs.frames import pose
from steadyhand.robot_envs.make import make_demonstrator
from steadyhand.robot_envs.tasks.relocate import Relocate, RelocateSettings
from steadyhand.robot_envs.workpieces import NotedWorkpieces
from steadyhand.runtime.build import build
from tests.config_kit import composed
from tests.robot_kit import make_robot_env, state

A, B, BETWEEN, LOST = (0.5, -0.13, 0.02), (0.5, 0.13, 0.02), (0.5, 0.0, 0.02), (0.9, 0.0, 0.02)
OPEN, CLOSED = 0.08, 0.04
TO_A, TO_B = 0, 1


def relocate(*words):
    return Relocate(build(RelocateSettings, composed("task=relocate", *words)["task"]["settings"], "task.settings"))


def end_at(task, place, width=OPEN):
    """Let an episode end with the cube at a place; return its outcome."""
    workpieces = NotedWorkpieces()
    workpieces.place("cube", pose(place))
    return task.evaluate(state(gripper_width=np.array([width])), workpieces)


def direction(task):
    """Return the bin to which the episode goes that begins now, and whether the cube was placed for it."""
    task.begin(np.random.default_rng(0))
    return task._goal, task._placed_anew


@pytest.mark.parametrize(("place", "goal"), [(A, TO_B), (B, TO_A)])
def test_the_next_episode_begins_where_the_cube_lies_and_goes_to_the_other_bin(place, goal):
    task = relocate()
    end_at(task, place)
    plan = task.begin(np.random.default_rng(0))
    assert (task._goal, task._placed_anew) == (goal, False)
    np.testing.assert_allclose(plan.placements["cube"][:3], place)


def test_a_cube_that_was_dropped_on_the_way_keeps_its_goal():
    task = relocate()
    end_at(task, A)
    assert direction(task) == (TO_B, False)
    end_at(task, BETWEEN)
    assert direction(task) == (TO_B, False)


def test_only_a_lost_cube_is_placed():
    task = relocate()
    assert direction(task)[1]  # nobody knows yet where it lies
    end_at(task, LOST)
    plan = task.begin(np.random.default_rng(0))
    assert task._placed_anew
    assert min(abs(plan.placements["cube"][1] - place[1]) for place in (A, B)) < 1e-9


def test_without_carrying_on_every_episode_is_placed():
    task = relocate("task.settings.carry_on=false")
    end_at(task, A)
    assert direction(task)[1]


def test_each_direction_has_its_own_reward():
    task = relocate()
    end_at(task, A)
    direction(task)
    for place, width, success in ((B, OPEN, True), (B, CLOSED, False), (A, OPEN, False)):
        outcome = end_at(task, place, width)
        assert (outcome.success, outcome.terms["to_b"], outcome.terms["to_a"]) == (success, float(success), 0.0)
    end_at(task, B)
    assert direction(task)[0] == TO_A
    outcome = end_at(task, A)
    assert (outcome.terms["to_a"], outcome.terms["to_b"], outcome.terms["placed_anew"]) == (1.0, 0.0, 0.0)


@pytest.mark.slow
def test_the_expert_carries_the_cube_to_and_fro_without_a_reset():
    env = make_robot_env("task=relocate")
    expert = make_demonstrator(composed("task=relocate"), env, seed=7)
    goals, placed = [], []
    for seed in range(6):
        observation, info = env.reset(seed=seed)
        before = env._task._cube.copy()
        expert.reset(info)
        goals.append(env._task._goal)
        placed.append(env._task._placed_anew)
        terminated = truncated = False
        while not (terminated or truncated):
            observation, _, terminated, truncated, info = env.step(expert.act(observation, info, None))
        assert terminated
        assert np.linalg.norm(env._task._cube[:2] - before[:2]) > 0.2
    assert placed == [True, False, False, False, False, False]
    assert all(one != other for one, other in pairwise(goals))
