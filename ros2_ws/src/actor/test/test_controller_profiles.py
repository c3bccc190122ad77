"""Each profile with the real watchdog before a stub of its controller."""

import time
from types import SimpleNamespace

import numpy as np
import pytest
from geometry_msgs.msg import PoseStamped, TwistStamped, WrenchStamped
from ros_kit import Probe, Process, node_arguments, wait_until
from sensor_msgs.msg import JointState
from std_msgs.msg import String
from std_srvs.srv import Trigger
from stub_controller import CRISP, FZI, UR_FZI, UR_SERVO, StubController

from actor_ros import conversions
from actor_ros.fault_source import franka_is_well
from actor_ros.gains import set_gains
from actor_ros.recovery import recover
from robot_envs.profile import RosRobotConfig
from robot_envs.robot import RobotError
from runtime.config import build, compose

PERIOD_S = 0.1
# A machine that stands still for 0.1 s silences every source, and the watchdog is right to latch that.
STALLS = ("state_silent", "fault_source_silent")
TRIES = 4
HABITS = {"crisp_fr3": CRISP, "fzi_cartesian": FZI, "ur_fzi": UR_FZI, "ur_servo": UR_SERVO}
# There is no wheel of franka_msgs, so its topic is replaced; what is read from its message is tested below.
OVERRIDES = {
    "crisp_fr3": [
        "robot.profile.fault.kind=bool",
        "robot.profile.fault.topic=stub/robot_ok",
        "robot.profile.fault.latched=true",
        "robot.profile.fault.max_age_s=null",
    ]
}


class Bench:
    """A stub controller, the watchdog with its profile, and a probe in the actor's place."""

    def __init__(self, name: str, folder) -> None:
        overrides = OVERRIDES.get(name, [])
        robot = compose([f"robot={name}", *overrides])["robot"]
        self.profile = build(RosRobotConfig, robot, "robot").profile
        self.stub = StubController(HABITS[name])
        listed = f"[{','.join(overrides)}]" if overrides else "['']"
        self.watchdog = Process(folder, "actor_ros.watchdog_node", *node_arguments(robot=name, overrides=listed))
        self.probe = Probe()
        topics = self.profile.topics
        self.probe.listen(topics.pose, PoseStamped)
        self.probe.listen(topics.joint_states, JointState)
        self.probe.listen(topics.wrench, WrenchStamped)
        self.probe.listen("watchdog/stop_reason", String, "latched")
        if topics.twist:
            self.probe.listen(topics.twist, TwistStamped)
        self.expect_reason("no_commands")

    def close(self) -> None:
        self.watchdog.stop()
        self.probe.close()
        self.stub.close()

    def reason(self) -> str | None:
        assert self.watchdog.is_running(), self.watchdog.output()
        heard = self.probe.heard["watchdog/stop_reason"]
        return heard[-1][1].data if heard else None

    def expect_reason(self, *reasons: str) -> None:
        try:
            wait_until(lambda: self.reason() in reasons, f"stop reason {reasons}")
        except AssertionError as error:
            raise AssertionError(f"{error}, found {self.reason()!r}") from None

    def rearm(self) -> None:
        wait_until(lambda: self.probe.call(Trigger, "watchdog/rearm").success, "a rearmed watchdog")

    def pose(self) -> np.ndarray:
        return conversions.pose_to_array(self.probe.last(self.profile.topics.pose).pose)

    def lead(self, steps: int, by=(0.01, 0.0, 0.0)) -> None:
        """What the actor does: a step from the measured pose, ten times a second, in the profile's mode."""
        stamp, frame = conversions.stamp_from_ns(0), self.profile.base_frame
        for _ in range(steps):
            if self.profile.command_mode == "pose":
                pose = self.pose()
                pose[:3] += by
                message = conversions.pose_from_array(pose, frame, stamp)
            else:
                twist = np.array([*by, 0.0, 0.0, 0.0]) / PERIOD_S
                message = conversions.twist_from_array(twist, frame, stamp)
            self.probe.publisher("actor/command", type(message)).publish(message)
            time.sleep(PERIOD_S)

    def lead_undisturbed(self, steps: int) -> np.ndarray:
        """Lead until it was done without a stall of the machine; returns where the arm was before."""
        for _ in range(TRIES):
            before = self.stub.position
            self.lead(steps)
            if self.reason() not in STALLS:
                return before
            self.rearm()
        raise AssertionError(f"{TRIES} stalls of the machine in a row")

    def lead_to_the_end(self, steps: int) -> None:
        """The same, until the watchdog holds for want of commands."""
        for _ in range(TRIES):
            self.lead_undisturbed(steps)
            self.expect_reason("no_commands", *STALLS)
            if self.reason() == "no_commands":
                return
            self.rearm()
        raise AssertionError(f"{TRIES} stalls of the machine in a row")


