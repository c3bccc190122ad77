"""Two arms from the command line: recorded, looked at, reported, driven by hand, and refused in one line."""

import json

import numpy as np
import pytest

from steadyhand.actor.authority import AT_ONCE
from steadyhand.cli import main
from steadyhand.robot_envs.devices.device import Device, HumanInput
from steadyhand.robot_envs.devices.operator import DeviceOperator
from steadyhand.teleop import Teleop
from steadyhand.teleop_view import plain_line
from steadyhand.transport.log import LogReader
from tests.robot_kit import make_robot_env

REST = HumanInput(np.zeros(2, np.bool_), np.zeros((2, 6)), np.zeros(2), (), 0.0)
PUSH = HumanInput(np.array([True, True]), np.eye(2, 6), np.array([0.0, -1.0]), (), 0.0)  # left along x, right along y


@pytest.mark.slow
def test_a_handover_is_recorded_looked_at_and_reported(tmp_path, capsys):
    words = ["task=handover", f"run_root={tmp_path}", "run_name=both", "transport.segment_bytes=1000000"]
    assert main(["record", *words, "demo.demos=1"]) == 0
    reader = LogReader(tmp_path / "both" / "demos")
    rows = np.arange(len(reader))
    assert reader.gather(rows, "action").shape[1] == 14
    assert reader.gather(rows, "observation/tcp_pose").shape[1] == 12
    assert reader.gather(rows, "gated_command").shape[1] == 16
    reader.close()
    identity = json.loads((tmp_path / "both" / "demos" / "identity.json").read_text(encoding="utf-8"))
    assert identity["robot"] == "mock_fr3_pair"
    capsys.readouterr()
    assert main(["inspect", str(tmp_path / "both" / "demos")]) == 0
    assert "action" in capsys.readouterr().out
    assert main(["report", f"run_root={tmp_path}", "run_name=both"]) == 0
    assert (tmp_path / "both" / "report.html").is_file()


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["task=handover", "robot=mock"], "expected a robot of two arms"),
        (["task=reach", "robot=mock_pair"], "expected a robot of one arm"),
        (["task=reach", "device=pair"], "expected a device for one arm"),
        (["task=handover", "safety.apart=null"], "expected boxes that do not overlap"),
        (["task=handover", "device=pair", "device@device.right=spacemouse"], "found the same one twice"),
    ],
)
def test_what_does_not_fit_is_one_line_and_leaves_nothing(tmp_path, capsys, words, reason):
    assert main(["record", *words, f"run_root={tmp_path}/runs", "run_name=no"]) == 2
    error = capsys.readouterr().err
    assert reason in error
    assert error.count("\n") == 1
    assert not (tmp_path / "runs").exists()


class TwoHands(Device):
    """A device that rests, and is then pushed."""

    n_arms = 2

    def __init__(self) -> None:
        self.polls = 0

    def connect(self):
        pass

    def poll(self):
        self.polls += 1
        return REST if self.polls < 4 else PUSH

    def close(self):
        pass


def test_both_arms_are_driven_and_shown():
    env, device = make_robot_env("task=handover"), TwoHands()
    teleop = Teleop(env, DeviceOperator(device, True, 0.2), 0, lambda: device.polls >= 14, AT_ONCE)
    teleop.run()
    status = teleop.status()
    env.close()
    assert status.tcp_pose.shape == status.wrench.shape == (12,)
    assert status.tcp_pose[0] > 0.03
    assert status.tcp_pose[7] > 0.03
    line = plain_line(status)
    assert "left twist +1.00" in line
    assert "right twist +0.00 +1.00" in line
    assert "gripper close" in line
