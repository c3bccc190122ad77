"""The actor node over real DDS, with mock robot and watchdog, and a person's calls to it."""

from actor_kit import Bench
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from geometry_msgs.msg import PoseStamped
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState, GetState
from ros_kit import Process, node_arguments, wait_until
from std_msgs.msg import Bool, Float32MultiArray, Float64
from std_srvs.srv import SetBool, Trigger

ACTOR = "actor_ros.actor_node"
# A crowded machine keeps a process waiting; what these tests ask is not how long.
PATIENT = (
    "robot.profile.max_age.pose_s=1.5",
    "robot.profile.max_age.joint_states_s=1.5",
    "robot.profile.max_age.wrench_s=1.5",
    "robot.profile.max_age.gripper_s=3.0",
    "robot.profile.fault.max_age_s=3.0",
    "robot.profile.watchdog.state_timeout_s=1.5",
    "safety.max_state_age_s=3.0",
)
ENDLESS = ("demo.demos=500", "demo.max_attempts=1000")
PARK = [0.42, 0.1, 0.42]  # m
HEARD = {
    "current_pose": (PoseStamped, "sensor"),
    "actor/command": (PoseStamped, "command"),
    "actor/gripper_command": (Float64, "command"),
    "actor/intervention": (Bool, "event"),
    "actor/action": (Float32MultiArray, "event"),
    "actor/episode": (DiagnosticStatus, "latched"),
    "/diagnostics": (DiagnosticArray, "event"),
}


class ActorBench(Bench):
    """The bench with the actor on it; it demonstrates with the scripted stand-in, so that it needs no learner."""

    def __init__(self, folder, namespace: str = "/", *, start: bool = True, **parameters: str) -> None:
        super().__init__(folder, namespace, *PATIENT)
        self.folder = folder
        for name, (message, quality) in HEARD.items():
            self.probe.listen(name, message, quality)
        self.given = {
            "robot": "mock_ros",
            "task": "reach",
            "device": "scripted",
            "work": "demonstrate",
            "run_root": str(folder / "runs"),
            "run_name": "ros",
            "overrides": f"[{', '.join((*PATIENT, *ENDLESS))}, 'safety.park_position_m={PARK}']",
        } | parameters
        if start:
            self.start_actor()

    def start_actor(self) -> None:
        self.actor = Process(self.folder, ACTOR, *node_arguments(self.namespace, **self.given))
        self.processes.insert(0, self.actor)

    def state(self) -> str:
        try:
            return self.probe.call(GetState, "actor/get_state", patience_s=10.0).current_state.label
        except AssertionError:  # nodes that have just met may lose an answer
            return "not known"

    def change(self, transition: int) -> bool:
        request = ChangeState.Request(transition=Transition(id=transition))
        return self.probe.call(ChangeState, "actor/change_state", request).success

    def bring_up(self) -> None:
        wait_until(lambda: self.change(Transition.TRANSITION_CONFIGURE), f"a configured actor: {self.actor.output()}")
        wait_until(lambda: self.change(Transition.TRANSITION_ACTIVATE), f"an active actor: {self.actor.output()}")

    def enable(self, allow: bool = True):
        return self.probe.call(SetBool, "actor/enable", SetBool.Request(data=allow))

    def trigger(self, name: str):
        return self.probe.call(Trigger, name)

    def enabled(self) -> None:
        def has_enabled() -> bool:
            answer = self.enable()
            self.answer = answer.message
            return answer.success

        wait_until(has_enabled, "motion enabled")

    def episode(self) -> dict[str, str]:
        message = self.probe.last("actor/episode")
        return {"message": message.message} | {pair.key: pair.value for pair in message.values}

    def wait_for_steps(self) -> None:
        self.probe.next("actor/episode", lambda m: m.message == "running" and value(m, "step") not in ("", "0"))

    def wait_for_end(self, reason: str) -> None:
        wait_until(
            lambda: self.episode().get("last_ended") == reason,
            f"an episode that ended with {reason}, not {self.probe.heard['actor/episode'][-3:]}",
        )

    def moving(self) -> bool:
        return self.probe.call(GetState, "actor/get_state").current_state.label == "active"

    def diagnostics(self) -> dict[str, str]:
        name = f"{self.namespace.rstrip('/')}/actor"
        message = self.probe.next("/diagnostics", lambda m: m.status[0].name == name)
        return {pair.key: pair.value for pair in message.status[0].values}


def value(message, key: str) -> str:
    return next((pair.value for pair in message.values if pair.key == key), "")
