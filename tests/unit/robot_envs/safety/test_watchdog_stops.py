"""What the watchdog does not pass on, and until when; a twin without the detector must fail."""

import numpy as np
import pytest

from steadyhand.robot_envs.safety.command_stream import HoldReason
from steadyhand.robot_envs.safety.freshness import Freshness
from tests.robot_kit import TOOL_DOWN
from tests.watchdog_kit import HOME, Cell, holds_after_silence, moved, started

BAD = {
    HoldReason.JUMP: (moved(0.07, 0, 0), {"max_jump_m": 1e6}),
    HoldReason.OUTSIDE_WORKSPACE: (moved(0.0, 0.0, -0.192), {"box_margin_m": 1e6, "max_jump_m": 1e6}),
    HoldReason.NON_FINITE_COMMAND: (moved(np.nan, 0, 0), None),
}


def latches(cell: Cell, bad: np.ndarray, reason: HoldReason) -> bool:
    cell.command(moved(0.02, 0, 0))
    cell.run(0.05)
    cell.pose = moved(0.005, 0, 0)
    cell.run(0.01)
    cell.command(bad)
    cell.run(0.01)
    if cell.watchdog.reason is not reason:
        return False
    cell.command(moved(0.02, 0, 0))  # a good one does not clear it
    held = cell.run(1.0)
    if not np.allclose(held, cell.pose, atol=1e-5):
        return False
    return cell.watchdog.reason is reason and cell.watchdog.counts == {reason: 1}


@pytest.mark.parametrize("reason", BAD)
def test_an_unfit_command_holds_at_once_and_until_a_person_rearms(reason):
    cell = started()
    assert latches(cell, BAD[reason][0], reason)
    assert cell.watchdog.rearm(cell.clock.now_ns()) is None
    assert cell.run(0.05) is None, "nothing is sent before a new command"
    cell.keep(moved(0.02, 0, 0), 0.3)
    assert cell.targets[-1] == pytest.approx(moved(0.02, 0, 0), abs=1e-4)


@pytest.mark.parametrize("reason", [reason for reason, (_, disabled) in BAD.items() if disabled])
def test_with_the_detector_off_the_unfit_command_would_pass(reason):
    bad, disabled = BAD[reason]
    assert not latches(started(**disabled), bad, reason)


def test_infinity_and_a_wrong_size_are_not_finite_commands_either():
    for bad in (moved(np.inf, 0, 0), HOME[:6], np.zeros(8)):
        cell = started()
        cell.command(bad)
        cell.run(0.01)
        assert cell.watchdog.reason is HoldReason.NON_FINITE_COMMAND


def test_a_tilted_target_leaves_the_workspace():
    cell = started(max_jump_rad=3.0)
    tilted = HOME.copy()
    tilted[3:] = [np.cos(0.25), np.sin(0.25), 0.0, 0.0]  # 0.5 rad; 0.4 are allowed
    cell.command(tilted)
    cell.run(0.01)
    assert cell.watchdog.reason is HoldReason.OUTSIDE_WORKSPACE


def test_rounding_at_the_wall_is_no_violation():
    cell = Cell()
    cell.pose = np.concatenate([[0.699, 0.0, 0.2], TOOL_DOWN])
    cell.run(0.01)
    cell.command(np.concatenate([[0.7 + 1e-9, 0.0, 0.2], TOOL_DOWN]))
    cell.run(0.05)
    assert cell.watchdog.reason is None


def test_a_command_in_another_frame_is_refused():
    cell = started()
    cell.watchdog.refuse(HoldReason.WRONG_FRAME)
    cell.run(0.01)
    assert cell.watchdog.reason is HoldReason.WRONG_FRAME


def test_a_silent_arm_keeps_the_last_target_and_latches():
    cell = started()
    cell.reports = False
    for _ in range(3):
        cell.command(moved(0.02, 0, 0))
        cell.run(0.1)
    assert cell.watchdog.reason is HoldReason.STATE_SILENT
    assert cell.targets[-1] == pytest.approx(moved(0.02, 0, 0), abs=1e-3)
    assert cell.watchdog.rearm(cell.clock.now_ns()) is HoldReason.STATE_SILENT
    cell.reports = True
    cell.run(0.01)
    assert cell.watchdog.reason is HoldReason.NO_COMMANDS
    assert cell.watchdog.rearm(cell.clock.now_ns()) is None


def test_an_arm_that_was_silent_while_nothing_moved_needs_nobody():
    cell = started()
    cell.reports = False
    cell.run(0.25)
    assert cell.watchdog.reason is HoldReason.STATE_SILENT
    cell.command(moved(0.02, 0, 0))
    assert cell.run(0.01) is None
    cell.reports = True
    cell.run(0.01)
    assert cell.watchdog.reason is HoldReason.NO_COMMANDS
    cell.command(moved(0.02, 0, 0))
    assert cell.run(0.1) is not None


