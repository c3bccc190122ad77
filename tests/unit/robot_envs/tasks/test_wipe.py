"""The rules of wiping: the window of the force, the marks that are left, and the failure."""

import numpy as np
import pytest

from steadyhand.robot_envs import frames
from steadyhand.robot_envs.tasks.task import TOOL_DOWN
from steadyhand.robot_envs.tasks.wipe import Wipe, WipeSettings
from steadyhand.robot_envs.workpieces import NotedWorkpieces
from steadyhand.runtime.build import ConfigError, build
from tests.config_kit import composed
from tests.robot_kit import make_robot_env, state

FLAT = ("task.settings.board_tilt_rad=0.0", "task.settings.line_turn_rad=0.0", "task.settings.height_error_m=0.0")


class Board:
    """An episode on a flat board, with the marks along the base's y axis."""

    def __init__(self, *words):
        settings = composed("task=wipe", *FLAT, *words)["task"]["settings"]
        self.task = Wipe(build(WipeSettings, settings, "task.settings"))
        self.workpieces = NotedWorkpieces()
        for name, at in self.task.begin(np.random.default_rng(0)).placements.items():
            self.workpieces.place(name, at)
        marks = [self.workpieces.pose_of(f"mark_{index}")[:3] for index in range(8)]
        self.marks = np.array(sorted(marks, key=lambda at: at[1]))

    def state(self, mark, force_n):
        """Return the state with the pad on a mark."""
        tool = frames.pose(self.marks[mark] + [0.0, 0.0, 0.04], TOOL_DOWN)[None]
        return state(tcp_pose=tool, wrench=np.array([[0.0, 0.0, -force_n, 0.0, 0.0, 0.0]]))

    def press(self, mark, force_n):
        return self.task.evaluate(self.state(mark, force_n), self.workpieces)

    def left_m(self):
        return float(self.task.observe(self.state(0, 0.0), self.workpieces)["left"][0])


@pytest.mark.parametrize(("force_n", "wipes"), [(0.0, False), (3.9, False), (4.1, True), (8.9, True), (9.1, False)])
def test_a_pad_wipes_with_a_force_within_the_window(force_n, wipes):
    board = Board()
    board.press(3, force_n)
    assert board.left_m() == pytest.approx(0.096 - 0.012 * wipes)


def test_a_pad_above_the_board_wipes_nothing():
    board = Board()
    high = board.state(3, 7.0)
    high.tcp_pose[0, 2] += 0.013
    board.task.evaluate(high, board.workpieces)
    assert board.left_m() == pytest.approx(0.096)


def test_success_is_a_line_without_marks():
    board = Board()
    outcomes = [board.press(mark, 7.0) for mark in range(8)]
    assert [outcome.success for outcome in outcomes] == [False] * 7 + [True]
    assert outcomes[-1].reward == 1.0
    assert outcomes[-1].progress == 0.0
    assert board.left_m() == 0.0


def test_the_observation_points_at_the_marks_that_are_left_and_wiped_ones_are_gone():
    board = Board()
    for mark in (0, 1, 6, 7, 4):
        board.press(mark, 7.0)
    seen = board.task.observe(board.state(2, 0.0), board.workpieces)
    # The tool's frame is turned about x: its y axis points along the base's -y.
    ends = sorted([-float(seen["first"][1]), -float(seen["last"][1])])
    assert ends == pytest.approx([0.0, 0.036], abs=1e-6)
    heights = [board.workpieces.pose_of(f"mark_{index}")[2] for index in range(8)]
    assert sum(height < 0.0 for height in heights) == 5


def test_a_force_above_the_limit_ends_the_episode_as_a_failure():
    board = Board()
    outcome = board.press(3, 15.1)
    assert outcome.failure
    assert not outcome.success
    assert outcome.terms == {"wiped": 0.0, "pressed_too_hard": 1.0}
    assert not board.press(3, 14.9).failure


def test_pressing_with_all_force_terminates_without_reward_and_without_a_stop():
    env = make_robot_env("task=wipe")
    env.reset(seed=0)
    down = np.array([0.0, 0.0, 1.0, 0.0, 0.0, 0.0], np.float32)
    ended = False
    while not ended:
        _, reward, terminated, truncated, info = env.step(down)
        ended = terminated or truncated
    assert terminated
    assert not truncated
    assert reward == 0.0
    assert info["failed"]
    assert info["reward_terms"]["pressed_too_hard"] == 1.0
    assert env.stop_reason is None
    env.reset(seed=1)  # without a person's resume
    env.close()


def test_the_estimate_of_the_height_is_wrong_and_its_truth_is_for_the_expert():
    env = make_robot_env("task=wipe")
    errors = []
    for seed in range(10):
        observation, info = env.reset(seed=seed)
        errors.append(float(observation["first"][2] - info["truth"]["first"][2]))
    assert max(map(abs, errors)) <= 0.0031
    assert np.std(errors) > 0.001
    env.close()


def test_a_window_beyond_the_limit_is_one_line():
    with pytest.raises(ConfigError, match=r"max_force_n: expected at least 9, the window's end, found 5"):
        Board("task.settings.max_force_n=5")
