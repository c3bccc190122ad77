import numpy as np
import pytest

from robot_envs.devices.device import HumanInput
from robot_envs.devices.operator import DeviceOperator, NoOperator


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


def test_engaged_device_acts():
    assert DeviceOperator(Mouse(), False, 0.2).act({}, {}, None) == pytest.approx(np.full(6, 0.5))
    assert DeviceOperator(Mouse(), True, 0.2).act({}, {}, None) == pytest.approx([0.5] * 6 + [1.0])


def test_device_at_rest_or_with_an_old_reading_does_not():
    assert DeviceOperator(Mouse(engaged=np.array([False])), False, 0.2).act({}, {}, None) is None
    assert DeviceOperator(Mouse(age_s=0.3), False, 0.2).act({}, {}, None) is None


def test_device_that_falls_silent_in_the_middle_means_standing_still_and_not_letting_go():
    mouse = Mouse()
    operator = DeviceOperator(mouse, False, 0.2)
    assert operator.act({}, {}, None) is not None
    mouse.reading = Mouse(age_s=5.0).reading
    assert operator.act({}, {}, None) == pytest.approx(np.zeros(6))
    mouse.reading = Mouse(engaged=np.array([False])).reading
    assert operator.act({}, {}, None) is None


def test_only_the_resume_button_resumes():
    assert not DeviceOperator(Mouse(), False, 0.2).may_resume("force_limit")
    assert DeviceOperator(Mouse(events=("resume",)), False, 0.2).may_resume("force_limit")


def test_nobody_never_acts():
    assert NoOperator().act({}, {}, None) is None
