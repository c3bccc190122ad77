"""The operator page of the actor node: the plain actor's page, with the node's own requests behind its buttons."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actor_ros.operator_requests import RECOVER, OperatorRequests
from steadyhand.actor.events import Events
from steadyhand.actor.supervision.motion_enable import MotionEnable
from steadyhand.actor.supervision.supervise import Controls
from steadyhand.person import make_page
from steadyhand.robot_envs.devices.device import Device
from steadyhand.robot_envs.devices.web import WebDevice
from steadyhand.settings import Settings
from steadyhand.terminal import say

if TYPE_CHECKING:
    from steadyhand.actor.web.operator_page import OperatorPage

__all__ = ["OperatorFace"]


class OperatorFace:
    """Serves the page from the node's first configuration to the end of its process, if the settings ask for it.

    So the address stays the same while the node is deactivated, cleaned up and configured again.

    Args:
        requests: Executes the requests of the page.
        motion: The person's enable.
        device: The person's device; None without one.
        events: The events of the node.
    """

    def __init__(self, requests: OperatorRequests, motion: MotionEnable, device: Device | None, events: Events) -> None:
        self._requests, self._motion, self._device, self._events = requests, motion, device, events
        self._page: OperatorPage | None = None

    def serve(self, settings: Settings) -> None:
        """Begin to serve; a second call does nothing.

        The address goes to the standard output, not to the logger of ROS, which publishes its lines on /rosout: the
        address is the key to the arm.

        Raises:
            RuntimeError: The package of the server is missing, or its address is taken.
        """
        if self._page is not None:
            return
        try:
            page = make_page(settings, self._events)
        except ModuleNotFoundError as error:
            raise RuntimeError(
                f"actor.web: expected the package {error.name}, found none; pip install '.[web]'"
            ) from error
        if page is None:
            return
        page.open(self._controls(settings))
        try:
            page.start()
        except RuntimeError:
            page.stop()
            raise
        self._page = page
        say(f"operator page: {page.address}")

    def close(self) -> None:
        """End the page."""
        page, self._page = self._page, None
        if page is not None:
            page.close()
            page.stop()

    def _controls(self, settings: Settings) -> Controls:
        keys = settings.actor.person_keys
        shown = {} if keys is None else keys.keys
        if isinstance(self._device, WebDevice):
            shown = self._device.config.buttons
        requests = self._requests
        return Controls(requests.press, self._motion, self._device, shown, lambda: requests.press(RECOVER))
