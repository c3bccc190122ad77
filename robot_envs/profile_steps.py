"""Steps and checks of a controller's profile, after which the robot follows commands. The module needs no ROS.

Names of services, actions, nodes and topics are relative to the robot's namespace.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Literal

__all__ = ["Check", "Step"]

_SERVICE_TYPE = re.compile(r"[a-z][a-z0-9_]*/srv/[A-Z][A-Za-z0-9]*")


@dataclass(frozen=True)
class Step:
    """One step of `activate` or `recover`; only the operator's `actor/enable` and `actor/recover` start them.

    Attributes:
        kind: trigger = std_srvs/srv/Trigger; service = a service of another type; switch_controller = the controller
            manager activates a controller in place of those that command the same joints, and does nothing while it is
            active; franka_error_recovery = the action franka_msgs/action/ErrorRecovery.
        name: Name of the service, the action, or the controller.
        type: Type of the service, as package/srv/Type; for kind service only.
        request: Fields of the request, nested ones as mappings; for kind service only.
        expect: Fields of the response that indicate success, and their values; for kind service only.
        otherwise: Another Trigger service that is called if the first one refuses; for kind trigger only.
        send_pose_first: True if the measured pose is set as the controller's target before its activation.
        once: True if only the first `actor/enable` after the start and after `actor/recover` takes the step.
        advice: Advice to the operator when the step fails.
    """

    kind: Literal["trigger", "service", "switch_controller", "franka_error_recovery"]
    name: str
    type: str | None = None
    request: dict[str, Any] = field(default_factory=dict)
    expect: dict[str, Any] = field(default_factory=dict)
    otherwise: str | None = None
    send_pose_first: bool = False
    once: bool = False
    advice: str = "look at the robot and try again"

    def __post_init__(self) -> None:
        if self.kind == "service" and (not _SERVICE_TYPE.fullmatch(self.type or "") or not self.expect):
            raise ValueError(
                f"step {self.name}: expected type: package/srv/Type and expect: fields of the answer, found "
                f"{self.type!r} and {self.expect}"
            )
        if self.kind != "service" and (self.type is not None or self.request or self.expect):
            raise ValueError(f"step {self.name}: type, request and expect belong to kind service, found {self.kind}")
        if self.otherwise is not None and self.kind != "trigger":
            raise ValueError(f"step {self.name}: otherwise belongs to kind trigger, found {self.kind}")
        if self.send_pose_first and self.kind != "switch_controller":
            raise ValueError(f"step {self.name}: send_pose_first belongs to kind switch_controller, found {self.kind}")


@dataclass(frozen=True)
class Check:
    """A condition outside the actor, checked before the actor is configured and before motion is enabled.

    Attributes:
        kind: controller_active = the controller manager reports that `name` is active (the check is skipped where
            controller_manager_msgs is not installed); parameter = the node `name` has `parameter` at `value`;
            subscribed = the node `by` subscribes to the topic `name`.
        name: Name of the controller, the node or the topic.
        parameter: Name of the parameter; for kind parameter only.
        value: Expected value of the parameter; for kind parameter only.
        by: Name of a node without its namespace; for kind subscribed only.
        advice: Advice to the operator when the condition does not hold.
    """

    kind: Literal["controller_active", "parameter", "subscribed"]
    name: str
    advice: str
    parameter: str | None = None
    value: bool | int | float | str | None = None
    by: str | None = None

    def __post_init__(self) -> None:
        wanted = {"controller_active": (False, False), "parameter": (True, False), "subscribed": (False, True)}
        found = (self.parameter is not None and self.value is not None, self.by is not None)
        if found != wanted[self.kind]:
            raise ValueError(
                f"check {self.name}: parameter and value belong to kind parameter and by to kind subscribed, "
                f"found kind {self.kind}"
            )
