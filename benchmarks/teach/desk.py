"""The things on the person's desk: the operator page in Chromium, and a SpaceMouse behind the real spacenavd.

Browser, daemon and the cap on a serial line are those of the tests.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.teach.person import View
from tests.spacenav_kit import Cap
from tests.web_kit import Browser

__all__ = ["BrowserPage", "SpaceMouseHand"]

AXES = 6
LOOK = """(() => {
  const text = (selector) => document.querySelector(selector)?.textContent ?? "";
  const steps = /step ([0-9]+)/.exec(text("#list"));
  const lines = [...document.querySelectorAll("#lines li")].map((line) => line.textContent);
  return JSON.stringify({ banner: text("#banner"), operates: text("#role") === "you operate",
                          steps: steps ? Number(steps[1]) : 0, lines });
})()"""
CENTRE = """(() => {
  const box = document.querySelector(%s).getBoundingClientRect();
  return [box.x + box.width / 2, box.y + box.height / 2];
})()"""


class BrowserPage:
    """The page in a tab of Chromium: read as text, and pressed with the mouse. Two threads may use it.

    Args:
        browser: The browser.
        address: The page's, as the command printed it.
    """

    def __init__(self, browser: Browser, address: str) -> None:
        self._browser, self._lock = browser, threading.Lock()
        self._browser.open(address)

    def look(self) -> View:
        """Read the page."""
        with self._lock:
            found = json.loads(self._browser.value(LOOK))
        return View(found["banner"], found["operates"], found["steps"], tuple(found["lines"]))

    def take_control(self) -> None:
        """Press `Take control`, if the button says that."""
        with self._lock:
            if self._browser.text("#take") == "Take control":
                self._click("#take")

    def press(self, request: str) -> None:
        """Press the button of a request."""
        with self._lock:
            self._click(f"[data-request={request}]")

    def keep_picture(self, path: Path) -> None:
        """Write a picture of the page."""
        with self._lock:
            path.write_bytes(self._browser.screenshot())

    def _click(self, selector: str) -> None:
        x, y = self._browser.value(CENTRE % json.dumps(selector))
        for kind in ("mousePressed", "mouseReleased"):
            self._browser.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)


class SpaceMouseHand:
    """A hand on the cap of a SpaceMouse.

    Args:
        cap: The emulated SpaceMouse, which the daemon drives.
        mapping: The mapping of the device that the product uses, to know which way to push.
    """

    def __init__(self, cap: Cap, mapping: Mapping[str, Any]) -> None:
        self._cap = cap
        self._axes, self._scale = tuple(mapping["axes"]), tuple(mapping["scale"])
        self._full = float(mapping["full_scale"])
        self._down: set[int] = set()

    def push(self, twist: NDArray[np.float64]) -> None:
        """Deflect the cap, so that the product makes this twist of it. Shape (6,)."""
        raw = [0] * AXES
        for axis, scale, value in zip(self._axes, self._scale, twist, strict=True):
            raw[axis] = round(float(value) / scale * self._full)
        self._cap.push(raw)

    def let_go(self) -> None:
        """Let the cap spring back."""
        self._cap.let_go()

    def press(self, button: int, down: bool) -> None:
        """Press or release a button."""
        (self._down.add if down else self._down.discard)(button)
        self._cap.buttons(*sorted(self._down))
