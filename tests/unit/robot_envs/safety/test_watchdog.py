"""What the watchdog passes on, and how it holds; a twin without the detector must fail."""

import numpy as np
import pytest

from steadyhand.robot_envs.safety.command_stream import HoldReason, angle_between
from tests.robot_kit import TOOL_DOWN, limits
from tests.watchdog_kit import HOME, SETTINGS, Cell, holds_after_silence, moved, started


def test_before_a_state_and_a_command_the_controller_is_left_alone():
    cell = Cell()
    cell.reports = False
    assert cell.run(0.05) is None
    assert cell.watchdog.reason is HoldReason.NOT_HEARD_YET
    cell.command(moved(0.01, 0, 0))
    assert cell.run(0.05) is None
    cell.reports = True
    assert cell.run(0.05) is None
    assert cell.watchdog.reason is HoldReason.NO_COMMANDS


def test_a_command_is_reached_without_overshoot_soon_after_one_period():
    cell = started()
    cell.keep(moved(0.02, 0, 0), 0.3)
    way = np.array([target[0] for target in cell.targets[1:]]) - HOME[0]
    assert (np.diff(way) >= -1e-9).all()
    assert way.max() <= 0.02 + 1e-4
    assert way[-1] == pytest.approx(0.02, abs=3e-4)
    assert cell.watchdog.reason is None


def test_the_next_command_goes_on_from_the_last_target():
    cell = started()
    cell.command(moved(0.02, 0, 0))
    before = cell.run(0.05)
    cell.command(moved(0.02, 0.02, 0))
    assert np.linalg.norm(cell.run(0.01)[:3] - before[:3]) < 0.0025


def test_a_reversed_command_turns_back_without_a_jump():
    cell = started()
    cell.keep(moved(0.05, 0, 0), 0.1)
    cell.keep(HOME, 0.3)
    way = np.array([target[0] for target in cell.targets[1:]])
    assert np.abs(np.diff(way)).max() < 0.0026
    assert way[-1] == pytest.approx(HOME[0], abs=1e-3)


def test_joints_go_back_without_a_jump():
    cell = started("joint")
    cell.command([0.2, *np.zeros(6)])
    cell.run(0.1)
    cell.keep(np.zeros(7), 0.5)
    way = np.array([target[0] for target in cell.targets[1:]])
    assert np.abs(np.diff(way)).max() < 0.011
    assert way[-1] == pytest.approx(0.0, abs=2e-3)


def test_orientation_takes_the_shortest_way():
    cell = started()
    turned = HOME.copy()
    turned[3:] = -np.array([np.cos(0.1), np.sin(0.1), 0.0, 0.0])
    cell.keep(turned, 0.4)
    assert abs(cell.targets[-1][3:] @ turned[3:]) == pytest.approx(1.0, abs=1e-6)
    angles = [angle_between(HOME[3:], target[3:]) for target in cell.targets[1:]]
    assert max(angles) < 0.21


def test_holds_the_measured_pose_when_commands_stop_and_goes_on_when_they_come_back():
    cell = started()
    assert holds_after_silence(cell)
    cell.keep(moved(0.023, 0, 0), 0.3)
    assert cell.targets[-1][:3] == pytest.approx(moved(0.023, 0, 0)[:3], abs=1e-4)
    assert cell.watchdog.counts == {HoldReason.NO_COMMANDS: 1}


def test_a_hold_takes_its_pose_once():
    cell = started()
    assert holds_after_silence(cell)
    held = cell.targets[-1]
    for _ in range(100):
        cell.pose = cell.targets[-1] - [0.0005, 0, 0, 0, 0, 0, 0]  # an arm with a steady error
        cell.run(0.1)
    assert cell.targets[-1] == pytest.approx(held, abs=1e-6)


def test_without_a_time_limit_the_silence_would_not_be_noticed():
    assert not holds_after_silence(started(command_timeout_s=1e6))


def test_commands_at_the_control_rate_are_never_taken_for_silence():
    cell = started()
    for step in range(50):
        cell.command(moved(0.001 * (step % 5), 0, 0))
        cell.run(0.1)
        assert cell.watchdog.reason is None


def test_an_arm_that_is_led_away_by_hand_does_not_spring_back():
    cell = started()
    assert holds_after_silence(cell)
    for y in np.arange(0.0, 0.05, 0.005):
        cell.pose = moved(0.013, y, 0)
        held = cell.run(0.01)
    assert held == pytest.approx(moved(0.013, 0, 0), abs=1e-5)
    for y in np.arange(0.05, 0.08, 0.005):
        cell.pose = moved(0.013, y, 0)
        cell.run(0.01)
    assert cell.run(1.0) == pytest.approx(cell.pose, abs=1e-5)
    assert np.abs(np.diff([target[1] for target in cell.targets[1:]])).max() < 0.0026


@pytest.mark.parametrize("seed", range(5))
def test_whatever_is_commanded_the_targets_stay_in_the_box_and_near_the_arm(seed):
    rng = np.random.default_rng(seed)
    cell = started()
    box = limits()
    for _ in range(300):
        step = rng.normal(0.0, 0.03, 3)
        command = np.concatenate([cell.pose[:3] + step, TOOL_DOWN])
        if rng.random() < 0.05:
            command[rng.integers(7)] = rng.choice([np.nan, np.inf, 9.0])
        if rng.random() < 0.9:
            cell.command(command)
        target = cell.run(float(rng.uniform(0.01, 0.3)))
        if target is not None:
            margin = SETTINGS.box_margin_m
            assert (target[:3] >= np.asarray(box.workspace_low_m) - margin).all()
            assert (target[:3] <= np.asarray(box.workspace_high_m) + margin).all()
            assert np.linalg.norm(target[:3] - cell.pose[:3]) <= SETTINGS.max_jump_m + 1e-9
            cell.pose = np.concatenate([np.clip(target[:3], box.workspace_low_m, box.workspace_high_m), TOOL_DOWN])
        if cell.watchdog.reason not in (None, HoldReason.NO_COMMANDS):
            cell.watchdog.rearm(cell.clock.now_ns())


def test_an_arm_that_is_led_out_of_the_box_does_not_spring_back():
    cell = started()
    assert holds_after_silence(cell)
    for x in np.arange(0.513, 0.9, 0.005):
        cell.pose = np.concatenate([[x, 0.0, 0.2], TOOL_DOWN])
        cell.run(0.02)
    assert np.linalg.norm(cell.run(0.5)[:3] - cell.pose[:3]) <= SETTINGS.max_jump_m
