"""The actor node itself, from the launch of a UR under MoveIt Servo to demonstrations that succeeded."""

import numpy as np
import pytest
from controller_bench import PATIENT
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from ros_kit import Probe, Process, node_arguments, wait_until
from std_srvs.srv import SetBool, Trigger
from stub_servo import JOINT_JOG, TWIST, ServoUr

DEMOS = 2


class ActorBench:
    """Stub, watchdog and actor, as a person has them."""

    def __init__(self, folder) -> None:
        self.stub = ServoUr()
        overrides = str(["safety=default", f"demo.demos={DEMOS}", *PATIENT])
        given = {"robot": "ur_servo", "task": "reach", "overrides": overrides}
        self.watchdog = Process(folder, "actor_ros.watchdog_node", *node_arguments(**given))
        given |= {"device": "scripted", "work": "demonstrate", "run_root": str(folder / "runs"), "run_name": "ur"}
        self.actor = Process(folder, "actor_ros.actor_node", *node_arguments(**given))
        self.probe = Probe()

    def change(self, transition: int) -> bool:
        request = ChangeState.Request(transition=Transition(id=transition))
        return self.probe.call(ChangeState, "actor/change_state", request).success

    def enable(self):
        return self.probe.call(SetBool, "actor/enable", SetBool.Request(data=True))

    def close(self) -> None:
        self.actor.stop()
        self.watchdog.stop()
        self.probe.close()
        self.stub.close()


@pytest.fixture
def bench(dds, interfaces, tmp_path):
    bench = ActorBench(tmp_path)
    yield bench
    bench.close()


def test_a_person_brings_a_ur_under_servo_to_demonstrations(bench):
    bench.stub.pose_frame = "base_link"
    line = "cannot be configured: wrong frame: tcp_pose_broadcaster/pose: expected frame_id 'base', found 'base_link'"
    wait_until(
        lambda: not bench.change(Transition.TRANSITION_CONFIGURE) and line in bench.actor.output(),
        lambda: f"{line} in {bench.actor.output()}",
    )
    bench.stub.pose_frame = "base"
    wait_until(lambda: bench.change(Transition.TRANSITION_CONFIGURE), lambda: f"configured: {bench.actor.output()}")
    assert bench.change(Transition.TRANSITION_ACTIVATE)
    before = bench.stub.arm.pose.copy()
    assert bench.stub.servo.command_type == JOINT_JOG
    assert not bench.stub.manager.is_active("forward_position_controller"), "so far nothing was changed"
    wait_until(lambda: bench.enable().success, lambda: f"enabled: {bench.actor.output()}")
    assert bench.stub.servo.command_type == TWIST
    assert bench.stub.manager.is_active("forward_position_controller")
    wait_until(lambda: np.linalg.norm(bench.stub.arm.pose[:3] - before[:3]) > 0.02, "an arm that moves")
    bench.stub.fail()
    wait_until(lambda: "robot_fault" in bench.actor.output(), "a stop by name")
    assert "actor/recover first" in bench.enable().message
    answer = wait_until(lambda: (a := bench.probe.call(Trigger, "actor/recover")).success and a, "recovered")
    assert answer.message == ""
    wait_until(lambda: bench.enable().success, lambda: f"enabled: {bench.actor.output()}")
    wait_until(
        lambda: "demonstrate ended: " in bench.actor.output(), lambda: f"the end of it: {bench.actor.output()}", 120.0
    )
    assert f"demonstrate ended: {DEMOS} demonstrations in " in bench.actor.output()
    assert bench.stub.ignored == []
