import math

import numpy as np
import pytest

from steadyhand.robot_envs.devices.device import HumanInput
from steadyhand.robot_envs.devices.operator import HOLD, DeviceOperator, NoOperator
from steadyhand.robot_envs.frames import pose_to_vector


class Mouse:
    def __init__(self, **changes) -> None:
        values = {
            "engaged": np.array([True]),
            "twist": np.full((1, 6), 0.5),
            "gripper": np.array([1.0]),
            "events": (),
            "age_s": 0.0,
        }
        self.reading = HumanInput(**(values | changes))

    def connect(self):
        pass

    def close(self):
        pass

    def poll(self):
        return self.reading


AT_REST = {"engaged": np.array([False])}


class Hand:
    """An operator, and what the device says next."""

    def __init__(self, learns_gripper=False):
        self.mouse = Mouse(**AT_REST)
        self.operator = DeviceOperator(self.mouse, learns_gripper, 0.2)

    def wish(self, **changes):
        self.mouse.reading = Mouse(**changes).reading
        return self.operator.act({}, {}, None)


@pytest.mark.parametrize(("learns_gripper", "action"), [(False, [0.5] * 6), (True, [0.5] * 6 + [1.0])])
def test_engaged_device_acts(learns_gripper, action):
    hand = Hand(learns_gripper)
    assert hand.wish(**AT_REST) is None
    assert hand.wish() == pytest.approx(action)


def test_a_device_that_is_held_pushed_has_no_authority_until_it_was_at_rest():
    hand = Hand()
    for _ in range(2):
        assert [hand.wish() for _ in range(3)] == [HOLD] * 3
        assert hand.wish(**AT_REST) is None
        assert hand.wish() == pytest.approx([0.5] * 6)
        assert hand.wish() == pytest.approx([0.5] * 6)
        hand.operator.reset({})  # the next episode asks again


def test_a_short_rest_is_not_yet_neutral():
    hand = Hand()
    assert hand.wish(**AT_REST, neutral=False) is None
    assert hand.wish() is HOLD
    assert hand.wish(**AT_REST, neutral=True) is None
    assert hand.wish(**AT_REST, neutral=False) is None
    assert hand.wish() == pytest.approx([0.5] * 6)


def test_a_device_that_comes_back_pushed_moves_nothing_until_it_was_at_rest():
    hand = Hand()
    hand.wish(**AT_REST)
    assert hand.wish(age_s=math.inf) is HOLD
    assert hand.wish() is HOLD
    assert hand.wish(**AT_REST) is HOLD
    assert hand.wish() == pytest.approx([0.5] * 6)


def test_device_at_rest_leaves_the_policy_alone():
    assert DeviceOperator(Mouse(engaged=np.array([False])), False, 0.2).act({}, {}, None) is None


@pytest.mark.parametrize(("engaged", "age_s"), [(True, 0.3), (True, math.inf), (False, math.inf)])
def test_a_silent_device_is_neither_an_action_nor_leave_to_go_on(engaged, age_s):
    assert DeviceOperator(Mouse(engaged=np.array([engaged]), age_s=age_s), False, 0.2).act({}, {}, None) is HOLD


def test_a_device_at_rest_has_nothing_to_report():
    assert DeviceOperator(Mouse(engaged=np.array([False]), age_s=3600.0), False, 0.2).act({}, {}, None) is None


def test_device_that_falls_silent_holds_the_robot_until_it_is_moved_again():
    mouse = Mouse()
    operator = DeviceOperator(mouse, False, 0.2)

    def wish(**changes):
        mouse.reading = Mouse(**changes).reading
        return operator.act({}, {}, None)

    at_rest = np.array([False])
    assert wish(engaged=at_rest) is None
    assert wish() == pytest.approx(np.full(6, 0.5))
    assert wish(age_s=5.0) is HOLD
    assert wish(engaged=at_rest) is HOLD
    operator.reset({})
    assert wish() is HOLD
    assert wish(engaged=at_rest) is HOLD
    assert wish() == pytest.approx(np.full(6, 0.5))
    assert wish(engaged=at_rest) is None


def test_only_the_resume_button_resumes():
    mouse = Mouse()
    operator = DeviceOperator(mouse, False, 0.2)
    assert [operator.may_resume("force_limit") for _ in range(3)] == [False, False, False]
    mouse.reading = Mouse(events=("resume",)).reading
    assert operator.may_resume("force_limit")


def test_a_button_that_was_pressed_before_anybody_asked_is_no_answer():
    mouse = Mouse(events=("resume",))
    operator = DeviceOperator(mouse, False, 0.2)
    assert not operator.may_resume("force_limit")
    assert operator.may_resume("force_limit")
    operator.act({}, {}, None)
    assert not operator.may_resume("force_limit")


def test_nobody_never_acts():
    assert NoOperator().act({}, {}, None) is None


class Led(Mouse):
    n_arms = 2

    def __init__(self):
        super().__init__(**AT_REST)
        self.tools = []

    def follow(self, tool_poses):
        self.tools.append(tool_poses)


def test_a_device_is_told_where_the_tools_are_before_it_is_read():
    device = Led()
    operator = DeviceOperator(device, False, 0.2)
    vector = np.arange(12, dtype=np.float32) / 10
    operator.act({"tcp_pose": vector}, {}, None)
    np.testing.assert_allclose(pose_to_vector(device.tools[0]).ravel(), vector, atol=1e-6)
    for other in ({}, {"tcp_pose": vector[:6]}):  # a foreign environment, and one of other arms
        operator.act(other, {}, None)
    assert len(device.tools) == 1
