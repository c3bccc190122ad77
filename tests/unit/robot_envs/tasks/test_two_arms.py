"""The tasks for two arms: what counts as done, and what the other arm adds to it."""

from dataclasses import replace

import numpy as np
import pytest

from steadyhand.robot_envs.experts.expert import ActionScale
from steadyhand.robot_envs.experts.handover import HandoverExpert
from steadyhand.robot_envs.frames import pose
from steadyhand.robot_envs.make import make_demonstrator
from steadyhand.robot_envs.tasks.task import TOOL_DOWN, TOOL_DOWN_TURNED
from steadyhand.robot_envs.workpieces import NotedWorkpieces
from tests.config_kit import composed
from tests.robot_kit import make_robot_env, state


def handover(goal=(0.74, 0.0, 0.15), grasp_m=0.065):
    """Return the task, and a state in which the right arm alone holds the bar at its goal."""
    env = make_robot_env("task=handover", "task.settings.goal_range_m=[0,0,0]")
    env.reset(seed=0)
    bar, workpieces = np.array(goal), NotedWorkpieces()
    workpieces.place("bar", pose(bar))
    tools = np.array([pose([0.50, 0.0, 0.2], TOOL_DOWN), pose(bar + np.array([grasp_m, 0.0, 0.0]), TOOL_DOWN_TURNED)])
    return env._task, state(2, tcp_pose=tools, gripper_width=np.array([0.08, 0.03])), workpieces


def test_a_bar_at_its_goal_that_the_right_arm_alone_holds_is_given():
    task, held, workpieces = handover()
    assert task.evaluate(held, workpieces).success


@pytest.mark.parametrize(
    "widths",
    [[0.08, 0.08], [0.03, 0.03], [0.03, 0.08], [0.08, 0.0]],
    ids=["neither", "both", "left", "closed beside it"],
)
def test_it_is_not_given_otherwise(widths):
    task, held, workpieces = handover()
    assert not task.evaluate(replace(held, gripper_width=np.array(widths)), workpieces).success


def test_a_bar_elsewhere_is_not_given():
    task, held, workpieces = handover(goal=(0.70, 0.0, 0.15))
    outcome = task.evaluate(held, workpieces)
    assert not outcome.success
    assert outcome.progress == pytest.approx(0.04)


def run(act, task, seed=0):
    """Run an episode of the expert, whose actions (2, n) `act` may change; return whether it succeeded."""
    env, expert_seed = make_robot_env(f"task={task}"), 1
    expert = make_demonstrator(composed(f"task={task}"), env, expert_seed)
    observation, info = env.reset(seed=seed)
    expert.reset(info)
    ended = False
    while not ended:
        action = act(expert.act(observation, info, None).reshape(2, -1)).ravel()
        observation, _, terminated, truncated, info = env.step(action)
        ended = terminated or truncated
    return info["success"]


def without_arm(arm):
    def act(action):
        action[arm, :6] = 0.0
        return action

    return act


@pytest.mark.parametrize(("task", "arm"), [("handover", 0), ("handover", 1), ("bimanual_insert", 1)])
def test_neither_arm_does_it_alone(task, arm):
    assert not run(without_arm(arm), task)
    assert run(lambda action: action, task)


def insertion(sunk_m=0.0):
    """Return the task, and a state with the peg in the socket, both lower by `sunk_m`."""
    env = make_robot_env("task=bimanual_insert", "task.settings.hold_range_m=[0,0,0]")
    env.reset(seed=0)
    left, mouth = np.array([0.49, 0.0, 0.20 - sunk_m]), np.array([0.49 + 0.16, 0.0, 0.21 - sunk_m])
    right = mouth + np.array([0.0, 0.0, 0.03 - 0.019])
    return env._task, state(2, tcp_pose=np.array([pose(left, TOOL_DOWN), pose(right, TOOL_DOWN_TURNED)]))


def test_a_peg_in_a_socket_in_its_place_is_inserted():
    task, done = insertion()
    outcome = task.evaluate(done, NotedWorkpieces())
    assert outcome.success
    assert outcome.progress == pytest.approx(0.001)


def test_an_arm_that_gave_way_has_not_held_the_socket():
    task, sunk = insertion(sunk_m=0.01)
    outcome = task.evaluate(sunk, NotedWorkpieces())
    assert not outcome.success
    assert outcome.progress == pytest.approx(0.005)


@pytest.mark.parametrize("arm", [0, 1])
def test_both_tools_have_to_be_slow(arm):
    task, done = insertion()
    twist = np.zeros((2, 6))
    twist[arm, 0] = 0.1
    assert not task.evaluate(replace(done, tcp_twist=twist), NotedWorkpieces()).success


def test_the_left_arm_does_not_let_go_for_a_gripper_that_closed_beside_the_bar():
    expert = HandoverExpert(ActionScale(0.015, 0.05))
    truth = {
        "grasps": np.array([[0.0, 0.0, 0.0], [0.0, 0.0, 0.015]]),
        "meeting": np.zeros(3),
        "goal": np.array([0.1, 0.0, 0.0]),
        "bar_side": 0.03,
        "tcp_pose": np.array([pose([0.5, 0.0, 0.2], TOOL_DOWN), pose([0.7, 0.0, 0.2], TOOL_DOWN_TURNED)]),
    }
    for width, gripper in ((0.0, -1.0), (0.03, 1.0)):
        expert.reset({})
        for _ in range(5):
            action = expert.act({}, {"truth": truth | {"widths": np.array([0.03, width])}})
        assert action[6] == gripper
