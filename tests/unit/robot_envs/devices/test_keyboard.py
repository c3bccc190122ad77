import os
import pty
import subprocess
import sys
import termios
from dataclasses import replace

import numpy as np
import pytest

from steadyhand.robot_envs.devices.device import DeviceError
from steadyhand.robot_envs.devices.keyboard import Keyboard
from steadyhand.robot_envs.devices.make import find_input
from steadyhand.runtime.build import ConfigError
from steadyhand.runtime.clock import FakeClock
from steadyhand.runtime.config import compose
from tests.transport_kit import wait_until

CONFIG = find_input(compose(["device=keyboard"])["device"]).settings
ROOT = os.getcwd()


class Terminal:
    def __init__(self):
        self.master, self.slave = pty.openpty()
        self.path = os.ttyname(self.slave)
        self.clock = FakeClock()
        self.keyboard = Keyboard(replace(CONFIG, terminal=self.path), self.clock)

    def type(self, text: str) -> None:
        os.write(self.master, text.encode())

    def shows_keys(self) -> bool:
        return bool(termios.tcgetattr(self.slave)[3] & termios.ECHO)

    def close(self):
        self.keyboard.close()
        os.close(self.slave)
        os.close(self.master)


@pytest.fixture
def terminal():
    terminal = Terminal()
    terminal.keyboard.connect()
    yield terminal
    terminal.close()


def test_a_key_moves_for_a_moment_and_keeps_control_for_a_little_longer(terminal):
    terminal.type("w")
    wait_until(lambda: terminal.keyboard.poll().engaged[0])
    assert terminal.keyboard.poll().twist[0] == pytest.approx([1, 0, 0, 0, 0, 0])
    terminal.clock.advance_ns(round(CONFIG.hold_s * 1e9) + 1)
    reading = terminal.keyboard.poll()
    assert reading.engaged[0]
    assert not reading.twist.any()
    terminal.clock.advance_ns(round(CONFIG.engaged_s * 1e9))
    reading = terminal.keyboard.poll()
    assert not reading.engaged[0]
    assert reading.age_s == 0.0


def test_keys_are_neutral_a_moment_after_the_last_one_has_left_control(terminal):
    assert not terminal.keyboard.poll().neutral  # only just opened
    terminal.clock.advance_ns(round(CONFIG.neutral_s * 1e9))
    assert terminal.keyboard.poll().neutral
    terminal.type("w")
    wait_until(lambda: terminal.keyboard.poll().engaged[0])
    terminal.clock.advance_ns(round(CONFIG.engaged_s * 1e9) + 1)
    reading = terminal.keyboard.poll()
    assert not reading.engaged[0]
    assert not reading.neutral
    terminal.clock.advance_ns(round(CONFIG.neutral_s * 1e9))
    assert terminal.keyboard.poll().neutral


def test_a_key_that_was_typed_long_ago_moves_nothing_now(terminal):
    terminal.type("c")
    seen = []
    wait_until(lambda: terminal.keyboard._typed)
    terminal.clock.advance_ns(10_000_000_000)
    reading = terminal.keyboard.poll()
    seen += reading.events
    assert seen == ["close"]
    assert not reading.engaged[0]
    assert not reading.gripper.any()


def test_keys_together_add_up_within_bounds(terminal):
    terminal.type("wwdr")
    wait_until(lambda: np.count_nonzero(terminal.keyboard.poll().twist) == 3)
    assert terminal.keyboard.poll().twist[0] == pytest.approx([1, 1, -1, 0, 0, 0])


def test_gripper_and_resume(terminal):
    terminal.type("v")
    wait_until(lambda: terminal.keyboard.poll().gripper[0] == 1.0)
    terminal.clock.advance_ns(10_000_000_000)
    terminal.type("\r")
    events = []
    wait_until(lambda: events.extend(terminal.keyboard.poll().events) or events)
    assert events == ["resume"]
    assert not terminal.keyboard.poll().engaged[0]


def test_arrow_keys_and_unknown_keys_mean_nothing(terminal):
    terminal.type("\x1b[A\x1b[Dz?\x1bOP")
    terminal.type("\r")
    wait_until(lambda: "resume" in terminal.keyboard.poll().events)
    assert not terminal.keyboard.poll().engaged[0]


def test_the_terminal_is_given_back_as_it_was():
    terminal = Terminal()
    before = termios.tcgetattr(terminal.slave)
    terminal.keyboard.connect()
    assert not terminal.shows_keys()
    assert termios.tcgetattr(terminal.slave)[3] & termios.ISIG  # Ctrl-C ends the program as ever
    terminal.keyboard.close()
    assert termios.tcgetattr(terminal.slave) == before
    terminal.close()


def test_a_program_that_dies_of_an_error_gives_the_terminal_back(tmp_path):
    terminal = Terminal()
    script = (
        "import sys\nfrom steadyhand.robot_envs.devices.make import make_device\n"
        "from steadyhand.runtime.config import compose\n"
        "values = compose(['device=keyboard'])['device'] | {'terminal': sys.argv[1]}\n"
        "make_device(values).connect()\nraise RuntimeError('on purpose')\n"
    )
    done = subprocess.run([sys.executable, "-c", script, terminal.path], cwd=ROOT, capture_output=True, timeout=60)
    assert b"on purpose" in done.stderr
    assert terminal.shows_keys()
    terminal.close()


@pytest.mark.parametrize("path", ["/dev/null", "/nowhere/tty"])
def test_without_a_terminal_it_refuses(path):
    with pytest.raises(DeviceError, match=path):
        Keyboard(replace(CONFIG, terminal=path)).connect()


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("device.hold_s=0", "hold_s"),
        ("device.engaged_s=0.01", "engaged_s"),
        ("device.keys.w=[2,0,0,0,0,0]", "keys.w"),
        ("device.keys.w=[1]", "keys.w"),
        ("device.buttons.close=w", "two for w"),
    ],
)
def test_nonsense_is_refused_by_name(override, expected):
    with pytest.raises(ConfigError, match=expected):
        find_input(compose(["device=keyboard", override])["device"])
