import numpy as np
import pytest

from steadyhand.robot_envs import frames
from tests.gap_kit import BALL, make_arm
from tests.robot_kit import TOOL_DOWN, make_robot_env

PEG = {"kind": "square_peg", "side_m": 0.02, "length_m": 0.03}
AT = frames.pose([0.5, 0.0, 0.3], TOOL_DOWN)
PLACE = frames.pose([0.5, 0.0, 0.1])


def test_without_a_gap_both_stages_agree():
    arm = make_arm(goal=BALL)
    arm.place("goal", PLACE)
    arm.world.settle(0.01)
    assert np.array_equal(arm.seen.pose_of("goal"), arm.pose_of("goal"))


def test_a_person_sees_workpieces_relative_to_the_true_tool():
    choice = ("gap.hidden.workspace_m=[0.003,0.003,0]", "gap.hidden.tool_m=0.002", "gap.hidden.tool_rad=0.01")
    arm = make_arm(*choice, tool=PEG, goal=BALL)
    arm.world.set_configuration(AT, 0.02)
    arm.place("goal", PLACE)
    arm.world.settle(0.01)
    tcp, truth = arm.world.tcp_pose(), arm.world.hidden_truth
    truly = frames.pose_relative(frames.pose_compose(tcp, truth.tool), arm.world.pose_of("goal"))
    assert frames.pose_relative(tcp, arm.seen.pose_of("goal")) == pytest.approx(truly, abs=1e-9)
    assert np.linalg.norm((arm.seen.pose_of("goal") - arm.pose_of("goal"))[:3]) > 1e-3


def test_an_observation_has_the_nominal_place_and_the_expert_the_true_one():
    choice = ("task=peg_insert", "task.settings.estimate_error_m=0")
    for moved_m, low, high in ((0.0, 0.0, 1e-6), (0.005, 1e-3, 0.01)):
        env = make_robot_env(*choice, f"gap.hidden.workspace_m=[{moved_m},{moved_m},0]")
        observation, info = env.reset(seed=0)
        apart = np.linalg.norm(info["truth"]["hole"][:3] - observation["hole_estimate"][:3])
        assert low <= apart <= high
        env.close()
