import numpy as np
import pytest

from steadyhand.actor.supervision.motion_enable import MotionEnable
from steadyhand.actor.supervision.supervised_operator import SupervisedOperator
from steadyhand.robot_envs.devices.device import HumanInput
from steadyhand.robot_envs.devices.operator import DeviceOperator


class Buttons:
    """A device at rest whose pressed buttons are reported by the next poll."""

    def __init__(self):
        self.pressed = ()

    def poll(self):
        events, self.pressed = self.pressed, ()
        return HumanInput(np.zeros(1, np.bool_), np.zeros((1, 6)), np.zeros(1), events, 0.0)


@pytest.fixture
def device():
    return Buttons()


@pytest.fixture
def motion():
    return MotionEnable()


@pytest.fixture
def operator(device, motion):
    return SupervisedOperator(DeviceOperator(device, False, 0.2), motion)


def test_only_the_enable_goes_on_after_a_stop(operator, motion, device):
    device.pressed = ("resume",)
    assert not operator.may_resume("person_stop")
    assert not operator.may_resume("person_stop")
    motion.enable()
    assert operator.may_resume("person_stop")


def test_a_break_is_asked_for_by_request_or_by_button_once(operator, motion, device):
    operator.reset({})
    motion.enable()
    motion.park()
    assert (operator.wants_park(), operator.wants_park()) == (True, False)
    device.pressed = ("park",)
    operator.act({}, {}, None)
    assert (operator.wants_park(), operator.wants_park()) == (True, False)


def test_a_button_that_was_pressed_between_two_episodes_means_nothing(operator, device):
    device.pressed = ("park", "close")
    operator.reset({})
    operator.act({}, {}, None)
    assert not operator.wants_park()
