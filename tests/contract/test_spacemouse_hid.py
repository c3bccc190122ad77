"""SpaceMice over HID, of two models and for two arms, their bytes read by the real pyspacemouse and easyhid."""

import math
from dataclasses import replace

import numpy as np
import pytest

from steadyhand.contracts.device import DeviceContract
from steadyhand.robot_envs.devices.device_pair import SIDES
from steadyhand.robot_envs.devices.make import find_input
from steadyhand.robot_envs.devices.operator import HOLD, DeviceOperator
from steadyhand.runtime.build import ConfigError
from steadyhand.runtime.config import compose
from tests.hid_kit import Mouse, WirelessMouse, hidapi
from tests.transport_kit import wait_until

__all__ = ["hidapi"]

pytestmark = pytest.mark.realtime


class TestCompact(DeviceContract):
    max_age_s = 0.15
    model = Mouse

    @pytest.fixture(autouse=True)
    def around(self, hidapi, tmp_path):
        self.hidapi, self.path, self.mouse = hidapi, str(tmp_path / "hidraw0"), None
        yield
        self.unplug()

    def make_device(self):
        found = find_input(compose(["device=spacemouse_hid"])["device"])
        assert found.settings.max_age_s == self.max_age_s
        return found.type(replace(found.settings, retry_s=0.02))

    def plug_in(self):
        self.mouse = self.model(self.path)
        self.hidapi.plugged = [self.mouse]

    def unplug(self):
        if self.mouse is not None:
            self.mouse.unplug()
            self.mouse = None

    def push(self):
        self.mouse.push(0, -300, 0, 0, 0, 0)

    def let_go(self):
        self.mouse.let_go()

    def press_resume(self):
        self.mouse.buttons(0, 1)
        self.mouse.buttons()


class TestWireless(TestCompact):
    model = WirelessMouse


class TestTwoMice(DeviceContract):
    max_age_s = 0.15

    @pytest.fixture(autouse=True)
    def around(self, hidapi, tmp_path):
        self.hidapi, self.paths = hidapi, [str(tmp_path / f"hidraw{number}") for number in (0, 1)]
        yield
        self.unplug()

    def make_device(self):
        hands = [f"device@device.{side}=spacemouse_hid" for side in SIDES]
        own = [f"device.{side}.path={path}" for side, path in zip(SIDES, self.paths, strict=True)]
        short = [f"device.{side}.retry_s=0.02" for side in SIDES]
        return find_input(compose(["task=handover", "device=pair", *hands, *own, *short])["device"]).make()

    def plug_in(self):
        self.hidapi.plugged = [model(path) for model, path in zip((Mouse, WirelessMouse), self.paths, strict=True)]

    def unplug(self):
        for mouse in self.hidapi.plugged:
            mouse.unplug()

    def push(self):
        self.hidapi.plugged[0].push(0, -300, 0, 0, 0, 0)

    def let_go(self):
        self.hidapi.plugged[0].let_go()

    def press_resume(self):
        self.hidapi.plugged[1].buttons(0, 1)
        self.hidapi.plugged[1].buttons()

    def test_each_cap_moves_its_own_arm(self, device):
        self.push()
        self.hidapi.plugged[1].push(-300, 0, 0, 0, 0, 0)
        self.hidapi.plugged[1].buttons(0)
        wait_until(lambda: device.poll().twist[0, 0] > 0.1 and device.poll().twist[1, 1] < -0.1)
        wait_until(lambda: device.poll().gripper[1] == -1.0)
        reading = device.poll()
        assert np.count_nonzero(reading.twist) == 2
        assert reading.gripper.tolist() == [0.0, -1.0]

    @pytest.mark.parametrize("lost", [0, 1])
    def test_one_lost_mouse_holds_both_arms_until_both_were_let_go(self, lost):
        self.plug_in()
        device = self.make_device()
        device.connect()
        operator, mice = DeviceOperator(device, True, 1.0), self.hidapi.plugged

        def wish():
            return operator.act({}, {}, None)

        wait_until(lambda: wish() is None and operator.reading.neutral)
        mice[1 - lost].push(0, -300, 0, 0, 0, 0)
        wait_until(lambda: isinstance(wish(), np.ndarray))
        mice[lost].unplug()
        wait_until(lambda: wish() is HOLD)
        mice[lost] = Mouse(self.paths[lost])
        wait_until(lambda: wish() is HOLD and not math.isinf(operator.reading.age_s))
        mice[1 - lost].let_go()
        wait_until(lambda: wish() is HOLD and operator.reading.neutral)
        mice[1 - lost].push(0, -300, 0, 0, 0, 0)
        wait_until(lambda: isinstance(wish(), np.ndarray))
        operator.close()


@pytest.mark.parametrize("path", ["null", "/dev/hidraw0"])
def test_one_mouse_for_two_arms_is_refused(path):
    hands = [word for side in SIDES for word in (f"device@device.{side}=spacemouse_hid", f"device.{side}.path={path}")]
    with pytest.raises(ConfigError, match=r"the same one twice \(path"):
        find_input(compose(["device=pair", *hands, "device.right.mapping.scale=[1,1,1,1,1,1]"])["device"])
