from dataclasses import replace

import pytest

from steadyhand.robot_envs.profile import FaultSource, GainSets, GripperPoint, GripperProfile, RosRobotConfig
from steadyhand.robot_envs.safety.watchdog_settings import WatchdogSettings
from steadyhand.runtime.build import ConfigError, build
from tests.config_kit import composed

NAMES = ["mock_ros", "crisp_fr3", "crisp_ur", "fzi_cartesian", "ur_fzi", "ur_servo", "xarm_servo"]


def load(name: str, *overrides: str):
    robot = composed(f"robot={name}", *overrides)["robot"]
    return build(RosRobotConfig, {key: robot[key] for key in ("kind", "profile")}, "robot").profile


@pytest.mark.parametrize("name", NAMES)
def test_every_profile_is_sound(name):
    profile = load(name)
    settings = profile.watchdog
    # Two control periods, with what the way to the robot takes.
    assert settings.command_timeout_s < 2 * settings.command_period_s
    assert profile.base_frame
    assert profile.tool_frame


@pytest.mark.parametrize("name", NAMES)
def test_the_watchdog_lets_pass_what_the_gate_lets_pass(name):
    profile, safety = load(name), composed(f"robot={name}")["safety"]
    period_s = profile.watchdog.command_period_s
    assert profile.watchdog.max_jump_m > safety["max_tcp_speed_m_s"] * period_s
    assert profile.watchdog.max_jump_rad > safety["max_tcp_angular_speed_rad_s"] * period_s


def test_only_the_franka_reports_the_opposite_wrench():
    assert {name: load(name).wrench.sign for name in NAMES} == dict.fromkeys(NAMES, 1) | {"crisp_fr3": -1}


def test_only_servo_on_a_ur_has_its_pose_in_another_frame_than_its_commands():
    turned = {name: profile.frames.pose_in_base for name in NAMES if (profile := load(name)).frames.pose_in_base}
    assert list(turned) == ["ur_servo"]
    assert turned["ur_servo"].quat == (0.0, 0.0, 1.0, 0.0)


def test_servo_gets_commands_faster_than_it_times_out():
    profile = load("ur_servo")
    assert profile.command_mode == "twist"
    assert profile.watchdog.controller_rate_hz >= 50
    with pytest.raises(ConfigError, match="two commands within"):
        load("ur_servo", "robot.profile.watchdog.controller_rate_hz=10")


@pytest.mark.parametrize(
    ("override", "reason"),
    [
        ("robot.profile.command_mode=torque", "command_mode"),
        ("robot.profile.joints=[a,a]", "different names"),
        ("robot.profile.wrench.sign=0", "sign"),
        ("robot.profile.watchdog.max_jump_m=0", "above 0"),
        ("robot.profile.watchdog.command_timeout_s=0.1", "more than command_period_s"),
        ("robot.profile.fault.max_age_s=null", "a number for any other"),
        ("robot.profile.frames.twist=null", "frames.twist: expected a frame for topics.twist"),
        ("robot.profile.topics.wrench=null", "frames.wrench: expected a frame for topics.wrench and null without"),
    ],
)
def test_a_wrong_value_is_one_line(override, reason):
    with pytest.raises(ConfigError, match=reason):
        load("mock_ros", override)


def test_a_latched_fault_topic_has_no_age():
    with pytest.raises(ValueError, match="null for a latched"):
        FaultSource("bool", "ok", latched=True, max_age_s=1.0)


def test_both_sets_of_gains_name_the_same_parameters():
    with pytest.raises(ValueError, match="same parameters"):
        GainSets("controller", {"k": 1.0}, {"d": 1.0})


def test_settings_of_the_watchdog_are_checked():
    settings = WatchdogSettings(100.0, 0.1, 0.18, 0.2, 0.06, 0.3, 0.001, 0.02)
    with pytest.raises(ValueError, match="controller_rate_hz: expected a number above 0"):
        replace(settings, controller_rate_hz=0.0)


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


def test_a_profile_takes_the_gripper_that_is_chosen():
    assert load("ur_fzi").gripper is None
    assert load("ur_fzi", "gripper=robotiq_2f85").gripper == load_gripper("robotiq_2f85")
    assert load("crisp_fr3").gripper == load_gripper("crisp_hand")
    assert load("crisp_fr3", "gripper=franka_hand").gripper == load_gripper("franka_hand")
    assert load("crisp_fr3", "gripper=none").gripper is None


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
