"""What a person reads when a controller is not as its profile needs it; each with the arm's true pose."""

import time

import numpy as np
import pytest
from controller_bench import PATIENT, Bench
from ros_kit import wait_until

from steadyhand.robot_envs.robot import RobotError

LED_M = 0.1
STILL_M = 2e-3


@pytest.fixture(scope="module")
def kept(dds, interfaces):
    """The bench that is left for the next test, by its profile; two would hear each other."""
    up: dict[str, Bench] = {}
    yield up
    close_all(up)


def close_all(benches: dict[str, Bench]) -> None:
    while benches:
        benches.popitem()[1].close()


@pytest.fixture
def make_bench(kept, tmp_path):
    """Return a function that starts a profile's bench for this test alone."""
    made = []

    def make(name, *overrides, **stub):
        close_all(kept)
        made.append(Bench(name, tmp_path, *PATIENT, *overrides, **stub))
        return made[-1]

    yield make
    for bench in made:
        bench.close()


@pytest.fixture
def ready_bench(kept, tmp_path_factory):
    """Return a function that makes a profile's bench ready; it may be the one of the test before."""

    def make(name):
        if name not in kept:
            close_all(kept)
            kept[name] = Bench(name, tmp_path_factory.mktemp(name), *PATIENT)
        kept[name].ready()
        return kept[name]

    return make


def led_by_hand(bench) -> np.ndarray:
    """A person leads the arm away while its controller is inactive; returns where it is then."""
    for _ in range(50):  # at a speed at which hands can lead
        pose = bench.stub.arm.pose.copy()
        pose[1] += LED_M / 50
        bench.stub.arm.pose = pose
        time.sleep(0.01)
    wait_until(lambda: np.allclose(bench.cell.link.pose()[:3], pose[:3], atol=1e-4), "the arm as it was led")
    return pose


def moved_m(bench, since: np.ndarray, wait_s: float = 0.5) -> float:
    """The way of the true tool from a pose [m], once the controller has had time to move it."""
    time.sleep(wait_s)
    return float(np.linalg.norm(bench.stub.arm.pose[:3] - since[:3]))


# Frames.


def test_a_pose_in_another_frame(make_bench):
    bench = make_bench("ur_servo")
    bench.stub.pose_frame = "base_link"
    line = bench.fault("wrong frame")
    assert line.startswith("wrong frame: tcp_pose_broadcaster/pose: expected frame_id 'base', found 'base_link'; ")
    bench.expect_reason("wrong_frame")


def test_a_frame_that_changes_while_the_arm_moves_stops_it_by_name(make_bench):
    bench = make_bench("xarm_servo")
    bench.ready()
    success, stop, _ = bench.reach(0, interrupt=lambda: setattr(bench.stub, "pose_frame", "world"))
    assert not success
    assert stop.startswith("robot_fault (wrong frame: current_pose: expected frame_id 'link_base', found 'world'")
    bench.expect_reason("wrong_frame")
    assert moved_m(bench, bench.standing()) < 1e-6
    assert "wrong frame: current_pose" in bench.cell.fault(), "nor is it enabled again"


def test_without_its_transform_a_ur_runs_away(make_bench):
    """The twin: told that `base` is `base_link`, in a box that has both, the arm goes away from where it is to go."""
    box = "safety.workspace_low_m=[-0.7,-0.35,0.005]"
    bench = make_bench("ur_servo", "robot.profile.frames.pose_in_base=null", box)
    bench.ready()
    start = bench.stub.arm.pose.copy()
    success, stop, _ = bench.reach(0)
    assert not success
    assert stop.startswith("robot_fault (watchdog: ")
    assert bench.stub.arm.pose[0] - start[0] > 0.05, "the task is at 0.5 m, where the arm stood"


def test_a_twist_along_the_axes_of_the_tool(make_bench):
    overrides = (
        "robot.profile.topics.twist=current_twist",
        "robot.profile.frames.twist=fr3_hand_tcp",
        "robot.profile.frames.twist_axes=local",
    )
    bench = make_bench("crisp_fr3", *overrides, with_twist=True)
    bench.ready()
    found = []

    def look():
        # Of one period: the stub's velocity and the newest message of it.
        velocity = bench.stub.arm.velocity.copy()
        if np.linalg.norm(velocity[:3]) > 0.02:
            found.append((velocity, bench.cell.robot.read().tcp_twist[0].copy()))

    success, _, _ = bench.reach(0, look)
    assert success
    errors = [np.linalg.norm(ours - true) / np.linalg.norm(true) for true, ours in found]
    assert np.median(errors) < 0.3, "the tool points down: along its own axes y and z would have the other sign"


# Controllers.


@pytest.mark.parametrize("name", ["crisp_fr3", "crisp_ur"])
def test_a_target_from_before_does_not_pull_the_arm(make_bench, name):
    bench = make_bench(name)
    bench.configure()
    bench.stub.impedance.late_target()
    pose = led_by_hand(bench)
    bench.ready()
    assert moved_m(bench, pose) < STILL_M
    assert bench.reach(0)[:2] == (True, "")


def test_without_the_measured_pose_first_it_does(make_bench):
    """The twin: the controller activated as it is."""
    bench = make_bench("crisp_fr3", "robot.profile.activate.0.send_pose_first=false")
    bench.configure()
    bench.stub.impedance.late_target()
    pose = led_by_hand(bench)
    bench.ready()
    assert moved_m(bench, pose) > LED_M / 2


