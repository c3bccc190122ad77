"""A leader of emulated Dynamixel servos, read by the real dynamixel-sdk."""

from threading import Event

import pytest

from steadyhand.contracts.device import DeviceContract
from steadyhand.robot_envs.devices.dh_chain import DhChain
from steadyhand.robot_envs.devices.make import find_input
from steadyhand.runtime.config import compose
from tests.leader_kit import BUTTON, BUTTON_PRESSED, BUTTON_RELEASED, Arm, Bus

pytest.importorskip("dynamixel_sdk", reason="needs dynamixel-sdk: pip install '.[leader]'")

pytestmark = pytest.mark.realtime

HOLD_S = 0.1  # of a press of a lever


def leader_values(path, *overrides):
    levers = [
        f"{{id: {BUTTON + number}, released_rad: {BUTTON_RELEASED}, pressed_rad: {BUTTON_PRESSED}}}"
        for number in (0, 1)
    ]
    own = [f"device.source.port={path}", f"device.source.buttons=[{','.join(levers)}]", "device.retry_s=0.02"]
    return compose(["device=leader", *own, *overrides])["device"]


class TestLeader(DeviceContract):
    max_age_s = 0.15
    buttons = ("device.buttons.resume=[1]",)

    @pytest.fixture(autouse=True)
    def around(self, tmp_path):
        self.path, self.bus = tmp_path / "leader", None
        yield
        self.unplug()

    def make_device(self):
        found = find_input(leader_values(self.path, *self.buttons))
        assert found.settings.max_age_s == self.max_age_s
        self.config = found.settings
        return found.make()

    def plug_in(self):
        config = find_input(leader_values(self.path)).settings
        self.bus = Bus(self.path, Arm(DhChain(config.dh, config.tool)))

    def unplug(self):
        if self.bus is not None:
            self.bus.unplug()
            self.bus = None

    def push(self):
        self.bus.arm.velocity[0] = 0.05

    def let_go(self):
        self.bus.arm.velocity[:] = 0.0

    def press_resume(self):
        self.press(BUTTON + 1)

    def press(self, lever):
        self.bus.arm.levers[lever] = BUTTON_PRESSED
        Event().wait(HOLD_S)
        self.bus.arm.levers[lever] = BUTTON_RELEASED


class TestLeaderWithAnEngageButton(TestLeader):
    """The leader is coupled while the button is down."""

    buttons = ("device.buttons.engage=[0]", "device.buttons.resume=[1]")

    def push(self):
        self.bus.arm.levers[BUTTON] = BUTTON_PRESSED
        super().push()

    def let_go(self):
        super().let_go()
        self.bus.arm.levers[BUTTON] = BUTTON_RELEASED
