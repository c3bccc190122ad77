"""Mock robot and watchdog over real DDS, each a process of its own, and a probe that plays the actor."""

import time

import numpy as np
from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import PoseStamped, TwistStamped, WrenchStamped
from ros_kit import Probe, Process, node_arguments, wait_until
from sensor_msgs.msg import JointState, MultiDOFJointState
from std_msgs.msg import Bool, String
from std_srvs.srv import Trigger

from actor_ros import conversions
from steadyhand.robot_envs.safety.limits import SafetyLimits, clip_step, clip_tilt, clip_to_workspace
from steadyhand.runtime.build import build
from steadyhand.runtime.config import compose

CONTROL_PERIOD_S = 0.1
LIMITS = build(SafetyLimits, compose([])["safety"])
HEARD = {
    "current_pose": PoseStamped,
    "current_twist": TwistStamped,
    "joint_states": JointState,
    "external_wrench": WrenchStamped,
    "robot_ok": Bool,
    "gripper/joint_states": JointState,
    "target_pose": PoseStamped,
    "mock_robot/workpieces_state": MultiDOFJointState,
}


class Cell:
    """Mock robot, watchdog and a probe in one namespace."""

    def __init__(self, folder, namespace: str = "/", **mock_parameters: str) -> None:
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self.namespace = namespace
        self.processes: list[Process] = []
        self.start("actor_ros.mock_robot_node", task="peg_insert", **mock_parameters)
        self.watchdog = self.start("actor_ros.watchdog_node")
        self.probe = Probe(namespace=namespace)
        for name, message in HEARD.items():
            self.probe.listen(name, message)
        self.probe.listen("watchdog/stop_reason", String, "latched")
        self.probe.listen("/diagnostics", DiagnosticArray, "event")

    def start(self, module: str, **parameters: str) -> Process:
        name = f"{module}-{len(self.processes)}"
        process = Process(self.folder, module, *node_arguments(self.namespace, **parameters), name=name)
        self.processes.append(process)
        return process

    def close(self) -> None:
        for process in self.processes:
            process.stop()
        self.probe.close()

    @property
    def reason(self) -> str:
        return str(self.probe.last("watchdog/stop_reason").data)

    def expect_reason(self, reason: str) -> None:
        found = wait_until(
            lambda: self.reason in (reason, "outside_workspace") and self.reason, f"stop reason {reason}"
        )
        assert found == reason, self.pose().tolist()

    def pose(self) -> np.ndarray:
        return conversions.pose_to_array(self.probe.last("current_pose").pose)

    def command(self, pose: np.ndarray, frame: str = "base") -> None:
        publisher = self.probe.publisher("actor/command", PoseStamped)
        publisher.publish(conversions.pose_from_array(pose, frame, conversions.stamp_from_ns(0)))

    def step(self, by=(0.0, 0.0, -0.01)) -> None:
        """One command at the control rate, as the gate would let it pass."""
        measured = self.pose()[None]
        target = measured + np.array([*by, 0.0, 0.0, 0.0, 0.0])
        quat = clip_tilt(target[:, 3:], LIMITS)
        target = np.concatenate([clip_to_workspace(target[:, :3], quat, LIMITS), quat], axis=1)
        pose = clip_step(measured, target, LIMITS, CONTROL_PERIOD_S)[0]
        self.command(pose)
        time.sleep(CONTROL_PERIOD_S)

    def wait_for_rest(self) -> None:
        def is_at_rest() -> bool:
            newest = self.probe.heard["current_twist"][-20:]
            return max(abs(message.twist.linear.x) for _, message in newest) < 0.005

        wait_until(is_at_rest, "an arm at rest")

    def rearm(self) -> None:
        wait_until(lambda: self.probe.call(Trigger, "watchdog/rearm").success, "a rearmed watchdog")

    def diagnostics(self, node: str, condition=lambda values: True) -> dict[str, str]:
        def values(array) -> dict[str, str]:
            return {entry.key: entry.value for entry in array.status[0].values}

        wanted = f"{self.namespace.rstrip('/')}/{node}"
        return values(
            self.probe.next("/diagnostics", lambda array: array.status[0].name == wanted and condition(values(array)))
        )
