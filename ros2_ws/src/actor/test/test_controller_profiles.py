"""Each profile with the real watchdog before a stub that does as its controller's sources say."""

import numpy as np
import pytest
from controller_bench import PATIENT, STUBS, Bench
from ros_kit import wait_until
from std_srvs.srv import Trigger

from actor_ros.gains import set_gains
from steadyhand.robot_envs.robot import RobotError

TOLERANCE_M = 0.011  # of the task, and a millimetre of what the arm goes on
PUSH = np.array([3.0, -2.0, -10.0, 0.1, 0.2, -0.3])


@pytest.fixture(scope="module", params=STUBS)
def bench(request, dds, interfaces, tmp_path_factory):
    bench = Bench(request.param, tmp_path_factory.mktemp(request.param), *PATIENT)
    yield bench
    bench.close()


def test_from_the_launch_to_reach_by_the_true_pose(bench):
    bench.ready()
    for seed in range(2):
        success, stop, distance = bench.reach(seed)
        assert (success, stop) == (True, "")
        assert distance < TOLERANCE_M
    assert bench.stub.ignored == []


def test_a_push_on_the_tool_reads_the_same_on_every_robot(bench):
    bench.ready()
    # The sensor has a bias, or the task has just tared: what counts is the change.
    before = bench.cell.robot.read().wrench[0]
    bench.stub.arm.push = PUSH
    try:
        wait_until(
            lambda: np.allclose(bench.cell.robot.read().wrench[0] - before, PUSH, atol=1e-6), "the push on the tool"
        )
    finally:
        bench.stub.arm.push = np.zeros(6)


def test_joints_are_found_by_name_in_the_drivers_order(bench):
    bench.ready()
    joints = list(bench.cell.profile.joints)
    position = bench.cell.robot.read().joint_position[0]
    assert sorted(position.tolist()) == pytest.approx([index / 10 for index in range(len(joints))])
    assert position[0] > 0.0, "the driver's order is another"


def test_gains_are_set_and_read_back(bench):
    gains = bench.cell.profile.gains
    if gains is None:
        assert bench.stub.__class__.__name__.startswith("Servo"), "Servo alone has none"
        return
    for wanted in (gains.precision, gains.compliance):
        assert set_gains(bench.probe.node, gains.node, wanted, 10.0) == wanted


def test_a_stop_of_the_robot_latches_until_a_person_recovers_and_enables(bench):
    if bench.cell.profile.fault is None:
        return
    bench.ready()
    ignored, faults = len(bench.stub.ignored), bench.faults
    bench.stub.fail()
    bench.expect_reason("robot_fault")
    wait_until(lambda: bench.faults > faults, "the actor hears of it")
    stands_at = bench.standing()
    assert not bench.probe.call(Trigger, "watchdog/rearm").success
    if bench.config["robot"]["profile"]["fault"]["kind"] == "franka_state":
        with pytest.raises(RobotError, match=r"step 2 of 4 \(joint_state_broadcaster\) failed: .*start its launch"):
            bench.recover()
        bench.stub.restart_driver()
    bench.recover()
    bench.ready()
    assert bench.stub.arm.pose == pytest.approx(stands_at, abs=1e-3)
    success, stop, distance = bench.reach(7)
    assert (success, stop) == (True, "")
    assert distance < TOLERANCE_M
    assert len(bench.stub.ignored) == ignored
