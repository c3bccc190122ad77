from dataclasses import replace

import numpy as np
import pytest

from steadyhand.calibration.cell import Cell, CellStopError, MotionSettings, cautious_limits, slowed
from steadyhand.robot_envs.safety.limits import SafetyLimits
from steadyhand.robot_envs.safety.stop_reason import StopReason
from steadyhand.runtime.build import build
from steadyhand.runtime.calibration_file import CalibrationError
from steadyhand.runtime.config import compose
from tests.cell_kit import DOWN, Around, around, mock_hardware, turned
from tests.config_kit import composed
from tests.robot_kit import limits

MOTION = build(MotionSettings, compose(["+calibrate=motion"])["calibrate"]["motion"], "motion")
PLACE = np.concatenate([[0.5, 0.05, 0.2], DOWN])


def shipped_limits() -> SafetyLimits:
    return build(SafetyLimits, composed("task=reach")["safety"], "safety")


@pytest.fixture
def cell():
    found = Cell(
        around(mock_hardware("task=reach"), lambda state: state), slowed(shipped_limits(), MOTION), 0.1, MOTION
    )
    found.open()
    found.move_to_start(np.concatenate([[0.5, 0.0, 0.2], DOWN]), 0.02)
    yield found
    found.close()


def test_it_arrives_slowly_and_rests(cell):
    state = cell.move_to(PLACE)
    assert np.linalg.norm(state.tcp_pose[0, :3] - PLACE[:3]) < 0.005
    assert cell.is_at_rest
    speed = np.linalg.norm(np.diff([command.tcp_pose[0, :3] for command in cell.robot.commands], axis=0), axis=1) / 0.1
    assert speed.max() <= MOTION.max_speed_m_s + 1e-9


def test_a_pose_outside_is_refused_and_nothing_is_sent(cell):
    for pose in (np.concatenate([[0.5, 0.05, 0.9], DOWN]), np.concatenate([PLACE[:3], turned([[0.6, 0, 0]])[0]])):
        with pytest.raises(CalibrationError, match="expected one inside the workspace"):
            cell.move_to(pose)
    assert cell.robot.commands == []


def test_an_arm_that_does_not_arrive_is_held_and_refused(cell):
    stuck = cell.pose.copy()
    cell.robot._read = lambda state: replace(state, tcp_pose=stuck[None], tcp_twist=np.zeros((1, 6)))
    with pytest.raises(CalibrationError, match="is something in its way"):
        cell.move_to(PLACE)


def test_a_stop_holds_and_the_next_command_is_refused(cell):
    cell.stop(StopReason.PERSON_STOP)
    with pytest.raises(CellStopError, match=r"stopped \(person_stop\): the arm holds"):
        cell.step(PLACE)
    assert cell.robot.commands == []
    cell.resume()
    cell.step(PLACE)
    assert len(cell.robot.commands) == 1


def test_a_force_stops_the_motion(cell):
    cell.robot._read = lambda state: replace(state, wrench=np.array([[150.0, 0, 0, 0, 0, 0]]))
    with pytest.raises(CellStopError, match="force_limit"):
        cell.move_to(PLACE)


def test_cautious_limits_keep_the_tool_near_its_place_and_its_orientation():
    found = cautious_limits(limits(), PLACE, (0.1, 0.2, 0.05), 0.3)
    assert found.region.excess(PLACE[:3].tolist(), DOWN.tolist())[0] == pytest.approx(-0.05)
    assert found.region.excess([0.61, 0.05, 0.2], DOWN.tolist())[0] == pytest.approx(0.01)
    assert found.region.excess(PLACE[:3].tolist(), turned([[0.4, 0, 0]])[0].tolist())[1] == pytest.approx(0.1)
    assert found.max_force_n == limits().max_force_n


def test_an_arm_outside_its_workspace_is_not_moved(cell):
    cell.check_inside()
    cell.limit(replace(cell.limits, workspace_low_m=(0.55, -0.3, 0.0)))
    with pytest.raises(CalibrationError, match="move it there by hand, or run `steadyhand calibrate workspace`"):
        cell.check_inside()


def test_two_arms_are_refused():
    hardware = mock_hardware("task=reach")
    pair = Around(hardware.robot, lambda state: state)
    pair.n_arms = 2
    with pytest.raises(CalibrationError, match="expected one arm, found 2"):
        Cell(replace(hardware, robot=pair), shipped_limits(), 0.1, MOTION).open()


def test_closing_holds_where_the_arm_is(cell):
    cell.step(PLACE)
    world = cell.robot.world
    targets = []
    set_target = world.arms[0].set_target
    world.arms[0].set_target = lambda pose: targets.append(pose) or set_target(pose)
    cell.close()
    assert cell.robot.closed == 1
    assert np.allclose(targets[-1], world.tcp_pose())


class Allowance:
    """A permission that a test gives and withdraws."""

    def __init__(self) -> None:
        self.given, self.objection, self.stop, self.waits = False, "", None, 0

    def open(self, stop):
        self.stop = stop

    def wait(self):
        self.waits += 1
        self.given = True

    def request(self):
        self.given = not self.objection
        return self.objection

    def close(self):
        self.given, self.stop = False, None


@pytest.fixture
def permitted():
    allowance = Allowance()
    hardware = replace(around(mock_hardware("task=reach"), lambda state: state), permission=allowance)
    found = Cell(hardware, slowed(shipped_limits(), MOTION), 0.1, MOTION)
    found.open()
    yield found, allowance
    found.close()


def test_without_its_permission_nothing_is_sent(permitted):
    cell, _ = permitted
    with pytest.raises(CellStopError, match=r"stopped \(not_enabled\)"):
        cell.step(PLACE)
    assert cell.robot.commands == []


def test_a_permission_that_is_withdrawn_holds(permitted):
    cell, allowance = permitted
    cell.await_permission()
    cell.move_to_start(np.concatenate([[0.5, 0.0, 0.2], DOWN]), 0.02)
    cell.step(PLACE)
    cell.await_permission()
    assert allowance.waits == 1
    allowance.given = False
    with pytest.raises(CellStopError, match=r"stopped \(not_enabled\)"):
        cell.step(PLACE)
    assert len(cell.robot.commands) == 1


def test_the_persons_key_asks_for_the_permission_again(permitted):
    cell, allowance = permitted
    allowance.objection = "the robot had a fault; call actor/recover first"
    with pytest.raises(CellStopError, match="motion is not enabled: the robot had a fault"):
        cell.resume()
    allowance.objection = ""
    cell.resume()
    cell.step(cell.pose)
    assert len(cell.robot.commands) == 1


def test_a_closed_cell_takes_no_requests(permitted):
    cell, allowance = permitted
    assert allowance.stop is not None
    cell.close()
    assert allowance.stop is None


def test_an_arm_that_is_only_read_takes_no_requests_and_gets_no_command():
    allowance = Allowance()
    hardware = replace(around(mock_hardware("task=reach"), lambda state: state), permission=allowance)
    cell = Cell(hardware, shipped_limits(), 0.1, MOTION, only_reads=True)
    cell.open()
    assert allowance.stop is None
    cell.wait(0.1)
    cell.close()
    assert cell.robot.commands == []
    assert cell.robot.closed == 0, "closing holds"
