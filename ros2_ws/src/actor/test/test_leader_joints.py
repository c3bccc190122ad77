"""A leader arm whose driver publishes joint states: it fulfils what every device does, over real DDS."""

import math
import subprocess
import sys
from contextlib import ExitStack
from threading import Event

import numpy as np
import pytest
from leader_driver import LeaderDriver
from ros_kit import PACKAGE, ROOT, wait_until

from actor_ros.leader_joints import JointStatesSource
from steadyhand.contracts.device import DeviceContract
from steadyhand.robot_envs.devices.dh_chain import DhChain
from steadyhand.robot_envs.devices.joint_source import JointSource
from steadyhand.robot_envs.devices.make import find_input, make_person
from steadyhand.robot_envs.devices.operator import HOLD
from steadyhand.runtime.build import ConfigError
from steadyhand.runtime.component import find_component
from steadyhand.runtime.config import compose
from tests.leader_kit import HOME, Arm

LEVERS = ",".join(f"{{topic: null, joint: button_{number}, released: 0.0, pressed: 1.0}}" for number in (0, 1))
FAST = (f"device.source.buttons=[{LEVERS}]", "device.retry_s=0.02")
SIGNED = ("device.source.signs=[1,-1,1,-1,1,1,1]", "device.source.offsets_rad=[0,1.5,0,3.1,0,-1.5,0]")
HOLD_S = 0.1  # of a press of a button


def group(*overrides):
    return compose(["device=leader_ros", *FAST, *overrides])["device"]


def source_settings(values):
    return find_component(values["source"], JointSource, "device.source").settings


def driver(values, **more):
    config = find_input(values).settings
    return LeaderDriver(Arm(DhChain(config.dh, config.tool)), source_settings(values), **more)


class TestLeaderOverRos(DeviceContract):
    max_age_s = 0.15
    buttons = ("device.buttons.resume=[1]",)

    @pytest.fixture(autouse=True)
    def around(self, dds):
        self.driver, self.values = None, group(*self.buttons)
        yield
        self.unplug()

    def make_device(self):
        found = find_input(self.values)
        assert found.settings.max_age_s == self.max_age_s
        return found.make()

    def plug_in(self):
        self.driver = driver(self.values)

    def unplug(self):
        if self.driver is not None:
            self.driver.close()
            self.driver = None

    def push(self):
        self.driver.arm.velocity[0] = 0.05

    def let_go(self):
        self.driver.arm.velocity[:] = 0.0

    def press_resume(self):
        self.driver.down["button_1"] = 1.0
        Event().wait(HOLD_S)
        self.driver.down["button_1"] = 0.0


@pytest.fixture
def led(dds):
    """An operator with a leader over ROS, at rest, and the leader's driver."""
    values = group(*SIGNED, "device.max_age_s=1.0")
    with ExitStack() as opened:
        hand = driver(values, other=("finger_joint1", "finger_joint2"))
        opened.callback(hand.close)
        operator = make_person(values, 7)
        opened.callback(operator.close)
        wait_until(lambda: wish(operator) is None and operator.reading.neutral, "a leader at rest")
        yield operator, hand


def wish(operator):
    return operator.act({}, {}, None)


def acts(operator) -> bool:
    return isinstance(wish(operator), np.ndarray)


def test_joints_are_found_by_name_beside_those_of_another_driver(dds):
    values = group(*SIGNED)
    hand = driver(values, other=("finger_joint1",))
    source = JointStatesSource(source_settings(values))
    try:
        reading = source.open()
        np.testing.assert_allclose(reading.joints_rad, HOME, atol=1e-9)
        assert (reading.squeezed, reading.down) == (0.0, frozenset())
        hand.squeezed, hand.down["button_0"] = 0.75, 1.0
        wait_until(lambda: (found := source.read()) is not None and found.down == {0}, "the button")
        assert source.read() is None or source.read() is None  # a message is a reading once
    finally:
        source.close()
        hand.close()


