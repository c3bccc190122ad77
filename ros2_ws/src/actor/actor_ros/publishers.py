"""The publishers of the actor's events: authority, actions, and episode."""

from __future__ import annotations

import array
from typing import Any

from diagnostic_msgs.msg import DiagnosticStatus, KeyValue
from numpy.typing import NDArray
from rclpy.node import Node
from std_msgs.msg import Bool, Float32MultiArray

from actor_ros import qos
from steadyhand.actor.events import (
    ActionChosen,
    BreakBegan,
    Countdown,
    DemoCounted,
    EpisodeBegan,
    EpisodeEnded,
    Events,
    StepEnded,
    Waiting,
)
from steadyhand.actor.operator_break import PARKED

__all__ = ["Publishers"]


class Publishers:
    """Subscriber of `events` that publishes them on the topics of one node."""

    def __init__(self, node: Node, events: Events) -> None:
        event = qos.profile("event")
        self._name = node.get_fully_qualified_name()
        self._intervention = node.create_publisher(Bool, "actor/intervention", event)
        self._policy_action = node.create_publisher(Float32MultiArray, "actor/policy_action", event)
        self._action = node.create_publisher(Float32MultiArray, "actor/action", event)
        self._episode = node.create_publisher(DiagnosticStatus, "actor/episode", qos.profile("latched"))
        self._episodes = self._steps = 0
        self._last_end, self._demonstrations, self._countdown_s = "none yet", "", 0
        events.subscribe(ActionChosen, self._on_action)
        events.subscribe(EpisodeBegan, self._on_begin)
        events.subscribe(StepEnded, self._on_step)
        events.subscribe(EpisodeEnded, self._on_end)
        events.subscribe(BreakBegan, self._on_break)
        events.subscribe(Waiting, self._on_wait)
        events.subscribe(Countdown, self._on_countdown)
        events.subscribe(DemoCounted, self._on_demo)

    def _on_action(self, event: ActionChosen) -> None:
        if event.policy_action is not None:
            self._policy_action.publish(_vector(event.policy_action))
        self._intervention.publish(Bool(data=event.has_human))
        self._action.publish(_vector(event.action))

    def _on_begin(self, event: EpisodeBegan) -> None:
        self._episodes, self._steps = self._episodes + 1, 0
        self._tell("running")

    def _on_step(self, event: StepEnded) -> None:
        self._steps = event.steps
        self._tell("running")

    def _on_end(self, event: EpisodeEnded) -> None:
        self._last_end = event.outcome
        self._tell("ended")

    def _on_break(self, event: BreakBegan) -> None:
        self._tell(PARKED)

    def _on_wait(self, event: Waiting) -> None:
        if event.reason:
            self._tell("waiting")

    def _on_countdown(self, event: Countdown) -> None:
        self._countdown_s = event.left_s
        if event.left_s:
            self._tell("countdown")

    def _on_demo(self, event: DemoCounted) -> None:
        self._demonstrations = f"{event.successes} of {event.wanted}; {event.fate}: {event.quality}"
        self._tell("ended")

    def _tell(self, message: str) -> None:
        values = {
            "episode": self._episodes,
            "step": self._steps,
            "last_ended": self._last_end,
            "countdown_s": self._countdown_s,
            "demonstrations": self._demonstrations,
        }
        status = DiagnosticStatus(level=DiagnosticStatus.OK, name=self._name, message=message)
        status.values = [KeyValue(key=key, value=str(value)) for key, value in values.items()]
        self._episode.publish(status)


def _vector(values: NDArray[Any]) -> Float32MultiArray:
    message = Float32MultiArray()
    message.data = array.array("f", values.tolist())
    return message