@pytest.fixture(scope="module", params=HABITS)
def bench(request, dds, tmp_path_factory):
    bench = Bench(request.param, tmp_path_factory.mktemp(request.param))
    yield bench
    bench.close()


def test_the_arm_goes_where_it_is_told_and_nothing_is_ignored(bench):
    before = bench.lead_undisturbed(5)
    moved = bench.stub.position[:3] - before[:3]
    assert moved[0] > 0.02
    assert np.abs(moved[1:]).max() < 1e-3
    assert bench.stub.ignored == []
    # At the actor's own rate there would be one for every command; a crowded machine may bring one or two about.
    assert bench.stub.timeouts < 3, "the watchdog sends faster than the controller's own time limit"


def test_it_stops_when_the_actor_does(bench):
    bench.lead_to_the_end(3)
    at = bench.stub.position[:3]
    wait_until(lambda: _is_at_rest(bench.stub), "an arm at rest")
    assert np.linalg.norm(bench.stub.position[:3] - at) < 0.02


def _is_at_rest(stub: StubController) -> bool:
    first = stub.position[:3]
    time.sleep(0.05)
    return bool(np.abs(stub.position[:3] - first).max() < 1e-6)


def test_a_push_on_the_tool_reads_the_same_on_every_robot(bench):
    message = bench.probe.last(bench.profile.topics.wrench)
    wrench = conversions.wrench_to_array(message, bench.profile.wrench, StubController.START[3:])
    assert wrench == pytest.approx([0, 0, -10, 0, 0, 0])


def test_joints_are_found_by_name_in_the_drivers_order(bench):
    message = bench.probe.last(bench.profile.topics.joint_states)
    position, _ = conversions.joints_to_arrays(message, bench.profile.joints)
    assert position.shape == (len(bench.profile.joints),)
    by_name = dict(zip(message.name, message.position, strict=True))
    assert position.tolist() == [by_name[name] for name in bench.profile.joints]
    assert list(message.name)[: len(position)] != list(bench.profile.joints), "the driver's order is another"


def test_gains_are_set_read_back_and_a_refusal_is_heard(bench):
    gains = bench.profile.gains
    if gains is None:
        assert bench.stub.habits.gains == [], "a controller without gains has a profile without"
        return
    for wanted in (gains.precision, gains.compliance):
        assert set_gains(bench.probe.node, gains.node, wanted, 10.0) == wanted
    bench.stub.limit_gain = 1.0
    with pytest.raises(RobotError, match="refuses the gains: too stiff"):
        set_gains(bench.probe.node, gains.node, gains.precision, 10.0)
    bench.stub.limit_gain = np.inf


def test_a_stop_of_the_robot_latches_until_recovered_and_rearmed(bench):
    if bench.profile.fault is None:
        assert bench.stub.habits.running is None, "a robot that reports its health has a profile that listens"
        return
    bench.lead_undisturbed(2)
    ignored = len(bench.stub.ignored)
    bench.stub.fail()
    bench.expect_reason("robot_fault")
    bench.lead(3)
    assert len(bench.stub.ignored) - ignored <= 3, "what was on its way; nothing is sent to a robot with a fault"
    assert not bench.probe.call(Trigger, "watchdog/rearm").success
    triggers = tuple(step for step in bench.profile.recover if step.kind == "trigger")
    others = tuple(step for step in bench.profile.recover if step.kind != "trigger")
    recover(bench.probe.node, triggers, 10.0)
    assert bench.stub.steps_taken == [step.name for step in triggers]
    for step in others:  # their packages come with the robot
        with pytest.raises(RobotError, match=r"needs the package (franka|controller_manager)_msgs"):
            recover(bench.probe.node, (step,), 10.0)
    if not triggers:
        bench.stub.recover_by_hand()
    bench.lead(2)
    bench.expect_reason("robot_fault")
    bench.rearm()
    bench.lead_to_the_end(2)


@pytest.mark.parametrize(("mode", "is_well"), [(0, False), (1, True), (2, True), (3, False), (4, False), (5, False)])
def test_what_a_franka_says_of_itself(mode, is_well):
    assert franka_is_well(SimpleNamespace(robot_mode=mode)) is is_well
