"""The operator page as an input device: keys and pads in a browser, whose messages the page's server delivers here.

A browser reports both ends of a key press, and the page repeats its state while a person operates it. So silence means
that the page is gone, at rest too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from steadyhand.robot_envs.devices.axes_device import AxesDevice
from steadyhand.robot_envs.devices.device import DeviceError, DeviceSettings, check_times
from steadyhand.robot_envs.devices.handle import Handle
from steadyhand.robot_envs.devices.mapping import CLOSE, OPEN, REQUESTS, MappingConfig, check_button_names
from steadyhand.runtime.clock import Clock, MonotonicClock
from steadyhand.runtime.ranges import expect

__all__ = ["WebDevice", "WebDeviceConfig"]

TWIST = 6
GRIPPER = (CLOSE, OPEN)
NUMBERS = {name: number for number, name in enumerate((*GRIPPER, *REQUESTS))}  # of the buttons, by meaning
ABSENT = (
    "expected the operator page, found none; the verbs record, act, eval, run and teleop serve it, and the ROS 2 actor"
)


@dataclass(frozen=True)
class WebDeviceConfig(DeviceSettings):
    """The keys of the page and their meaning.

    Attributes:
        neutral_s: Time at rest after which the page's keys and pads count as released.
        dead_zone: Share of the deflection that counts as rest, in [0, 1).
        keys: Twist of each key, in [-1, 1]: x, y, z, then rotation about x, y, z, in the tool frame.
        buttons: Key of each function: close, open, resume, stop, park, success, failure, again.
    """

    neutral_s: float
    dead_zone: float
    keys: dict[str, tuple[float, ...]]
    buttons: dict[str, str]

    def __post_init__(self) -> None:
        super().__post_init__()
        check_times(self, "neutral_s")
        for key, twist in self.keys.items():
            expected = len(twist) == TWIST and max(map(abs, twist)) <= 1.0
            expect(expected, f"keys.{key}", f"{TWIST} numbers in [-1, 1]", list(twist))
        check_button_names(self.buttons)
        used = [*self.keys, *self.buttons.values()]
        expect(len(set(used)) == len(used), "keys", "one meaning for each key", used)


class PageLine:
    """The link between the page's server and the device; nothing has to be read, as the server calls the device."""

    def __init__(self) -> None:
        self.served = False  # by the server of the page
        self.running = False

    def start(self) -> None:
        """Open the line. Raises DeviceError when no server serves it."""
        if not self.served:
            raise DeviceError(f"{WebDevice.name}: {ABSENT}")
        self.running = True

    def stop(self) -> None:
        """Close the line."""
        self.running = False


class WebDevice(AxesDevice):
    """The page in a browser, as a device for one arm.

    One person at a time operates the page. Until that person is there, and after the person is gone, the device is
    missing, and the robot stands still.

    Args:
        config: Keys and times.
        clock: Monotonic clock.
    """

    settings_type = WebDeviceConfig
    name = "web"
    remedy = "open the address that the command prints, and press `Take control`"

    def __init__(self, config: WebDeviceConfig, clock: Clock | None = None) -> None:
        clock = clock or MonotonicClock()
        mapping = MappingConfig(
            axes=tuple(range(TWIST)),
            scale=(1.0,) * TWIST,
            full_scale=1.0,
            dead_zone=config.dead_zone,
            buttons={name: (number,) for name, number in NUMBERS.items()},
        )
        self.config = config
        self._line, self._page = PageLine(), Handle(mapping, clock)
        self._attended = False  # a person operates the page, whether the device is connected or not
        super().__init__(self.name, ABSENT, self._line, self._page, mapping, clock, config.neutral_s)

    def connect(self) -> None:
        """Open the line to the page's server; the person may come later. Raises DeviceError without a server."""
        self._line.start()
        if self._attended:  # since before, as between a recording and the practice after it
            self._page.found()
        self._losses = self._page.state.losses

    def close(self) -> None:
        """Close the line, and forget the page's last state."""
        self._page.lose()
        super().close()

    def serve(self) -> None:
        """Note that a page's server delivers to this device from now on."""
        self._line.served = True

    def arrive(self) -> None:
        """Note that a person operates the page from now on, with every key released."""
        self._attended = True
        self._page.found()

    def leave(self, reason: str) -> None:
        """Note that no person operates the page; the last state is forgotten."""
        self._attended = False
        self._page.lose(reason)

    def move(self, twist: Sequence[float], held: Sequence[str]) -> None:
        """Take in the page's state.

        Args:
            twist: Linear then angular, in [-1, 1], in the tool frame. Shape (6,).
            held: Meanings of the gripper buttons that are down: close, open.
        """
        if not (self._page.state.present and self._page.move(twist)):
            return
        before = self._page.state.held
        for name in GRIPPER:
            if (name in held) != (name in before):
                self._page.press(NUMBERS[name], name in held)

    def press(self, request: str) -> None:
        """Take in a pressed button of the page, by the name of its request."""
        self._page.press(NUMBERS[request], True)
        self._page.press(NUMBERS[request], False)
