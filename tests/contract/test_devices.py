import os
import pty
import struct
import tty
from dataclasses import replace

import pytest

from steadyhand.contracts.device import DeviceContract
from steadyhand.robot_envs.devices.gamepad import Gamepad
from steadyhand.robot_envs.devices.keyboard import Keyboard
from steadyhand.robot_envs.devices.make import find_input
from steadyhand.robot_envs.devices.spacemouse import SpaceMouse
from steadyhand.runtime.config import compose
from tests.spacenav_kit import Cap, Daemon, needs_spacenavd

pytestmark = pytest.mark.realtime

FORWARD = (0, 0, 300, 0, 0, 0)
AXIS, BUTTON = 2, 1


@needs_spacenavd
class TestSpaceMouse(DeviceContract):
    max_age_s = 0.15

    @pytest.fixture(autouse=True)
    def daemon(self, tmp_path):
        self.daemon, self.cap = Daemon(tmp_path), None
        yield
        self.unplug()

    def make_device(self):
        config = find_input(compose(["device=spacemouse"])["device"]).settings
        assert config.max_age_s == self.max_age_s
        return SpaceMouse(replace(config, socket=str(self.daemon.socket), retry_s=0.02))

    def plug_in(self):
        self.cap = Cap()
        self.daemon.start(self.cap)

    def unplug(self):
        self.daemon.kill()
        if self.cap is not None:
            self.cap.unplug()

    def push(self):
        self.cap.push(FORWARD)

    def let_go(self):
        self.cap.let_go()

    def press_resume(self):
        self.cap.buttons(0, 1)
        self.cap.buttons()


class TestGamepad(DeviceContract):
    max_age_s = 1.0

    @pytest.fixture(autouse=True)
    def pipe(self, tmp_path):
        self.path, self.file = tmp_path / "js0", None
        yield
        self.unplug()

    def make_device(self):
        config = find_input(compose(["device=gamepad"])["device"]).settings
        assert config.max_age_s == self.max_age_s
        return Gamepad(replace(config, path=str(self.path.parent / "js*"), retry_s=0.02))

    def plug_in(self):
        os.mkfifo(self.path)
        self.file = os.open(self.path, os.O_RDWR | os.O_NONBLOCK)
        self.tell_first()

    def open_again(self, device):
        self.tell_first()
        device.connect()

    def tell_first(self):
        """Say where everything stands, as the kernel does at every opening; triggers rest at one end."""
        for axis in range(8):
            self.send(-32767 if axis in (2, 5) else 0, AXIS | 0x80, axis)

    def unplug(self):
        if self.file is not None:
            self.path.unlink()
            os.close(self.file)
            self.file = None

    def push(self):
        self.send(-30000, AXIS, 1)

    def let_go(self):
        self.send(0, AXIS, 1)

    def press_resume(self):
        for pressed in (1, 0):
            for button in (4, 5):
                self.send(pressed, BUTTON, button)

    def send(self, value, kind, number):
        os.write(self.file, struct.pack("=IhBB", 1234, value, kind, number))


class TestKeyboard(DeviceContract):
    max_age_s = 0.2

    @pytest.fixture(autouse=True)
    def terminal(self, tmp_path):
        self.path, self.master = tmp_path / "tty", None
        yield
        self.unplug()

    def make_device(self):
        config = find_input(compose(["device=keyboard"])["device"]).settings
        assert config.max_age_s == self.max_age_s
        # Long enough for a busy machine to look while the key counts.
        return Keyboard(replace(config, terminal=str(self.path), retry_s=0.02, hold_s=0.4, engaged_s=0.4))

    def plug_in(self):
        self.master, slave = pty.openpty()
        tty.setraw(slave)
        self.path.symlink_to(os.ttyname(slave))
        self.slave = slave

    def unplug(self):
        if self.master is not None:
            self.path.unlink()
            os.close(self.slave)
            os.close(self.master)
            self.master = None

    def push(self):
        os.write(self.master, b"w")

    def let_go(self):
        """A terminal says nothing of it."""

    def press_resume(self):
        os.write(self.master, b"\r")
