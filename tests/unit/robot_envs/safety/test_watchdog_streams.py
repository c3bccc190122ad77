"""Commands as velocities and as joint positions."""

import numpy as np
import pytest

from steadyhand.robot_envs.safety.command_stream import HoldReason
from tests.robot_kit import TOOL_DOWN, limits
from tests.watchdog_kit import Cell, started


def test_a_velocity_is_repeated_and_stopped_when_commands_stop():
    cell = started("twist")
    cell.command([0.1, 0, 0, 0, 0, 0])
    cell.run(0.17)
    speeds = np.array([target[0] for target in cell.targets[1:]])
    assert speeds.max() <= 0.1 + limits().max_tcp_jerk_m_s3 * 0.01**2 / 8 + 1e-9
    assert np.diff(speeds).max() <= limits().max_tcp_acceleration_m_s2 * 0.01 + 1e-9
    assert speeds[-1] == pytest.approx(0.1, abs=1e-6)
    assert cell.run(0.2) == pytest.approx(np.zeros(6), abs=1e-6)
    assert cell.watchdog.reason is HoldReason.NO_COMMANDS


def test_a_velocity_stops_when_nobody_knows_where_the_arm_is():
    cell = started("twist")
    cell.reports = False
    for _ in range(3):
        cell.command([0.1, 0, 0, 0, 0, 0])
        cell.run(0.1)
    assert cell.watchdog.reason is HoldReason.STATE_SILENT
    assert cell.run(0.1) == pytest.approx(np.zeros(6), abs=1e-6)


@pytest.mark.parametrize("velocity", [[0.7, 0, 0, 0, 0, 0], [0, 0, 0, 0, 3.1, 0]])
def test_too_fast_a_velocity_is_a_jump(velocity):
    cell = started("twist")
    cell.command(velocity)
    assert cell.run(0.01) is None
    assert cell.watchdog.reason is HoldReason.JUMP


def test_a_velocity_may_lead_back_into_the_workspace_but_not_further_out():
    cell = Cell("twist")
    cell.pose = np.concatenate([[0.702, 0.0, 0.2], TOOL_DOWN])
    cell.run(0.01)
    cell.command([0.1, 0, 0, 0, 0, 0])
    cell.run(0.01)
    assert cell.watchdog.reason is HoldReason.OUTSIDE_WORKSPACE
    cell.watchdog.rearm(cell.clock.now_ns())
    cell.command([-0.1, 0, 0, 0, 0, 0])
    assert cell.run(0.17) == pytest.approx([-0.1, 0, 0, 0, 0, 0], abs=1e-6)


def test_a_velocity_towards_the_wall_slows_down_before_it():
    cell = started("twist")
    cell.pose = np.concatenate([[0.69, 0.0, 0.2], TOOL_DOWN])
    cell.watchdog.rearm(cell.clock.now_ns())
    for _ in range(20):
        cell.command([0.25, 0.05, 0, 0, 0, 0])
        for _ in range(10):
            velocity = cell.run(0.01)
            cell.pose[:3] += velocity[:3] * 0.01
    assert cell.watchdog.reason is None
    assert 0.695 < cell.pose[0] <= 0.7 + 1e-6
    assert cell.pose[1] == pytest.approx(0.1, abs=0.02), "along the wall it goes on"


def test_a_turn_may_lead_back_from_a_tilt_but_not_further():
    cell = started("twist")
    cell.pose[3:] = [np.cos(0.23), np.sin(0.23), 0.0, 0.0]  # 0.46 rad about the base's z; 0.4 are allowed
    cell.run(0.01)
    cell.command([0, 0, 0, 0, 0, -0.5])
    assert cell.run(0.01) is not None
    cell.command([0, 0, 0, 0, 0, 0.5])
    cell.run(0.01)
    assert cell.watchdog.reason is HoldReason.OUTSIDE_WORKSPACE


def test_joints_are_interpolated_and_a_jump_of_one_is_seen():
    cell = started("joint")
    cell.command([0.1, 0, 0, 0, 0, 0, 0])
    assert 0.0 < cell.run(0.05)[0] < 0.05
    cell.joints[0] = 0.05
    cell.command([0.1, 0, 0, 0, 0, 0, 0.31])
    cell.run(0.01)
    assert cell.watchdog.reason is HoldReason.JUMP
    assert cell.run(1.0) == pytest.approx(cell.joints, abs=1e-5)
