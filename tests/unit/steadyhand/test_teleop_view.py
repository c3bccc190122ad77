import dataclasses
import io
import math
import sys

import numpy as np
import pytest
from rich.console import Console as Terminal

from steadyhand.actor.config import LoggingConfig
from steadyhand.actor.timing import Percentiles
from steadyhand.robot_envs.devices.device import HumanInput, no_reading
from steadyhand.teleop import TeleopStatus
from steadyhand.teleop_view import plain_line, shown, view

READING = HumanInput(np.array([True]), np.array([[0.5, -1.0, 0, 0, 0, 0.25]]), np.array([-1.0]), (), 0.02)
STATUS = TeleopStatus(
    state="person",
    stop_reason="",
    reading=READING,
    tcp_pose=np.array([0.01, -0.02, 0.0, 0.0, 0.0, math.pi / 6]),
    wrench=np.array([3.0, 4.0, 0.0, 0.0, 0.0, 0.5]),
    steps=120,
    overruns=2,
    period=Percentiles(100.0, 104.5, 110.0),
)


def drawn(status):
    terminal = Terminal(file=io.StringIO(), width=120)
    terminal.print(view(status))
    return terminal.file.getvalue()


@pytest.mark.parametrize("text", [plain_line(STATUS), drawn(STATUS)], ids=["plain", "drawn"])
@pytest.mark.parametrize(
    "part", ["person", "+0.50", "-1.00", "+0.25", "close", "20 ms", "+10.0 -20.0 +0.0 mm", "30.0 deg", "5.0 N", "104.5"]
)
def test_both_show_everything(text, part):
    assert part in text


def test_bars_grow_from_the_middle():
    lines = drawn(STATUS).splitlines()
    assert "─────┼━━━━━──" in lines[1]
    assert "━━━━━━━━━━┼──────────" in lines[2]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"state": "held", "reading": no_reading()}, "the device is silent"),
        ({"state": "nobody", "reading": None}, "at rest"),
        ({"state": "stopped", "stop_reason": "force_limit"}, "stopped (force_limit)"),
    ],
)
def test_the_title_says_why_nothing_moves(changes, expected):
    assert expected in drawn(dataclasses.replace(STATUS, **changes))


def test_a_device_that_is_not_there_is_called_that():
    assert "not there" in plain_line(dataclasses.replace(STATUS, reading=no_reading()))


def test_lines_are_written_while_it_lasts_and_once_more_at_the_end():
    out = io.StringIO()
    with shown(LoggingConfig("info", "auto", 4.0, 60.0, 10.0), lambda: STATUS, out):
        assert out.getvalue() == ""
    assert out.getvalue() == f"{plain_line(STATUS)}\n"


def test_off_shows_nothing(capsys):
    with shown(LoggingConfig("info", "off", 4.0, 0.01, 10.0), lambda: STATUS, sys.stdout):
        pass
    assert capsys.readouterr().out == ""


TWO_ARMS = dataclasses.replace(
    STATUS,
    reading=HumanInput(
        np.array([True, True]), np.array([[0.5] + [0.0] * 5, [-0.75] + [0.0] * 5]), np.array([0.0, 1.0]), (), 0.02
    ),
    tcp_pose=np.concatenate([STATUS.tcp_pose, [0.03, 0.0, 0.0, 0.0, 0.0, 0.0]]),
    wrench=np.concatenate([STATUS.wrench, [0.0, 12.0, 0.0, 0.0, 0.0, 0.0]]),
)


@pytest.mark.parametrize("text", [plain_line(TWO_ARMS), drawn(TWO_ARMS)], ids=["plain", "drawn"])
@pytest.mark.parametrize("part", ["left", "right", "+0.50", "-0.75", "open", "+30.0 +0.0 +0.0 mm", "5.0 N", "12.0 N"])
def test_both_show_two_arms(text, part):
    assert part in text


def test_a_device_that_is_not_there_shows_two_arms_at_rest():
    status = dataclasses.replace(TWO_ARMS, reading=no_reading())
    assert "-0.75" not in plain_line(status)
    assert "not there" in plain_line(status)