def test_moving_it_moves_the_tool_and_the_trigger_the_gripper(led):
    operator, hand = led
    hand.arm.velocity[1] = -0.04
    wait_until(lambda: acts(operator) and wish(operator)[1] < -0.1, "the motion")
    hand.arm.velocity[:] = 0.0
    wait_until(lambda: wish(operator) is None, "rest")
    hand.squeezed = 1.0
    wait_until(lambda: acts(operator) and wish(operator)[6] == -1.0, "a closing gripper")
    hand.squeezed = 0.0
    wait_until(lambda: acts(operator) and wish(operator)[6] == 1.0, "an opening gripper")


@pytest.mark.parametrize("loss", ["silent", "joint", "nan", "trigger"])
def test_a_lost_leader_holds_until_it_was_at_rest_and_moved_again(led, loss):
    operator, hand = led
    hand.arm.velocity[0] = 0.03
    wait_until(lambda: acts(operator), "the motion")
    sound = hand.arm.joints.copy()
    if loss == "silent":
        hand.is_silent = True
    elif loss == "joint":
        hand.dropped = {"fr3_joint4"}
    elif loss == "nan":
        hand.arm.velocity[:] = 0.0
        hand.arm.joints[2] = math.nan
    else:
        hand.squeezed = math.nan
    wait_until(lambda: wish(operator) is HOLD and math.isinf(operator.reading.age_s), "a lost leader")
    hand.is_silent, hand.dropped, hand.squeezed, hand.arm.joints = False, set(), 0.0, sound
    hand.arm.velocity[0] = 0.03
    wait_until(lambda: not math.isinf(operator.reading.age_s) or wish(operator) is not HOLD, "the leader's return")
    assert wish(operator) is HOLD
    hand.arm.velocity[:] = 0.0
    wait_until(lambda: wish(operator) is HOLD and operator.reading.neutral, "rest")
    hand.arm.velocity[0] = 0.03
    wait_until(lambda: acts(operator), "the person's new action")


def test_without_a_driver_the_line_names_the_topic(dds):
    source = JointStatesSource(source_settings(group("device.source.topic=nowhere/joint_states")))
    with pytest.raises(OSError, match=r"expected a publisher of /nowhere/joint_states, found none; start"):
        source.open()
    source.close()
    source.close()


def test_a_driver_without_a_joint_is_named(dds):
    values = group()
    hand = driver(values)
    hand.dropped = {"fr3_joint7"}
    source = JointStatesSource(source_settings(values))
    try:
        with pytest.raises(OSError, match=r"gello/joint_states: expected a position of fr3_joint7, found button_1"):
            source.open()
    finally:
        source.close()
        hand.close()


@pytest.mark.parametrize(
    ("setting", "line"),
    [
        ("device.source.signs=[1,1]", "signs: expected one entry for each of 7 joints, found 2"),
        ("device.source.offsets_rad=[0]", "offsets_rad: expected one entry for each of 7 joints, found 1"),
        ("device.source.signs=[2,1,1,1,1,1,1]", "signs: expected 1 or -1"),
        ("device.source.joints=[]", "joints: expected a name for each joint"),
        ("device.source.silence_s=0", "silence_s: expected a time above 0 s"),
        ("device.source.trigger.joint=finger", "either a topic or a joint"),
        ("device.source.trigger.pressed=1.0", "pressed: expected another number than released"),
    ],
)
def test_a_wrong_setting_is_one_line(setting, line):
    with pytest.raises(ConfigError, match=line):
        find_input(group(setting))


def test_without_ros_the_settings_are_read_and_the_device_refuses_in_one_line():
    code = (
        "import sys; sys.modules['rclpy'] = None\n"
        "from steadyhand.robot_envs.devices.make import make_device\n"
        "from steadyhand.runtime.config import compose\n"
        "device = make_device(compose(['device=leader_ros'])['device'])\n"
        "try:\n    device.connect()\n"
        "except Exception as error:\n    print(type(error).__name__, error)\n"
    )
    path = f"{PACKAGE}:{ROOT}"
    done = subprocess.run(
        [sys.executable, "-c", code], env={"PYTHONPATH": path, "PATH": ""}, capture_output=True, text=True, timeout=60
    )
    assert "DeviceError leader: expected ROS 2 in this process, found none" in done.stdout, done.stderr
