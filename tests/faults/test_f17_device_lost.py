"""F17: the input device is lost in the middle of a correction. The robot stands still; the policy is not given it."""

import numpy as np
import pytest

from steadyhand.robot_envs.devices.axes_device import AxesDevice
from steadyhand.robot_envs.devices.handle import Handle
from steadyhand.robot_envs.devices.mapping import MappingConfig
from steadyhand.robot_envs.devices.operator import DeviceOperator
from steadyhand.runtime.build import build
from steadyhand.runtime.config import compose
from tests.fault_kit import Practice, StubPolicy

AT = 6  # the step in which the device is lost
POLICY = [0, 0.5, 0, 0, 0, 0]
MAX_AGE_S = 0.15


class FakeReader:
    """In the place of the thread that reads the device."""

    running = False

    def start(self):
        self.running = True

    def stop(self):
        self.running = False


class Hand:
    """A hand that pushes the cap every step but the first, through the real device and operator, until step `AT`."""

    def __init__(self, practice: Practice, loss, max_age_s: float) -> None:
        mapping = build(MappingConfig, compose(["device=spacemouse"])["device"]["mapping"])
        clock = practice.env.clock
        self.handle = Handle(mapping, clock)
        self.handle.found()
        self.push = np.array([150.0, 150.0, 150.0, 0.0, 0.0, 0.0])  # raw
        self.device = AxesDevice("spacemouse", "", FakeReader(), self.handle, mapping, clock, 0.0)
        self.device.connect()
        self._operator = DeviceOperator(self.device, False, max_age_s)
        self._loss, self.step, self.wishes = loss, -1, []

    def reset(self, info):
        self._operator.reset(info)

    def act(self, observation, info, policy_action):
        self.step += 1
        if self.step == 0:
            self.handle.move(np.zeros(6))
        elif self.step < AT:
            self.handle.move(self.push)
        else:
            self._loss(self)
        wish = self._operator.act(observation, info, policy_action)
        self.wishes.append(wish)
        return wish

    def may_resume(self, stop_reason):
        return False

    def wants_park(self):
        return False

    def close(self):
        self.device.close()


def unplugged(hand):
    hand.handle.lose()


def frozen(hand):
    """The last report stays: nothing says that the device is gone."""


def comes_back_at_rest(hand):
    if hand.step == AT:
        hand.handle.lose()
    else:
        hand.handle.found()


def practise(loss, max_age_s: float = MAX_AGE_S, steps: int = 14) -> Practice:
    practice = Practice(policy=StubPolicy(lambda step: POLICY))
    practice.hand = practice.selector._operator = Hand(practice, loss, max_age_s)
    practice.reason = practice.run(steps).stop_reason
    return practice


def periods_to_stop(practice: Practice) -> float:
    """Check what has to be so, and return how many periods the robot was still led after the loss."""
    rows = practice.rows()
    assert rows["has_human"][1:AT].all(), "the hand leads until the loss"
    still = [step for step in range(AT, 14) if not rows["action"][step].any()]
    led = [step for step in range(AT, 14) if rows["action"][step].any()]
    assert still == list(range(14 - len(still), 14)), "the robot was led again"
    assert not rows["has_human"][still].any(), "standing still is nobody's correction"
    return float(len(led))


@pytest.mark.parametrize("loss", [unplugged, frozen, comes_back_at_rest])
def test_the_robot_stands_still_and_the_policy_waits(loss, record_property):
    practice = practise(loss)
    periods = periods_to_stop(practice)
    record_property("stop_periods", periods)
    assert periods <= 2.0
    onset = practice.robot.measured[AT][0]
    way_mm = max(1e3 * float(np.linalg.norm(pose[0, :3] - onset[:3])) for pose in practice.robot.measured[AT:])
    record_property("motion_after_loss_mm", way_mm)
    assert way_mm <= 1e3 * practice.env.gate.limits.max_tcp_speed_m_s * 0.2


def test_it_goes_on_once_somebody_moves_the_device_again():
    def back(hand):
        if hand.step == AT:
            hand.handle.lose()
        elif hand.step == AT + 4:
            hand.handle.move(hand.push)
        elif hand.step > AT + 1:
            hand.handle.move(np.zeros(6))

    rows = practise(back).rows()
    assert not rows["action"][AT : AT + 4].any()
    assert rows["has_human"][AT + 4]
    assert rows["action"][AT + 5] == pytest.approx(POLICY)


def test_without_an_age_the_frozen_report_would_lead_the_robot_on():
    assert periods_to_stop(practise(frozen, max_age_s=1e9)) > 2.0


def test_without_the_loss_being_remembered_the_policy_would_be_given_the_robot(monkeypatch):
    monkeypatch.setattr(DeviceOperator, "_note_loss", lambda operator, age_s, engaged: None)
    assert periods_to_stop(practise(comes_back_at_rest)) > 2.0


def comes_back_pushed(hand):
    if hand.step == AT:
        hand.handle.lose()
    else:
        hand.handle.move(hand.push)


def comes_back_with_half_its_axes(hand):
    hand.handle.move(hand.push[:3])


def comes_back_without_numbers(hand):
    hand.handle.move(np.full(6, np.nan))


@pytest.mark.parametrize("loss", [comes_back_pushed, comes_back_with_half_its_axes, comes_back_without_numbers])
def test_a_device_that_comes_back_pushed_or_in_part_moves_nothing(loss, record_property):
    periods = periods_to_stop(practise(loss))
    record_property("stop_periods", periods)
    assert periods <= 2.0


@pytest.mark.parametrize("loss", [comes_back_pushed, comes_back_with_half_its_axes])
def test_without_their_checks_it_would_move_the_robot(loss, monkeypatch):
    monkeypatch.setattr(
        DeviceOperator, "_note_rest", lambda operator, reading, engaged: setattr(operator, "_armed", True)
    )
    monkeypatch.setattr(MappingConfig, "objection", lambda mapping, raw: "")
    assert practise(loss).rows()["action"][AT + 1 : 14].any(axis=1).all()


def test_a_device_that_is_held_pushed_when_the_episode_begins_moves_nothing_until_it_was_let_go():
    def let_go(hand):
        hand.handle.move(np.zeros(6) if hand.step == AT else hand.push)

    practice = Practice(policy=StubPolicy(lambda step: POLICY))
    hand = practice.selector._operator = Hand(practice, let_go, MAX_AGE_S)
    hand.step = 0  # the step at rest is left out
    practice.run(14)
    rows = practice.rows()
    assert not rows["action"][: AT - 1].any()
    assert not rows["has_human"][:AT].any()
    assert rows["has_human"][AT:13].all()
