"""The controller manager of ros2_control (ros-controls/ros2_control, branch jazzy), as far as it switches controllers.

- `controller_manager/list_controllers` gives names, states and interfaces; an inactive controller has its required
  command interfaces filled in and claims none (`controller_manager/src/controller_manager.cpp:2870-2875`).
- `controller_manager/switch_controller` with STRICT fails as a whole: on a name that is not loaded, on a controller
  that is in the wanted state already, on an interface that another active controller claims (`SwitchController.srv`,
  comment on strictness). A hardware may refuse two kinds of command on one joint as well: the UR's does
  (`ur_robot_driver/src/hardware_interface.cpp:1291-1330`).
- A hardware whose `read` fails takes all its controllers down and, where it has no `on_error` of its own, is
  finalized for good (`hardware_interface/src/hardware_component.cpp:241-266`); franka_hardware has none
  (`franka_hardware/src/franka_hardware_interface.cpp:251-257`).
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Controller:
    """One loaded controller.

    Attributes:
        is_active: As spawned, without or with --inactive.
        interfaces: The command interfaces that it claims while it is active.
        on_activate: Called when it is activated.
    """

    is_active: bool
    interfaces: list[str] = field(default_factory=list)
    on_activate: object = None


class ControllerManager:
    """The two services.

    Args:
        node: Of the stub.
        controllers: By name.
    """

    def __init__(self, node, controllers: dict[str, Controller]) -> None:
        from controller_manager_msgs.srv import ListControllers, SwitchController

        self.controllers = controllers
        self.is_finalized = False
        self.switches: list[tuple[list[str], list[str]]] = []
        node.create_service(ListControllers, "controller_manager/list_controllers", self._list)
        node.create_service(SwitchController, "controller_manager/switch_controller", self._switch)

    def is_active(self, name: str) -> bool:
        return name in self.controllers and self.controllers[name].is_active

    def hardware_fails(self) -> None:
        """All controllers end with their hardware."""
        self.is_finalized = True
        for controller in self.controllers.values():
            controller.is_active = False

    def switch(self, activate: list[str], deactivate: list[str]) -> str:
        """Switch, all or nothing; returns why not."""
        self.switches.append((activate, deactivate))
        if unknown := [name for name in (*activate, *deactivate) if name not in self.controllers]:
            return f"{unknown[0]} is not loaded"
        if self.is_finalized:
            return "the hardware component is finalized"
        for name in activate:
            if self.controllers[name].is_active:
                return f"{name} is active already"
            joints = {interface.split("/")[0] for interface in self.controllers[name].interfaces}
            for other_name, other in self.controllers.items():
                taken = {interface.split("/")[0] for interface in other.interfaces}
                if other.is_active and other_name not in deactivate and joints & taken:
                    return f"{other_name} claims what {name} needs"
        if idle := [name for name in deactivate if not self.controllers[name].is_active]:
            return f"{idle[0]} is not active"
        for name in deactivate:
            self.controllers[name].is_active = False
        for name in activate:
            self.controllers[name].is_active = True
            if self.controllers[name].on_activate is not None:
                self.controllers[name].on_activate()
        return ""

    def _list(self, _, response):
        from controller_manager_msgs.msg import ControllerState

        for name, controller in self.controllers.items():
            response.controller.append(
                ControllerState(
                    name=name,
                    state="active" if controller.is_active else "inactive",
                    claimed_interfaces=controller.interfaces if controller.is_active else [],
                    required_command_interfaces=controller.interfaces,
                )
            )
        return response

    def _switch(self, request, response):
        assert request.strictness == request.STRICT
        response.message = self.switch(list(request.activate_controllers), list(request.deactivate_controllers))
        response.ok = not response.message
        return response
