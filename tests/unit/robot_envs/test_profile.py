from dataclasses import replace

import pytest

from steadyhand.robot_envs.gripper_profile import GripperProfile
from steadyhand.robot_envs.profile import FaultSource, GainSets, RosRobotConfig
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


def gripper(name: str) -> GripperProfile:
    return build(GripperProfile, composed(f"gripper={name}")["gripper"], "gripper")


def test_a_profile_takes_the_gripper_that_is_chosen():
    assert load("ur_fzi").gripper is None
    assert load("ur_fzi", "gripper=robotiq_2f85").gripper == gripper("robotiq_2f85")
    assert load("crisp_fr3").gripper == gripper("crisp_hand")
    assert load("crisp_fr3", "gripper=franka_hand").gripper == gripper("franka_hand")
    assert load("crisp_fr3", "gripper=none").gripper is None
