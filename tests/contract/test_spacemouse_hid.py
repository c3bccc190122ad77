"""Two models of SpaceMouse over HID, their bytes read by the real pyspacemouse and easyhid."""

from dataclasses import replace

import pytest

from steadyhand.contracts.device import DeviceContract
from steadyhand.robot_envs.devices.make import find_input
from steadyhand.runtime.config import compose
from tests.hid_kit import Mouse, WirelessMouse, hidapi

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
