"""A step of `steadyhand calibrate` on an arm behind ROS: a UR under FZI's controller, watchdog, and the step itself."""

import signal
import threading
from argparse import Namespace

import numpy as np
import pytest
import yaml
from geometry_msgs.msg import PoseStamped
from ros_kit import Probe, Process, node_arguments, wait_until
from sensor_msgs.msg import Image
from std_srvs.srv import SetBool, Trigger
from stub_fzi import FziUr

from actor_ros import conversions
from actor_ros.calibrate_node import cell_config
from steadyhand.runtime.config import compose
from tests.board_kit import facing, renderer

MODULE = "actor_ros.calibrate_node"
# A crowded machine keeps a process waiting; how long is not what these tests ask.
PATIENT = (
    "robot.profile.max_age.pose_s=20.0",
    "robot.profile.max_age.joint_states_s=20.0",
    "robot.profile.max_age.wrench_s=20.0",
    "robot.profile.max_age.image_s=20.0",
    "robot.profile.watchdog.state_timeout_s=20.0",
    "robot.profile.watchdog.command_timeout_s=20.0",
    "safety.max_state_age_s=20.0",
)
CELL = ("robot=ur_fzi", "task=reach", "device=none", "safety=default", *PATIENT)
SLOW = "calibrate.motion.timeout_s=120.0"
START_S, STEP_S = 300.0, 500.0  # until a process has imported everything, and until a step has ended
SIZE = ("calibration.pictures.width=320", "calibration.pictures.height=240")
VIEW = "+camera.views.wrist={height: 48, width: 64, crop: {left: 0.25, top: 0.25, width: 0.5, height: 0.5}}"


class Bench:
    """Stub, watchdog and the process of a step."""

    def __init__(self, folder) -> None:
        self.folder = folder
        self.stub = FziUr()
        overrides = str([word for word in CELL if not word.startswith(("robot=", "task="))])
        given = {"robot": "ur_fzi", "task": "reach", "overrides": overrides}
        self.watchdog = Process(folder, "actor_ros.watchdog_node", *node_arguments(**given))
        self.probe = Probe()
        self.probe.listen("actor/command", PoseStamped, "command")
        self.step: Process | None = None

    def start(self, *words: str) -> Process:
        self.step = Process(self.folder, MODULE, *words, *CELL, "--ros-args", "-r", "__ns:=/")
        return self.step

    @property
    def commands(self) -> int:
        """Number of targets sent by the step. The stub's controller moves by itself until its sensor is zeroed."""
        return len(self.probe.heard["actor/command"])

    def says(self, text: str) -> None:
        wait_until(lambda: text in self.step.output(), lambda: f"{text!r} in {self.step.output()}", START_S)

    def rests(self, wait_s: float = 0.3) -> bool:
        before = self.stub.arm.pose.copy()
        threading.Event().wait(wait_s)
        return bool(np.linalg.norm(self.stub.arm.pose - before) < 1e-6)

    def enable(self) -> None:
        answer = ""

        def enabled() -> bool:
            nonlocal answer
            found = self.probe.call(SetBool, "actor/enable", SetBool.Request(data=True))
            answer = found.message
            return found.success

        wait_until(enabled, lambda: f"motion enabled, found {answer!r}")

    def close(self) -> None:
        if self.step is not None:
            self.step.stop()
        self.watchdog.stop()
        self.probe.close()
        self.stub.close()


