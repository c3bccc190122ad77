import math
import socket
import struct
import threading
from dataclasses import replace

import pytest

from steadyhand.contracts.device import DeviceContract
from steadyhand.robot_envs.devices.device import DeviceError
from steadyhand.robot_envs.devices.make import find_input
from steadyhand.runtime.build import ConfigError
from steadyhand.runtime.config import compose
from tests.transport_kit import wait_until
from tests.udp_kit import PERIOD_S, Sender, free_port

pytestmark = pytest.mark.realtime

RESUME = 2


class TestUdpJoystick(DeviceContract):
    max_age_s = 0.2

    @pytest.fixture(autouse=True)
    def around(self):
        self.port, self.sender = free_port(), None
        yield
        self.unplug()

    def make_device(self):
        found = find_input(compose(["device=udp"])["device"])
        assert found.settings.max_age_s == self.max_age_s
        return found.type(replace(found.settings, port=self.port, silence_s=0.3, retry_s=0.02))

    def plug_in(self):
        self.sender = Sender(self.port)

    def unplug(self):
        if self.sender is not None:
            self.sender.stop()
            self.sender = None

    def push(self):
        self.sender.numbers[0] = 0.9

    def let_go(self):
        self.sender.numbers[0] = 0.0

    def press_resume(self):
        self.sender.press(RESUME)

    @pytest.mark.parametrize("numbers", [[0.9] * 9, [math.nan] * 10], ids=["short", "nan"])
    def test_what_is_no_reading_is_a_loss(self, device, numbers):
        data = struct.pack(f"<{len(numbers)}f", *numbers)
        wait_until(lambda: device.poll().age_s == 0.0)
        # Between these the sender goes on, and the reader may take a while.
        wait_until(lambda: self.sender.send(data) or math.isinf(device.poll().age_s))

    def test_a_button_that_is_down_at_first_is_no_press(self):
        self.plug_in()
        self.sender.numbers[6 + RESUME] = 1.0
        device = self.make_device()
        device.connect()
        for _ in range(20):
            assert device.poll().events == ()
            threading.Event().wait(PERIOD_S)
        device.close()

    def test_a_port_that_is_taken_is_said(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            other.bind(("127.0.0.1", self.port))
            with pytest.raises(DeviceError, match=r"udp: .*in use"):
                self.make_device().connect()


@pytest.mark.parametrize(
    ("override", "reason"),
    [
        ("device.port=70000", "port"),
        ("device.n_axes=5", "below n_axes = 5"),
        ("device.n_buttons=-1", "n_buttons"),
        ("device.silence_s=0", "silence_s"),
        ("+device.speed=2", "unknown key 'speed'"),
    ],
)
def test_a_wrong_setting_is_refused_by_name(override, reason):
    with pytest.raises(ConfigError, match=reason):
        find_input(compose(["device=udp", override])["device"])
