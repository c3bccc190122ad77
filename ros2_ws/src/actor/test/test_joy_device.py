"""A device whose driver publishes Joy: it fulfils what every device does, over real DDS."""

import math
import time

import numpy as np
import pytest
from ros_kit import Probe, wait_until
from sensor_msgs.msg import Joy

from actor_ros.joy_device import JoyConfig, make_joy
from steadyhand.robot_envs.devices.device import DeviceError
from steadyhand.robot_envs.devices.operator import HOLD, DeviceOperator
from steadyhand.runtime.build import build
from steadyhand.runtime.clock import MonotonicClock
from steadyhand.runtime.config import compose

REST = [0.0] * 6
FORWARD = [1.0, 0, 0, 0, 0, 0]


class Hand:
    """A driver, and the actor's device."""

    def __init__(self, *overrides: str) -> None:
        self.driver, self.actor = Probe("driver"), Probe("listener")
        self.config = build(JoyConfig, compose(["device=spacenav_joy", *overrides])["device"], "device")
        self.device = make_joy(self.actor.node, self.config, MonotonicClock())

    def plug(self) -> None:
        self.driver.publisher(self.config.topic, Joy, "event")
        wait_until(lambda: self.actor.node.count_publishers(self.config.topic), "the driver")

    def unplug(self) -> None:
        self.driver.forget(self.config.topic)

    def push(self, axes, buttons=(0, 0)) -> None:
        publisher = self.driver.publisher(self.config.topic, Joy, "event")
        publisher.publish(Joy(axes=[float(a) for a in axes], buttons=list(buttons)))

    def rests(self, operator) -> bool:
        """Lie still, and whether the device is neutral by now."""
        self.push(REST)
        operator.act({}, {}, None)
        return operator.reading.neutral

    def acts(self, operator, axes) -> bool:
        """Push on, as a driver does, and whether that is the person's action by now."""
        self.push(axes)
        return isinstance(operator.act({}, {}, None), np.ndarray)

    def close(self) -> None:
        self.device.close()
        self.driver.close()
        self.actor.close()


@pytest.fixture(scope="module")
def hand(dds):
    hand = Hand()
    yield hand
    hand.close()


def test_without_a_driver_it_does_not_connect(hand):
    with pytest.raises(DeviceError, match="call connect first"):
        hand.device.poll()
    with pytest.raises(DeviceError, match="expected a publisher"):
        hand.device.connect()


def test_a_push_is_a_twist_of_the_tool(hand):
    hand.plug()
    hand.device.connect()
    assert not hand.device.poll().engaged.any()
    hand.push([1.0, 0.5, 0.0, 0.0, 0.0, 0.0])
    wait_until(lambda: hand.device.poll().engaged.any(), "the push")
    reading = hand.device.poll()
    assert reading.twist.shape == (1, 6)
    assert reading.twist[0, 0] == pytest.approx(1.0)
    assert reading.twist[0, 1] < 0.0  # left of the base is minus y of a tool that points down
    hand.push(REST)
    wait_until(lambda: not hand.device.poll().engaged.any(), "the release")


def test_buttons_move_the_gripper(hand):
    hand.device.connect()
    for buttons, gripper in (((1, 0), -1.0), ((0, 1), 1.0), ((0, 0), 0.0)):
        hand.push(REST, buttons)
        wait_until(lambda gripper=gripper: hand.device.poll().gripper[0] == gripper, "the gripper")


def test_a_driver_that_dies_while_it_is_pushed_means_hold_until_somebody_lets_go_and_pushes_again(hand):
    hand.device.connect()
    operator = DeviceOperator(hand.device, False, hand.config.max_age_s)
    wait_until(lambda: hand.rests(operator), "rest")
    wait_until(lambda: hand.acts(operator, FORWARD), "the person's action")
    hand.unplug()
    wait_until(lambda: operator.act({}, {}, None) is HOLD, "hold")
    wait_until(lambda: math.isinf(hand.device.poll().age_s), "a device that is gone")
    hand.plug()
    wait_until(lambda: seen_pushed(hand, operator), "the driver's return")
    assert operator.act({}, {}, None) is HOLD
    wait_until(lambda: hand.rests(operator), "rest")
    assert operator.act({}, {}, None) is HOLD
    wait_until(lambda: hand.acts(operator, [0.0, 0.8, 0, 0, 0, 0]), "the person's new action")


def seen_pushed(hand, operator) -> bool:
    hand.push(FORWARD)
    operator.act({}, {}, None)
    return bool(operator.reading.engaged.any())


def connected(hand):
    """An operator whose device has just been at rest."""
    hand.device.connect()
    operator = DeviceOperator(hand.device, True, hand.config.max_age_s)
    wait_until(lambda: hand.rests(operator), "rest")
    if operator.act({}, {}, None) is HOLD:  # of an earlier loss
        wait_until(lambda: hand.acts(operator, FORWARD), "the person's action")
        wait_until(lambda: hand.rests(operator), "rest")
    return operator


def wishes(hand, operator, axes, buttons):
    """What the person wants once this message has come."""
    events = []
    for _ in range(20):
        hand.push(axes, buttons)
        time.sleep(0.01)
        events.append(operator.act({}, {}, None))
    return events


@pytest.mark.parametrize("after", [(), (0,)])
def test_a_button_that_is_not_in_a_message_is_up(hand, after):
    """As spacenav 3.1 sends them: the press alone, then motion without buttons (joystick_drivers#223)."""
    operator = connected(hand)
    assert wishes(hand, operator, REST, (1,))[-1] == pytest.approx([0, 0, 0, 0, 0, 0, -1])
    assert wishes(hand, operator, REST, (0, 1))[-1] == pytest.approx([0, 0, 0, 0, 0, 0, 1])
    assert wishes(hand, operator, REST, after)[-1] is None


@pytest.mark.parametrize(
    "axes", [(), (1.0,), (0.0,) * 5, (math.nan,) * 6, (0.0, 0.0, 0.0, 0.0, 0.0, math.inf)], ids=str
)
def test_a_message_without_all_mapped_axes_means_hold_until_the_device_is_moved_again(hand, axes):
    operator = connected(hand)
    assert wishes(hand, operator, axes, (1, 0))[-1] is HOLD
    assert wishes(hand, operator, REST, (1, 0))[-1] is HOLD  # the button was down when the device came back
    wait_until(lambda: hand.rests(operator), "rest")
    assert operator.act({}, {}, None) is HOLD
    wait_until(lambda: hand.acts(operator, FORWARD), "the person's action")


def test_a_driver_that_outlives_its_device_means_hold(hand):
    """As joy_node does: it stays on the topic and says nothing."""
    operator = connected(hand)
    assert operator.act({}, {}, None) is None
    wait_until(lambda: operator.act({}, {}, None) is HOLD, "hold", 5.0)
    assert hand.actor.node.count_publishers(hand.config.topic)
    assert wishes(hand, operator, REST, ())[-1] is HOLD
    wait_until(lambda: hand.acts(operator, FORWARD), "the person's action")


def test_a_driver_that_speaks_on_a_change_only_may_be_silent_at_rest(dds):
    quiet = Hand("device.silence_s=null", "device.topic=quiet/joy")
    try:
        quiet.plug()
        operator = connected(quiet)
        time.sleep(0.8)
        assert operator.act({}, {}, None) is None
    finally:
        quiet.close()
