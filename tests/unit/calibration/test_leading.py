import numpy as np
import pytest

from steadyhand.calibration.cell import Cell, MotionSettings
from steadyhand.calibration.leading import Leader
from steadyhand.robot_envs.devices.device import HumanInput, no_reading
from steadyhand.robot_envs.devices.operator import DeviceOperator
from steadyhand.robot_envs.safety.limits import SafetyLimits
from steadyhand.runtime.build import build
from steadyhand.runtime.config import compose
from tests.cell_kit import DOWN, mock_hardware
from tests.config_kit import composed

MOTION = build(MotionSettings, compose(["+calibrate=motion"])["calibrate"]["motion"], "motion")
REST, LOST = HumanInput(np.zeros(1, bool), np.zeros((1, 6)), np.zeros(1), (), 0.0, True), no_reading()


def push(*twist: float) -> HumanInput:
    return HumanInput(np.ones(1, bool), np.array([twist], float), np.zeros(1), (), 0.01, False)


class Hand:
    """A device with the readings of a test."""

    def __init__(self):
        self.reading = REST

    def poll(self):
        return self.reading

    def close(self):
        pass


@pytest.fixture
def lead():
    cell = Cell(
        mock_hardware("task=reach"), build(SafetyLimits, composed("task=reach")["safety"], "safety"), 0.1, MOTION
    )
    cell.open()
    cell.move_to_start(np.concatenate([[0.5, 0.0, 0.2], DOWN]), 0.02)
    hand = Hand()
    leader = Leader(cell, DeviceOperator(hand, False, 0.15), 0.01, 0.05)
    leader.begin()
    yield cell, hand, leader
    cell.close()


def steps(leader, n=10):
    for _ in range(n):
        leader.step()


def test_a_push_moves_the_tool_in_its_own_frame_and_a_release_stops_it(lead):
    cell, hand, leader = lead
    steps(leader, 2)
    hand.reading = push(0, 1, 0, 0, 0, 0)
    steps(leader)
    assert cell.pose[1] < -0.03  # the tool points down: its y is the base's minus y
    hand.reading = REST
    steps(leader)
    before = cell.pose.copy()
    steps(leader, 20)
    assert np.linalg.norm(cell.pose[:3] - before[:3]) < 0.001


def test_a_device_that_is_pushed_before_it_was_at_rest_moves_nothing(lead):
    cell, hand, leader = lead
    hand.reading = push(0, 1, 0, 0, 0, 0)
    before = cell.pose.copy()
    steps(leader)
    assert np.linalg.norm(cell.pose[:3] - before[:3]) < 0.002


def test_a_lost_device_stops_the_arm(lead):
    cell, hand, leader = lead
    steps(leader, 2)
    hand.reading = push(0, 1, 0, 0, 0, 0)
    steps(leader)
    hand.reading = LOST
    steps(leader, 5)
    before = cell.pose.copy()
    steps(leader)
    assert np.linalg.norm(cell.pose[:3] - before[:3]) < 0.001