@pytest.fixture
def bench(dds, interfaces, tmp_path):
    bench = Bench(tmp_path)
    yield bench
    bench.close()


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_wrench_turns_the_arm_after_an_enable_and_writes_its_file(bench, tmp_path):
    step = bench.start("wrench", "--here", "--out", str(tmp_path / "out"), "calibrate.n_readings=2", SLOW)
    bench.says("motion needs actor/enable: ros2 service call /actor/enable")
    threading.Event().wait(1.0)
    assert bench.commands == 0
    bench.enable()
    assert step.wait(STEP_S) == 0, step.output()
    content = yaml.safe_load(next((tmp_path / "out").glob("wrench-*.yaml")).read_text())
    assert content["belongs_to"] == {"robot.name": "ur"}
    assert content["residuals"]["n_orientations"] == 9
    assert content["values"]["mass_kg"] < 0.05
    assert bench.commands > 9


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_a_stop_on_the_way_holds_and_leaves_no_file(bench, tmp_path):
    step = bench.start("wrench", "--here", "--out", str(tmp_path / "out"), SLOW)
    bench.says("motion needs actor/enable")
    bench.enable()
    bench.says("turning to 9 orientations")
    before = bench.stub.arm.pose.copy()
    wait_until(lambda: np.linalg.norm(bench.stub.arm.pose - before) > 0.01, "an arm that turns")
    assert bench.probe.call(Trigger, "actor/stop").success
    assert step.wait(START_S) == 2
    assert "stopped (person_stop): the arm holds; make it safe, then start again" in step.output()
    stopped_at = bench.stub.arm.pose.copy()
    wait_until(bench.rests, "an arm that stands")
    assert np.allclose(bench.stub.arm.pose, stopped_at, atol=0.01)  # a soft controller settles
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_before_the_enable_moves_nothing(bench, tmp_path, number):
    step = bench.start("wrench", "--here", "--out", str(tmp_path / "out"), SLOW)
    bench.says("motion needs actor/enable")
    step.signal(number)
    assert step.wait(START_S) == 130
    assert bench.commands <= 1, "it is asked to hold where it is, and nothing else"
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_the_reference_of_a_camera_on_the_arm_keeps_the_whole_picture_and_the_pose(bench, tmp_path):
    step = bench.start(
        *("reference", "--camera", "wrist", "--mount", "tool", "--output", str(tmp_path / "out"), VIEW, *SIZE)
    )
    message = conversions.image_from_array(renderer().render(facing()), "wrist", conversions.stamp_from_ns(0))
    driver = bench.probe.publisher("wrist/image_raw", Image, "image")

    def ended() -> bool:
        driver.publish(message)
        threading.Event().wait(0.1)
        return not step.is_running()

    wait_until(ended, lambda: f"the end of {step.output()}", START_S)
    assert step.wait() == 0, step.output()
    content = yaml.safe_load(next((tmp_path / "out").glob("reference-wrist-*.yaml")).read_text())
    assert (content["values"]["width"], content["values"]["height"]) == (320, 240)
    assert content["values"]["tool_pose"][0][:3] == pytest.approx(bench.stub.arm.pose[:3].tolist(), abs=0.002)
    assert len(content["values"]["joint_position_rad"][0]) == 6


@pytest.mark.slow
def test_a_real_arm_needs_limits_of_its_own_cell(dds, tmp_path):
    step = Process(tmp_path, MODULE, "wrench", "--here", "robot=ur_fzi", "task=reach", "device=none")
    assert step.wait(START_S) == 2
    assert "no limits are set for this cell" in step.output()
    assert step.output().strip().count("\n") == 0


def test_the_topics_of_a_step_are_slow_and_have_its_cameras_alone():
    config = compose(["robot=crisp_fr3", "task=reach", "camera=wrist_side_close", "device=spacemouse"])
    motion = compose(["+calibrate=motion"])["calibrate"]["motion"]
    whole = cell_config("collect", Namespace(camera="wrist"), config, motion)
    assert whole["safety"]["max_tcp_speed_m_s"] == motion["max_speed_m_s"]
    assert list(whole["camera"]["views"]) == ["wrist"]
    view = whole["camera"]["views"]["wrist"]
    assert (view["width"], view["height"], view["crop"]["width"]) == (640, 480, 1.0)
    assert whole["device"] == compose(["device=none"])["device"]
    assert cell_config("wrench", Namespace(), config, motion)["camera"]["views"] == {}
    as_it_is = cell_config("latency", Namespace(view=None), config, motion)["camera"]["views"]
    assert as_it_is == config["camera"]["views"]
    uncropped = cell_config("crop", Namespace(view="side"), config, motion)["camera"]["views"]["side"]
    assert uncropped["crop"]["width"] == 1.0
    assert uncropped["width"] == config["camera"]["views"]["side"]["width"]