def test_what_the_driver_activates_again_after_a_stop_is_not_the_impedance(make_bench):
    bench = make_bench("crisp_ur")
    bench.ready()
    assert bench.reach(0)[0]
    bench.stub.fail()
    bench.expect_reason("robot_fault")
    bench.stub.impedance.late_target()
    pose = led_by_hand(bench)
    bench.recover()
    assert bench.stub.runs
    assert moved_m(bench, pose) < STILL_M
    bench.enable()
    assert moved_m(bench, pose) < STILL_M


def test_an_inactive_controller_that_publishes_nothing(make_bench):
    bench = make_bench("ur_fzi", is_active=False)
    line = bench.fault("found inactive")
    assert "not heard: cartesian_compliance_controller/current_pose; " in line
    assert "controller cartesian_compliance_controller: expected it to be active, found inactive; call actor/" in line
    pose = bench.stub.arm.pose.copy()
    bench.recover()
    bench.configure()
    assert bench.stub.manager.switches[-1] == (
        ["cartesian_compliance_controller"],
        ["scaled_joint_trajectory_controller"],
    )
    bench.ready()
    assert np.linalg.norm(bench.stub.arm.pose[:3] - pose[:3]) < 0.03, "the weight of the tool, until it was zeroed"
    assert bench.reach(0)[:2] == (True, "")


def test_a_controller_that_is_not_there(make_bench):
    bench = make_bench("crisp_ur")
    del bench.stub.manager.controllers["cartesian_impedance_controller"]
    bench.configure()
    with pytest.raises(
        RobotError, match=r"activate step 2 of 2 \(cartesian_impedance_controller\) failed: it is not l"
    ):
        bench.cell.make_follow()


# FZI's compliance controller.


def test_feedback_that_is_off(make_bench):
    bench = make_bench("fzi_cartesian", feedback=False)
    line = bench.fault("publish_state_feedback")
    assert "not heard: cartesian_compliance_controller/current_pose; " in line
    assert "cartesian_compliance_controller: expected solver.publish_state_feedback True, found False; ros2 pa" in line


def test_a_sensor_that_the_controller_does_not_hear(make_bench):
    bench = make_bench("ur_fzi", remapped=False)
    line = bench.fault("subscribe")
    assert line.startswith(
        "force_torque_sensor_broadcaster/wrench: expected cartesian_compliance_controller to subscribe to it, and it "
        "does not; remap it: "
    )


# Servo.


def test_velocities_that_servo_would_scale(make_bench):
    bench = make_bench("ur_servo", command_in_type="unitless")
    line = bench.fault("command_in_type")
    assert line.startswith("servo_node: expected moveit_servo.command_in_type 'speed_units', found 'unitless'; ")


def test_a_paused_servo_goes_on_from_where_the_arm_is(make_bench):
    bench = make_bench("ur_servo")
    bench.configure()
    bench.stub.servo.is_paused = True
    pose = led_by_hand(bench)
    bench.ready()
    assert not bench.stub.servo.is_paused
    assert moved_m(bench, pose) < STILL_M
    assert bench.reach(0)[:2] == (True, "")


def test_a_servo_that_is_not_there(make_bench):
    bench = make_bench("ur_servo")
    bench.configure()
    bench.stub.servo.end_type_service()
    with pytest.raises(
        RobotError,
        match=r"activate step 5 of 5 \(servo_node/switch_command_type\) failed: .*no server.*launch_servo:=true",
    ):
        bench.cell.make_follow()


# While the arm moves; actor/enable sets each right, so that the next test goes on with the same bench.


def test_a_controller_that_ends_while_the_arm_moves(ready_bench):
    bench = ready_bench("ur_servo")
    success, stop, _ = bench.reach(0, interrupt=lambda: bench.stub.manager.switch([], ["forward_position_controller"]))
    assert not success
    # Whichever is seen first; the controller manager is asked four times a second.
    line = "robot_fault (controller forward_position_controller: expected it to be active, found inactive; enable a"
    assert stop == "not_moving" or stop.startswith(line)
    bench.ready()
    assert bench.reach(0)[:2] == (True, ""), "actor/enable sets it right"


@pytest.mark.parametrize("change", ["command_type", "is_paused"])
def test_a_servo_that_somebody_changes_while_the_arm_moves(ready_bench, change):
    bench = ready_bench("ur_servo")
    success, stop, _ = bench.reach(
        0, interrupt=lambda: setattr(bench.stub.servo, change, 2 if change == "command_type" else True)
    )
    assert not success
    assert stop == "not_moving"
    bench.enable()
    assert bench.reach(0)[:2] == (True, ""), "actor/enable sets it right"


# The UR's driver.


def test_without_headless_mode_the_program_is_played(make_bench):
    bench = make_bench("ur_servo", headless=False)
    bench.ready()
    bench.stub.fail()
    bench.expect_reason("robot_fault")
    bench.recover()
    assert bench.stub.steps_taken[-2:] == [
        "io_and_status_controller/resend_robot_program",
        "dashboard_client/play",
    ]


def test_a_program_that_does_not_start(make_bench):
    bench = make_bench("ur_fzi", "robot.profile.recover.2.otherwise=null", headless=False)
    bench.configure()
    bench.stub.fail()
    bench.expect_reason("robot_fault")
    with pytest.raises(
        RobotError,
        match=r"recover step 3 of 4 \(io_and_status_controller/resend_robot_program\) failed: no reason given; "
        r"start the External Control program on the pendant, or the driver with headless_mode:=true",
    ):
        bench.recover()
