import pytest

from steadyhand.robot_envs.hardware import find_robot
from steadyhand.runtime.build import ConfigError
from steadyhand.runtime.config import compose


def settings(*overrides):
    return find_robot(compose(["task=reach", "robot=franka_fci", *overrides])["robot"]).settings


def test_the_limits_are_those_of_the_cell():
    found = settings("safety.max_tcp_speed_m_s=0.1", "task.drive.control_period_s=0.05")
    assert found.limits.max_tcp_speed_m_s == 0.1
    assert found.limits.joints.low_rad == settings().limits.joints.low_rad
    assert found.watchdog.command_period_s == 0.05


@pytest.mark.parametrize(
    ("override", "line"),
    [
        ("robot.host=' '", "host: expected a host name or an address"),
        ("robot.collision.reflex_wrench=[1.0,2.0]", "reflex_wrench: expected a list of 6"),
        ("robot.tool_in_nominal=[0,0,0,0,0,0,2]", "tool_in_nominal: expected a unit quaternion xyzw at its end"),
        ("robot.impedance.compliance.stiffness_n_m=0", "stiffness_n_m.*: expected a number above 0"),
        ("robot.load.mass_kg=-1", "mass_kg: expected at least 0"),
        ("robot.realtime=maybe", "realtime"),
    ],
)
def test_a_wrong_setting_is_named(override, line):
    with pytest.raises(ConfigError, match=line):
        settings(override)
