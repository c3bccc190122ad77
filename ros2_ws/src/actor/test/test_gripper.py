"""Grippers over real DDS: real action types, servers as their sources say, the watchdog's sender as it is."""

import sys
import time
from itertools import pairwise

import pytest
from gripper_bench import Bench, Robot, profile_of
from ros_kit import Probe, wait_until
from sensor_msgs.msg import JointState
from std_msgs.msg import Float64MultiArray
from stub_grippers import ControllerGripper, FrankaHand

from actor_ros.gripper import Gripper
from steadyhand.robot_envs.gripper_profile import GripperProfile


@pytest.fixture
def bench(dds, interfaces):
    open_ones = []

    def make(profile: GripperProfile, meets: bool = True) -> Bench:
        open_ones.append(Bench(profile))
        if meets and profile.kind != "topic":
            open_ones[-1].meet()
        return open_ones[-1]

    yield make
    for one in open_ones:  # the drivers are closed already
        one.part()
        one.close()


@pytest.fixture
def driver(dds, interfaces):
    open_ones = []

    def start(kind, *arguments, **named):
        open_ones.append(kind(*arguments, **named))
        return open_ones[-1]

    yield start
    for one in open_ones:
        one.close()


@pytest.mark.parametrize("parallel", [False, True])
def test_an_angular_reversed_gripper_is_led_both_ways(bench, driver, parallel):
    kind = "parallel_gripper_command" if parallel else "gripper_command"
    hand = driver(ControllerGripper, parallel, width=0.085)
    bench = bench(profile_of("robotiq_2f85", f"gripper.kind={kind}"))
    bench.gripper.ask(0.0)
    wait_until(lambda: hand.position() > 0.79, "closed fingers")
    assert hand.goals[-1] == 0.8
    steps = [after - before for before, after in pairwise(hand.goals)]
    assert all(0.0 < step <= 0.1 * 0.1 / 0.085 * 0.8 + 1e-9 for step in steps), "closing, at 0.1 m/s"
    assert set(hand.efforts) == {50.0}
    closing = len(hand.goals)
    bench.gripper.ask(0.085)
    wait_until(lambda: hand.position() < 0.01, "open fingers")
    assert hand.goals[-1] == pytest.approx(0.0)
    assert all(after < before for before, after in pairwise(hand.goals[closing:]))
    assert bench.problems == []


def test_fingers_that_stall_on_a_part_hold_it_and_that_is_no_failure(bench, driver):
    hand = driver(ControllerGripper, True)
    hand.part = 0.03
    bench = bench(profile_of("robotiq_2f85"))
    bench.gripper.ask(0.0)
    wait_until(lambda: hand.goals and hand.goals[-1] == 0.8 and hand.width == 0.03, "a part that is held")
    time.sleep(3 * ControllerGripper.STALL_TIMEOUT_S)
    assert bench.problems == []
    bench.gripper.ask(0.085)
    wait_until(lambda: hand.width > 0.084, "open fingers")


def test_an_aborted_goal_is_one_line_and_is_tried_again(bench, driver):
    hand = driver(ControllerGripper, False)
    hand.fails = True
    bench = bench(profile_of("robotiq_2f85", "gripper.kind=gripper_command", "gripper.limits.retry_s=0.5"))
    bench.gripper.ask(0.0)
    wait_until(lambda: bench.problems, "a problem")
    assert bench.problems == [
        "gripper: /robotiq_gripper_controller/gripper_cmd failed: it was aborted without a stall",
    ]
    hand.fails = False
    wait_until(lambda: hand.position() > 0.79, "closed fingers")
    wait_until(lambda: not bench.gripper.problem, "an end of the problem")


def test_a_refused_goal_is_one_line(bench, driver):
    hand = driver(ControllerGripper, True)
    hand.rejects = True
    bench = bench(profile_of("robotiq_2f85"))
    bench.gripper.ask(0.0)
    wait_until(lambda: bench.problems, "a problem")
    assert "/robotiq_gripper_controller/gripper_cmd: the server refuses the goal" in bench.problems[0]


@pytest.mark.parametrize("name", ["franka_hand", "robotiq_2f85"])
def test_a_server_that_is_not_there_is_one_line_and_blocks_nothing(bench, driver, name):
    # A name of its own: a server of the test before may not have left yet.
    own = f"late_{name}"
    topic = f"{own}/joint_states" if name == "franka_hand" else "joint_states"
    profile = profile_of(name, f"gripper.command={own}", f"gripper.state_topic={topic}", "gripper.limits.retry_s=1.0")
    bench = bench(profile, meets=False)
    state = bench.probe.publisher(profile.state_topic, JointState)
    state.publish(JointState(name=[profile.joint], position=[profile.open.position]))
    bench.gripper.ask(0.0)
    wait_until(lambda: bench.problems, "a problem")
    time.sleep(2.5)  # some tries
    assert len(bench.problems) == 1
    assert "no server of the action" in bench.problems[0]
    assert profile.command in bench.problems[0]
    assert bench.longest_tick_s < 0.05
    kind, given = (FrankaHand, ()) if name == "franka_hand" else (ControllerGripper, (True,))
    hand = driver(kind, *given, name=own)
    wait_until(lambda: hand.width < 0.001, "closed fingers")
    wait_until(lambda: not bench.gripper.problem, "an end of the problem")


