"""The mock's controller without ROS."""

import numpy as np
import pytest

from actor_ros.mock_cell import MockNodeConfig, make_cell
from steadyhand.robot_envs.frames import pose
from steadyhand.runtime.build import ConfigError
from steadyhand.runtime.config import compose

MS = 1_000_000


@pytest.fixture
def cell():
    config = compose(["robot=mock_ros", "task=peg_insert", "robot.world.pace=lockstep"])
    return make_cell(config)


def target_of(cell, *by: float) -> np.ndarray:
    found = cell.robot.world.tcp_pose()
    found[:3] += by
    return found


def run(cell, seconds: float) -> np.ndarray:
    cell.advance(cell.robot.world.clock.now_ns() + round(seconds * 1e9))
    return cell.robot.world.tcp_pose()[:3]


def test_follows_a_target_in_its_base_frame(cell):
    wanted = target_of(cell, 0.01, 0.0, -0.01)
    cell.target(wanted, "base", "base", publishers=1)
    assert run(cell, 1.0) == pytest.approx(wanted[:3], abs=2e-3)
    assert cell.followed == 1


@pytest.mark.parametrize(
    ("frame", "publishers", "reason", "x"),
    [("base", 2, "second_publisher", 0.01), ("tool", 1, "wrong_frame", 0.01), ("base", 1, "non_finite", np.nan)],
)
def test_ignores_a_target_without_an_error_as_a_real_controller_does(cell, frame, publishers, reason, x):
    before = run(cell, 0.5)
    cell.target(target_of(cell, x, 0.0, 0.0), frame, "base", publishers)
    assert run(cell, 0.5) == pytest.approx(before, abs=1e-3)
    assert cell.ignored == {reason: 1}


def test_after_a_fault_nothing_is_followed_until_both_steps_are_taken_in_order(cell):
    cell.fail()
    before = run(cell, 0.2)
    cell.target(target_of(cell, 0.02, 0.0, 0.0), "base", "base", 1)
    cell.gripper(0.05)
    assert run(cell, 0.5) == pytest.approx(before, abs=1e-3)
    assert cell.robot.world.gripper_width() < 0.01
    assert cell.recover("activate_controller") == "expected error_recovery first"
    assert cell.recover("error_recovery") == ""
    assert not cell.is_well
    assert cell.recover("activate_controller") == ""
    assert cell.is_well
    # It starts from where the arm is, not from the target that came meanwhile.
    assert run(cell, 0.5) == pytest.approx(before, abs=1e-3)


def test_an_episode_begins_where_the_arm_is_with_the_noise_of_its_seed(cell):
    cell.target(target_of(cell, 0.02, 0.0, -0.02), "base", "base", 1)
    away = run(cell, 0.5)
    readings = []
    for _ in range(2):
        cell.begin(11)
        readings.append(cell.read().tcp_pose)
    assert readings[0][0, :3] == pytest.approx(away, abs=1e-3)
    assert (readings[0] == readings[1]).all()


def test_workpieces_are_placed_and_unknown_ones_counted(cell):
    hole = pose([0.52, 0.01, 0.1])
    cell.place({"hole": hole, "ghost": hole})
    run(cell, 0.01)
    assert cell.robot.pose_of("hole") == pytest.approx(hole)
    cell.place({"hole": np.full(7, np.nan)})
    run(cell, 0.01)
    assert cell.robot.pose_of("hole") == pytest.approx(hole)
    assert cell.ignored == {"unknown_workpiece": 2}


@pytest.mark.parametrize(
    ("overrides", "reason"), [(["robot=crisp_fr3"], "expects mock_ros"), (["robot=mock_ros", "task=gym"], "for an arm")]
)
def test_a_configuration_without_a_mock_is_one_line(overrides, reason):
    config = compose([*overrides, *(["task.entry_point=a:B"] if "task=gym" in overrides else [])])
    with pytest.raises(ConfigError, match=reason):
        make_cell(config)


def test_rates_are_checked():
    with pytest.raises(ValueError, match="image_rate_hz: expected a rate up to 1000 Hz, found 0"):
        MockNodeConfig(200.0, 50.0, 0.0)
