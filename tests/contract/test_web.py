import math

import pytest

from steadyhand.contracts.device import DeviceContract
from steadyhand.robot_envs.devices.device import DeviceError
from steadyhand.robot_envs.devices.make import find_input
from steadyhand.runtime.build import ConfigError
from steadyhand.runtime.config import compose
from tests.transport_kit import wait_until
from tests.web_kit import Beats

pytestmark = pytest.mark.realtime

REST = [0.0] * 6
FORWARD = [1.0, 0.0, 0.0, 0.0, 0.0, 0.0]


class TestWebDevice(DeviceContract):
    max_age_s = 0.1

    @pytest.fixture(autouse=True)
    def around(self):
        self.beats = None
        yield
        self.unplug()

    def make_device(self):
        found = find_input(compose(["device=web"])["device"])
        assert found.settings.max_age_s == self.max_age_s
        device = found.type(found.settings)
        if self.beats is not None:
            device.serve()
            device.arrive()
            self.beats.device = device
        return device

    def plug_in(self):
        old = None if self.beats is None else self.beats.device
        self.beats = Beats()
        if old is not None:
            old.arrive()
            self.beats.device = old

    def unplug(self):
        if self.beats is not None:
            self.beats.stop()
            if self.beats.device is not None:
                self.beats.device.leave("the connection to the operator page is gone")

    def push(self):
        self.beats.twist = FORWARD

    def let_go(self):
        self.beats.twist = REST

    def press_resume(self):
        self.beats.device.press("resume")

    def open_again(self, device):
        device.connect()
        device.arrive()

    def test_a_page_that_falls_silent_while_pushed_is_too_old_to_use(self, device):
        self.push()
        wait_until(lambda: device.poll().engaged[0])
        self.beats.stop()
        wait_until(lambda: device.poll().age_s > self.max_age_s)

    def test_until_a_person_operates_the_device_is_missing_and_its_messages_move_nothing(self):
        found = find_input(compose(["device=web"])["device"])
        device = found.type(found.settings)
        device.serve()
        device.connect()
        device.move(FORWARD, ["close"])
        reading = device.poll()
        assert math.isinf(reading.age_s)
        assert not reading.engaged.any()
        device.arrive()
        device.move(FORWARD, ["close"])
        assert device.poll().engaged[0]
        assert device.poll().gripper[0] == -1.0
        device.move(REST, [])
        assert not device.poll().engaged[0]
        device.close()

    def test_a_person_who_stayed_at_the_page_is_there_when_the_device_is_opened_again(self, device):
        device.close()
        self.push()
        device.connect()
        wait_until(lambda: device.poll().engaged[0])
        device.close()
        device.leave("the connection to the operator page is gone")
        device.connect()
        assert math.isinf(device.poll().age_s)

    def test_a_number_that_is_not_finite_loses_the_page(self, device):
        self.beats.stop()
        device.move([math.nan] * 6, [])
        assert math.isinf(device.poll().age_s)


def test_without_a_server_it_says_what_serves_the_page():
    found = find_input(compose(["device=web"])["device"])
    with pytest.raises(DeviceError, match="record, act, eval, run and teleop serve it, and the ROS 2 actor"):
        found.type(found.settings).connect()


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("device.keys.w=[2,0,0,0,0,0]", r"keys\.w: expected 6 numbers in \[-1, 1\]"),
        ("+device.keys.x=[1,0]", r"keys\.x: expected 6 numbers"),
        ("device.buttons.close=w", "one meaning for each key"),
        ("+device.buttons.reboot=b", "expected one of close, open"),
        ("device.neutral_s=0", "neutral_s"),
    ],
)
def test_a_wrong_setting_is_named(override, expected):
    with pytest.raises(ConfigError, match=expected):
        find_input(compose(["device=web", override])["device"])
