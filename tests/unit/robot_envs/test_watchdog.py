"""The watchdog against a fake clock. `Cell` plays the arm and the actor; a twin without the detector must fail."""

from dataclasses import replace

import numpy as np
import pytest

from robot_envs.safety.command_stream import HoldReason, JointStream, PoseStream, TwistStream, angle_between
from robot_envs.safety.freshness import Freshness
from robot_envs.safety.joint_limits import JointLimits
from robot_envs.safety.watchdog import Watchdog
from robot_envs.safety.watchdog_settings import WatchdogSettings
from runtime.clock import FakeClock
from tests.robot_kit import TOOL_DOWN, limits

SETTINGS = WatchdogSettings(
    controller_rate_hz=100.0,
    command_period_s=0.1,
    command_timeout_s=0.18,
    state_timeout_s=0.2,
    max_jump_m=0.06,
    max_jump_rad=0.3,
    box_margin_m=0.001,
    tilt_margin_rad=0.02,
)
HOME = np.concatenate([[0.5, 0.0, 0.2], TOOL_DOWN])
TICK_NS = 10_000_000
STREAMS = {
    "pose": lambda settings: PoseStream(settings, limits()),
    "twist": lambda settings: TwistStream(settings, limits()),
    "joint": lambda settings: JointStream(settings, limits(), JOINTS),
}
JOINTS = JointLimits((-3.0,) * 7, (3.0,) * 7, 0.05, (), 1.0, 10.0, 200.0)


def moved(*by: float) -> np.ndarray:
    pose = HOME.copy()
    pose[:3] += by
    return pose


class Cell:
    """One arm that reports its pose at every tick."""

    def __init__(self, mode: str = "pose", fault: Freshness | None = None, **settings) -> None:
        self.settings = replace(SETTINGS, **settings)
        self.clock = FakeClock(5_000_000_000)
        self.watchdog = Watchdog(STREAMS[mode](self.settings), self.settings, limits().plausible, fault)
        self.pose, self.joints = HOME.copy(), np.zeros(7)
        self.reports = True
        self.targets: list[np.ndarray | None] = []

    def run(self, seconds: float) -> np.ndarray | None:
        for _ in range(round(seconds * 1e9 / TICK_NS)):
            self.clock.advance_ns(TICK_NS)
            if self.reports:
                self.watchdog.measured(self.pose, self.joints, self.clock.now_ns())
            self.targets.append(self.watchdog.tick(self.clock.now_ns()))
        return self.targets[-1]

    def keep(self, command, seconds: float) -> None:
        for _ in range(round(seconds / 0.1)):
            self.command(command)
            self.run(0.1)

    def command(self, command) -> None:
        self.watchdog.command(np.asarray(command, np.float64), self.clock.now_ns())


def started(mode: str = "pose", **settings) -> Cell:
    cell = Cell(mode, **settings)
    cell.run(0.01)
    return cell


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


def holds_after_silence(cell: Cell) -> bool:
    cell.command(moved(0.02, 0, 0))
    cell.run(0.1)
    cell.pose = moved(0.013, 0, 0)
    cell.run(1.0)
    return bool(np.allclose(cell.targets[-1], cell.pose, atol=1e-5)) and cell.watchdog.reason is HoldReason.NO_COMMANDS


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
    cell.run(0.01)
    assert cell.watchdog.reason is HoldReason.NO_COMMANDS, "nothing was moving"


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
