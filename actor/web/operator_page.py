"""The operator page as a face of the supervision: one more place that shows the run and takes a person's requests."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from steadyhand.actor.events import Events
from steadyhand.actor.supervision.supervise import Controls
from steadyhand.actor.web.config import WebConfig
from steadyhand.actor.web.message import Beat
from steadyhand.actor.web.pictures import Pictures
from steadyhand.actor.web.run_view import RunView
from steadyhand.actor.web.server import PageServer
from steadyhand.robot_envs.devices.web import WebDevice
from steadyhand.runtime.clock import MonotonicClock
from steadyhand.runtime.logging import get_logger

__all__ = ["OperatorPage"]

TOKEN_BYTES = 16
RECOVER = "recover"  # the one request that no device has
NO_KEYS: Mapping[str, str] = {}

logger = get_logger("actor.web")


class OperatorPage:
    """Serves the page of a run, with or without a person's controls.

    Without controls (a scripted operator, or none) every page only watches.

    Args:
        config: Address and limits.
        events: The events of the run.
        title: Short text about the run.
        folder: A folder on the disk whose free room is shown.
    """

    def __init__(self, config: WebConfig, events: Events, title: str, folder: Path) -> None:
        self._config, self._events, self._title, self._folder = config, events, title, folder
        self._pictures = Pictures(config.picture_quality)
        self._token = secrets.token_urlsafe(TOKEN_BYTES)
        self._controls: Controls | None = None
        self._server = PageServer(config, self._token, self, self, self._pictures, self._state, self._about)
        self._view = RunView(events, self._pictures, MonotonicClock(), self._server.changed)

    @property
    def address(self) -> str:
        """The address with the token. A browser does not send the part after # to any server."""
        host = f"[{self._config.host}]" if ":" in self._config.host else self._config.host
        return f"http://{host}:{self._server.port}/#{self._token}"

    def start(self) -> None:
        """Begin to serve. Raises WebError when the address cannot be used."""
        self._server.start()

    def stop(self) -> None:
        """End the server."""
        self._server.stop()
        self._events.unsubscribe(self._view)

    def open(self, controls: Controls) -> None:
        """Take the person's controls."""
        if isinstance(controls.device, WebDevice):
            controls.device.serve()
        self._controls = controls

    def close(self) -> None:
        """Let go of the person's controls."""
        self._controls = None

    def arrive(self) -> None:
        """Note that a person operates the page."""
        if (controls := self._controls) is None:
            return
        if isinstance(controls.device, WebDevice):
            controls.device.arrive()
        controls.motion.find_person()
        self._server.changed()

    def leave(self, reason: str, polite: bool) -> None:
        """Note that no person operates the page; the robot holds, unless the person gave up control by choice."""
        if (controls := self._controls) is None:
            return
        if isinstance(controls.device, WebDevice):
            controls.device.leave(reason)
        if not polite:
            logger.warning("%s; the robot stands still until a person takes control or enables motion", reason)
            controls.motion.lose_person()
        self._server.changed()

    def press(self, name: str) -> None:
        """Take a request of the operator's page."""
        if (controls := self._controls) is None:
            return
        if name != RECOVER:
            controls.press(name)
        elif controls.recover is not None:
            controls.recover()
        self._server.changed()

    def move(self, beat: Beat) -> None:
        """Take the state of the operator's keys and pads."""
        if (controls := self._controls) is not None and isinstance(controls.device, WebDevice):
            controls.device.move(beat.twist, beat.held)

    def _about(self) -> dict[str, Any]:
        controls = self._controls
        device = None if controls is None else controls.device
        return {
            "title": self._title,
            "beat_s": self._config.lease_s / 10,
            "controls": controls is not None,
            "jogs": isinstance(device, WebDevice),
            "recovers": controls is not None and controls.recover is not None,
            "keys": NO_KEYS if controls is None else controls.keys,
            "jog_keys": device.config.keys if isinstance(device, WebDevice) else {},
        }

    def _state(self) -> dict[str, Any]:
        controls, motion = self._controls, None
        if controls is not None:
            motion = {
                "enabled": controls.motion.enabled,
                "reason": controls.motion.reason,
                "person_left": controls.motion.person_left,
                "needs_recover": controls.motion.needs_recover,
            }
        return {
            "motion": motion,
            "views": sorted(self._pictures.names()),
            "disk_free_gb": _free_gb(self._folder),
            **self._view.snapshot(),
        }


def _free_gb(folder: Path) -> float | None:
    """Return the free room on the disk of the nearest existing folder."""
    place = next((path for path in (folder, *folder.absolute().parents) if path.is_dir()), None)
    return None if place is None else shutil.disk_usage(place).free / 1e9
