"""The step that finds a leader's offsets: a leader of emulated servos, read by the real dynamixel-sdk."""

import math

import numpy as np
import pytest

from steadyhand.cli import main
from steadyhand.robot_envs.devices.dh_chain import DhChain
from steadyhand.robot_envs.devices.joint_source import JointSource
from steadyhand.robot_envs.devices.leader import LeaderConfig
from steadyhand.robot_envs.devices.make import find_input
from steadyhand.robot_envs.frames import pose_relative, pose_to_vector
from steadyhand.robot_envs.mock.fr3 import FR3
from steadyhand.runtime.build import ConfigError
from steadyhand.runtime.component import find_component
from steadyhand.runtime.config import compose
from tests.cell_kit import collected, nothing_in, only_calibration, only_file
from tests.leader_kit import HOME, Arm, Bus

FAST = ["calibrate.wait_s=0", "calibrate.read_s=0.5"]
SIGNS = (1, -1, 1, -1, 1, 1, 1)
OFFSETS = tuple(number * math.pi / 2 for number in (0, 0, 2, 2, 2, 3, 0))
IN_GELLO = "device.source.signs=[1,-1,1,-1,1,1,1]"


@pytest.fixture
def bus(tmp_path):
    pytest.importorskip("dynamixel_sdk", reason="needs dynamixel-sdk: pip install '.[leader]'")
    bus = Bus(tmp_path / "gello", Arm(DhChain(FR3.dh, np.zeros(6)), SIGNS, OFFSETS))
    yield bus
    if bus.path.is_symlink():
        bus.unplug()


def words(bus) -> list[str]:
    return ["device=leader", f"device.source.port={bus.path}", IN_GELLO]


def calibrated(tmp_path, *given: str) -> int:
    return main(["calibrate", "leader", "--out", str(tmp_path / "out"), *FAST, *given])


@pytest.mark.realtime
def test_a_leader_held_in_the_reset_pose_gives_the_offsets_that_the_device_then_uses(tmp_path, bus, capsys):
    hand = np.array([0.1, -0.1, 0.2, 0.05, -0.3, 0.0, 0.1])
    bus.arm.joints = HOME + hand
    assert calibrated(tmp_path, *words(bus)) == 0
    assert "hold the leader still at +0.00 -0.79 +0.00 -2.36 +0.00 +1.57 +0.79 rad" in capsys.readouterr().out
    found = only_calibration(tmp_path / "out")
    assert (found.kind, found.device) == ("leader", "gello")
    np.testing.assert_allclose(found.sets["device.source.offsets_rad"], OFFSETS, atol=1e-5)
    np.testing.assert_allclose(found.residuals["rest_rad"], hand, atol=0.005)
    used = f"calibration.files=[{only_file(tmp_path / 'out')}]"
    config: LeaderConfig = find_input(compose([*words(bus), used])["device"]).settings
    source = find_component(config.source, JointSource, "device.source").make()
    chain = DhChain(config.dh, config.tool)
    reached = chain.pose(source.open().joints_rad)
    source.close()
    np.testing.assert_allclose(pose_to_vector(pose_relative(reached, chain.pose(HOME + hand))), 0.0, atol=0.005)
    with pytest.raises(ConfigError, match=r"made with device\.source\.port=.*found device\.source\.port=/dev/ttyUSB0"):
        compose(["device=leader", IN_GELLO, used])


@pytest.mark.realtime
def test_a_moving_or_missing_leader_is_refused_and_leaves_nothing(tmp_path, bus, capsys):
    bus.arm.velocity[0] = 0.1
    assert calibrated(tmp_path, *words(bus)) == 2
    assert "hold the leader still, and start again" in capsys.readouterr().err
    bus.unplug()
    assert calibrated(tmp_path, *words(bus)) != 0
    err = capsys.readouterr().err
    assert "leader: " in err
    assert err.count("\n") == 1
    assert nothing_in(tmp_path / "out")


def rows(pose=HOME) -> list:
    """Readings of a leader whose offsets are still 0."""
    return [(np.array(SIGNS) * (np.array(SIGNS) * pose + OFFSETS)).tolist()] * 20


def test_collected_joints_of_one_leader_of_a_pair_give_its_offsets(tmp_path):
    pair = ["device=pair", "device@device.left=leader", "device@device.right=leader", "device.left.source.port=/dev/a"]
    pair += ["device.left.source.signs=[1,-1,1,-1,1,1,1]", "task=handover", "robot=mock_pair", "safety=pair"]
    source = collected(tmp_path, joints=rows())
    pose = f"calibrate.joints_rad={HOME.tolist()}"
    assert calibrated(tmp_path, "--from", source, "--side", "left", *pair, pose) == 0
    found = only_calibration(tmp_path / "out")
    np.testing.assert_allclose(found.sets["device.left.source.offsets_rad"], OFFSETS, atol=1e-5)
    config = compose([*pair, f"calibration.files=[{only_file(tmp_path / 'out')}]"])
    np.testing.assert_allclose(config["device"]["left"]["source"]["offsets_rad"], OFFSETS, atol=1e-5)


@pytest.mark.parametrize("robot", ["crisp_fr3", "mock_ros"])
def test_the_reset_pose_of_a_robot_behind_ros(tmp_path, robot, capsys):
    source = collected(tmp_path, joints=rows())
    code = calibrated(tmp_path, "--from", source, "device=leader", IN_GELLO, f"robot={robot}", "homing=crisp_fr3")
    assert code == 0, capsys.readouterr().err
    pose = only_calibration(tmp_path / "out").values["pose_rad"]
    assert pose == pytest.approx(compose(["homing=crisp_fr3"])["homing"]["position_rad"])


@pytest.mark.parametrize(
    ("given", "line"),
    [
        (["device=spacemouse"], "expected a leader arm, such as device=leader or leader_ros, found spacemouse"),
        (["device=joy"], "expected a leader arm, such as device=leader or leader_ros, found joy"),
        (["device=leader", "--side", "left"], "--side left: expected device=pair, found leader"),
        (["device=leader", "robot=ur_fzi"], "as robot=ur"),
        (["device=leader", "calibrate.joints_rad=[0,0]"], "expected 7 joints, as the leader has, found 2"),
        (["device=leader", "calibrate.near_rad=1.0"], "near_rad: expected less than half of round_rad"),
    ],
)
def test_what_cannot_be_used_is_one_line(tmp_path, given, line, capsys):
    source = collected(tmp_path, joints=rows())
    assert calibrated(tmp_path, "--from", source, *given) == 2
    err = capsys.readouterr().err
    assert line in err
    assert err.count("\n") == 1
    assert nothing_in(tmp_path / "out")
