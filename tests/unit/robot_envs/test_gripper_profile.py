from dataclasses import replace

import pytest

from steadyhand.robot_envs.gripper_profile import GripperPoint, GripperProfile
from steadyhand.runtime.build import build
from tests.config_kit import composed

GRIPPERS = ["mock_hand", "franka_hand", "crisp_hand", "robotiq_2f85"]


def load_gripper(name: str, **changes) -> GripperProfile:
    return replace(build(GripperProfile, composed(f"gripper={name}")["gripper"], "gripper"), **changes)


@pytest.mark.parametrize("name", GRIPPERS)
def test_two_points_describe_a_gripper_both_ways(name):
    gripper = load_gripper(name)
    for end in (gripper.open, gripper.closed):
        assert gripper.opening_at(end.position) == end.opening_m
        assert gripper.position_at(end.opening_m) == end.position
        assert gripper.command_for(end.opening_m) == end.command
        assert gripper.commanded_opening(end.command) == end.opening_m
    middle = (gripper.open.opening_m + gripper.closed.opening_m) / 2
    assert gripper.opening_at(gripper.position_at(middle)) == pytest.approx(middle)
    assert gripper.commanded_opening(gripper.command_for(middle)) == pytest.approx(middle)


def test_the_robotiq_is_open_at_0_and_the_franka_hand_reports_one_finger():
    robotiq, franka, crisp = load_gripper("robotiq_2f85"), load_gripper("franka_hand"), load_gripper("crisp_hand")
    assert robotiq.command_for(0.085) == 0.0
    assert robotiq.command_for(0.0) == 0.8
    assert franka.opening_at(0.02) == pytest.approx(0.04)
    assert franka.command_for(0.04) == pytest.approx(0.04), "move and grasp take the whole width"
    assert crisp.command_for(0.041) > 0.5 > crisp.command_for(0.039), "the adapter opens above 0.5"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"open": GripperPoint(0.0, 1.0, 1.0)}, "closed.opening_m < open.opening_m"),
        ({"closed": GripperPoint(-0.01, 0.0, 0.0)}, "0 <= closed.opening_m"),
        ({"open": GripperPoint(0.08, 0.0, 1.0)}, "another position"),
        ({"open": GripperPoint(0.08, 1.0, 0.0)}, "another command"),
        ({"max_effort": 5.0}, "expected null"),
        ({"kind": "franka"}, "max_effort: expected a number above 0 for franka, found None"),
        ({"kind": "gripper_command", "max_effort": 0.0}, "max_effort: expected a number above 0 for gripper_command"),
    ],
)
def test_a_gripper_that_cannot_be_is_refused(changes, reason):
    with pytest.raises(ValueError, match=reason):
        load_gripper("crisp_hand", **changes)