@pytest.mark.parametrize("name", ["franka_hand", "robotiq_2f85"])
def test_a_server_that_does_not_answer_is_one_line_and_is_asked_again(bench, driver, name):
    hand = driver(FrankaHand) if name == "franka_hand" else driver(ControllerGripper, True)
    bench = bench(profile_of(name, "gripper.limits.retry_s=0.5"))
    wait_until(lambda: bench.gripper._opening_m > 0.05, "its state")
    hand.freeze()
    bench.gripper.ask(0.0)
    wait_until(lambda: bench.problems, "a problem")
    assert len(bench.problems) == 1
    assert "expected an answer of the server, found none" in bench.problems[0]
    hand.thaw()
    wait_until(lambda: hand.width < 0.001, "closed fingers")
    wait_until(lambda: not bench.gripper.problem, "an end of the problem")
    assert hand.overlaps == 0


def test_the_franka_hand_opens_by_move_and_closes_by_grasp_with_force(bench, driver):
    hand = driver(FrankaHand)
    hand.part = 0.025
    bench = bench(profile_of("franka_hand"))
    bench.gripper.ask(0.0)
    wait_until(lambda: hand.width == 0.025, "a part that is held")
    assert hand.goals == [("grasp", 0.0, 0.1, 30.0)]
    bench.gripper.ask(10.0)
    wait_until(lambda: hand.width > 0.0799, "open fingers")
    assert hand.goals[1:] == [("move", 0.08, 0.1, 0.0)]
    assert bench.problems == []


def test_the_franka_hand_gets_one_goal_at_a_time_however_often_it_is_asked(bench, driver):
    hand = driver(FrankaHand)
    bench = bench(profile_of("franka_hand", "gripper.limits.min_period_s=0.02"))
    for number in range(20):
        bench.gripper.ask(0.0 if number % 2 == 0 else 0.06)
        time.sleep(0.05)
    bench.gripper.ask(0.01)
    wait_until(lambda: hand.goals and hand.goals[-1][1] == 0.01 and abs(hand.width - 0.01) < 1e-6, "the last wish")
    assert len(hand.goals) > 3
    assert hand.overlaps == 0
    assert bench.problems == []


def test_the_franka_hand_stops_when_the_watchdog_does_and_goes_on_after(bench, driver):
    hand = driver(FrankaHand)
    bench = bench(profile_of("franka_hand", "gripper.limits.max_speed_m_s=0.02"))
    bench.gripper.ask(0.0)
    wait_until(lambda: hand.width < 0.07, "fingers that close")
    bench.may_move = False
    wait_until(lambda: hand._busy == 0, "fingers that stand")
    width = hand.width
    assert width > 0.02
    time.sleep(0.3)
    assert hand.width == width
    bench.may_move = True
    wait_until(lambda: hand.width < 0.001, "closed fingers")
    assert bench.problems == []


def test_what_the_franka_hand_says_of_its_failure_is_in_the_line(bench, driver):
    hand = driver(FrankaHand)
    hand.error = "libfranka gripper: Command failed!"
    bench = bench(profile_of("franka_hand"))
    bench.gripper.ask(0.0)
    wait_until(lambda: bench.problems, "a problem")
    assert bench.problems == ["gripper: /franka_gripper/grasp failed: libfranka gripper: Command failed!"]


@pytest.mark.parametrize(
    ("name", "package", "remedy"),
    [
        ("franka_hand", "franka_msgs", "source the workspace that has franka_ros2"),
        ("robotiq_2f85", "control_msgs", "sudo apt-get install ros-jazzy-control-msgs"),
    ],
)
def test_a_package_that_is_not_installed_is_named(dds, monkeypatch, name, package, remedy):
    for module in (package, f"{package}.action"):
        monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.delenv("ROS_DISTRO", raising=False)
    probe = Probe(name="watchdog")
    try:
        with pytest.raises(ImportError, match=f"needs the package {package}, which is not installed; {remedy}"):
            Gripper(probe.node, profile_of(name))
    finally:
        probe.close()


def test_the_watchdog_keeps_the_range_and_the_speed_and_stops_with_the_arm(dds, tmp_path):
    robot = Robot(tmp_path)
    try:
        robot.probe.listen("gripper_position_controller/commands", Float64MultiArray)
        state = robot.probe.publisher("gripper/joint_states", JointState)
        state.publish(JointState(name=["fr3_finger_joint1"], position=[0.0]))
        heard = robot.probe.heard["gripper_position_controller/commands"]
        robot.wish = 10.0
        wait_until(lambda: heard and heard[-1][1].data[0] == pytest.approx(0.04), "the open end")
        opening = [(at, message.data[0] * 2) for at, message in heard]
        assert max(width for _, width in opening) <= 0.08 + 1e-9
        assert opening[0][1] <= 0.5 * 0.02 + 1e-9, "the first step is no jump"
        assert all(after - before <= 0.5 * 0.02 + 1e-9 for (_, before), (_, after) in pairwise(opening))
        robot.wish = -5.0
        wait_until(lambda: heard[-1][1].data[0] == 0.0, "the closed end")
        assert min(message.data[0] for _, message in heard) == 0.0
        robot.commands_arm = False
        wait_until(lambda: robot.reason() == "no_commands", "an arm without commands")
        count = len(heard)
        robot.wish = 0.08
        time.sleep(0.5)
        assert len(heard) == count, "no motion of the gripper while the arm is not commanded"
        assert "found 10 m; its end is taken" in robot.watchdog.output()
    finally:
        robot.close()


def test_the_watchdog_leads_a_gripper_that_is_an_action(dds, interfaces, driver, tmp_path):
    hand = driver(ControllerGripper, True)
    robot = Robot(tmp_path, "gripper=robotiq_2f85")
    try:
        robot.wish = 0.0
        wait_until(lambda: hand.position() > 0.79, "closed fingers")
        robot.wish = 0.0425
        wait_until(lambda: hand.goals[-1] == pytest.approx(0.4), "fingers half open")
    finally:
        robot.close()
    assert "Traceback" not in robot.watchdog.output()