def test_readings_that_are_not_finite_are_not_believed():
    cell = started()
    cell.pose = moved(np.nan, 0, 0)
    cell.run(0.25)
    assert cell.watchdog.reason is HoldReason.IMPLAUSIBLE_STATE
    cell.pose = HOME.copy()
    cell.run(0.05)
    assert cell.watchdog.reason is HoldReason.NO_COMMANDS, "nothing was moving, and several readings agree"


def test_one_wrong_reading_moves_nothing_and_a_run_of_them_stops_the_robot():
    cell = started()
    assert holds_after_silence(cell)
    held, right = cell.targets[-1], cell.pose
    cell.pose = moved(0.4, 0.3, 0.1)
    cell.run(0.01)
    cell.pose = right
    assert cell.run(0.5) == pytest.approx(held, abs=1e-6)
    cell.command(moved(0.02, 0, 0))
    cell.run(0.02)
    cell.pose = moved(0.4, 0.3, 0.1)
    cell.run(0.03)
    assert cell.watchdog.reason is HoldReason.IMPLAUSIBLE_STATE
    assert "m in" in cell.watchdog.implausible
    assert np.linalg.norm(cell.run(0.5)[:3] - right[:3]) < 0.01


@pytest.mark.parametrize("length", [0.0, 1e-3, 2.0])
def test_a_quaternion_that_is_none_is_not_believed(length):
    cell = started()
    cell.pose[3:] *= length
    cell.run(0.05)
    assert cell.watchdog.reason is HoldReason.IMPLAUSIBLE_STATE


def test_a_fault_sends_nothing_and_needs_the_robot_well_and_a_person():
    cell = Cell(fault=Freshness(None))
    cell.watchdog.robot_ok(True, cell.clock.now_ns())
    cell.run(0.01)
    cell.command(moved(0.02, 0, 0))
    cell.run(0.05)
    cell.watchdog.robot_ok(False, cell.clock.now_ns())
    assert cell.run(0.05) is None
    cell.command(moved(0.02, 0, 0))
    assert cell.run(0.05) is None
    assert cell.watchdog.rearm(cell.clock.now_ns()) is HoldReason.ROBOT_FAULT
    cell.watchdog.robot_ok(True, cell.clock.now_ns())
    cell.command(moved(0.02, 0, 0))
    assert cell.run(0.05) is None
    assert cell.watchdog.reason is HoldReason.ROBOT_FAULT
    assert cell.watchdog.rearm(cell.clock.now_ns()) is None
    cell.command(moved(0.02, 0, 0))
    assert cell.run(0.05) is not None


def test_a_fault_source_must_speak_before_anything_moves_and_go_on_speaking():
    cell = Cell(fault=Freshness(0.5))
    cell.run(0.01)
    cell.command(moved(0.02, 0, 0))
    assert cell.run(0.05) is None
    assert cell.watchdog.reason is HoldReason.NOT_HEARD_YET
    cell.watchdog.robot_ok(True, cell.clock.now_ns())
    cell.command(moved(0.02, 0, 0))
    assert cell.run(0.05) is not None
    cell.run(0.5)
    assert cell.watchdog.reason is HoldReason.FAULT_SOURCE_SILENT


def test_a_second_publisher_has_the_robot_to_itself_until_a_person_rearms():
    cell = started()
    cell.command(moved(0.02, 0, 0))
    cell.run(0.05)
    cell.watchdog.alone(False, cell.clock.now_ns())
    assert cell.run(0.05) is None
    cell.watchdog.alone(True, cell.clock.now_ns())
    cell.command(moved(0.02, 0, 0))
    assert cell.run(0.05) is None
    assert cell.watchdog.reason is HoldReason.SECOND_PUBLISHER


def test_the_gripper_is_held_with_the_arm():
    cell = started()
    now = cell.clock.now_ns()
    assert cell.watchdog.gripper(0.03, now) == 0.03
    assert cell.watchdog.gripper(np.nan, now) is None
    assert cell.watchdog.gripper(0.03, now) is None
    assert cell.watchdog.reason is not None


def test_a_fault_silences_whatever_was_latched_before():
    cell = Cell(fault=Freshness(None))
    cell.watchdog.robot_ok(True, cell.clock.now_ns())
    cell.run(0.01)
    cell.command(moved(0.02, 0, 0))
    cell.run(0.05)
    cell.command(moved(0.1, 0, 0))
    assert cell.run(0.01) is not None
    assert cell.watchdog.reason is HoldReason.JUMP
    cell.watchdog.robot_ok(False, cell.clock.now_ns())
    assert cell.run(0.05) is None


def test_a_person_who_rearms_after_wrong_readings_is_believed_at_once():
    cell = started()
    cell.command(moved(0.02, 0, 0))
    cell.run(0.05)
    cell.pose = moved(0.3, 0, 0)
    cell.run(0.5)
    assert cell.watchdog.reason is HoldReason.IMPLAUSIBLE_STATE
    assert cell.watchdog.rearm(cell.clock.now_ns()) is None
