"""The capture thread of one device: it delivers every new picture, and opens a lost device again."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Condition, Event, Thread
from typing import Any, Protocol

from numpy.typing import NDArray

from steadyhand.robot_envs.camera import CameraError
from steadyhand.runtime.clock import Clock
from steadyhand.runtime.component import described
from steadyhand.runtime.logging import get_logger
from steadyhand.runtime.ranges import expect_above, expect_at_least

__all__ = ["Capture", "CaptureTiming", "Health", "Pictures", "RecordingEndedError", "Source"]

READ_S = 0.1  # longest wait of a source for its device; closing takes as long
JOIN_S = 2.0
GRACE_S = 0.5  # for the thread's own error, which says more than a deadline
RATE_WINDOW_S = 2.0
RATE_PICTURES = 256

# The newest picture of each stream of a device, such as `colour` (height, width, 3) uint8 RGB; of several streams, only
# those with a new one.
Pictures = Mapping[str, NDArray[Any]]

logger = get_logger("camera")


class RecordingEndedError(CameraError):
    """The end of a recording that is not repeated."""


class Source(Protocol):
    """One open device. After a loss a new source is opened."""

    def read(self, timeout_s: float) -> Pictures | None:
        """Return the newest pictures; None if there is no new one within `timeout_s`.

        Raises:
            CameraError: The device is lost.
            RecordingEndedError: The recording has ended, and is not opened again.
        """

    def close(self) -> None:
        """Close the device."""


Taker = Callable[[Source, Pictures, int], None]


@dataclass(frozen=True)
class CaptureTiming:
    """Time limits of a device.

    Attributes:
        first_frame_s: Longest time from opening the device to its first picture.
        silence_s: Time without a picture after which the device is closed and opened again.
        retry_s: Pause before the first attempt to open a lost device again; every further pause is twice as long.
        max_retry_s: Longest pause.
    """

    first_frame_s: float
    silence_s: float
    retry_s: float
    max_retry_s: float

    def __post_init__(self) -> None:
        expect_above(self, 0.0, "first_frame_s", "silence_s", "retry_s")
        expect_at_least(self, self.retry_s, "max_retry_s")


@dataclass(frozen=True)
class Health:
    """The state of a device.

    Attributes:
        frames_per_s: Rate of the pictures received in the last 2 s [1/s]; 0 if there was none.
        reconnects: Number of times that the device delivered again after a loss.
        last_error: Why it was lost most recently; "" = never.
    """

    frames_per_s: float
    reconnects: int
    last_error: str


class Capture:
    """The thread between a device and the views that show it.

    Args:
        name: Name of the device, for messages.
        open_source: Opens the device. Raises CameraError of one line when it cannot be opened.
        timing: Time limits.
        clock: Stamps the pictures.
    """

    def __init__(self, name: str, open_source: Callable[[], Source], timing: CaptureTiming, clock: Clock) -> None:
        self._name, self._open, self._timing, self._clock = name, open_source, timing, clock
        self._changed = Condition()
        self._takers: list[Taker] = []
        self._stamps: deque[int] = deque(maxlen=RATE_PICTURES)
        self._ending = Event()
        self._thread: Thread | None = None
        self._retry_s = timing.retry_s
        self._lost = self._over = False
        self._reconnects, self._last_error = 0, ""

    @property
    def health(self) -> Health:
        """The state of the device."""
        with self._changed:
            since_ns = self._clock.now_ns() - round(RATE_WINDOW_S * 1e9)
            recent = [stamp for stamp in self._stamps if stamp > since_ns]
            span_s = (recent[-1] - recent[0]) / 1e9 if recent else 0.0
            return Health((len(recent) - 1) / span_s if span_s else 0.0, self._reconnects, self._last_error)

    def add(self, taker: Taker) -> None:
        """Deliver pictures to `taker` too. It is called on the capture thread: source, pictures, receive time [ns]."""
        with self._changed:
            self._takers.append(taker)

    def remove(self, taker: Taker) -> None:
        """Deliver no more pictures to `taker`."""
        with self._changed:
            self._takers.remove(taker)

    def start(self) -> None:
        """Start the thread, which opens the device. A capture is started once."""
        self._thread = Thread(target=self._run, name=f"{self._name} capture", daemon=True)
        self._thread.start()

    def wait(self, condition: Callable[[], bool]) -> None:
        """Wait until `condition()` holds after a delivery.

        Raises:
            CameraError: It does not hold within `first_frame_s`, or the thread has ended.
        """
        limit_s = self._timing.first_frame_s
        with self._changed:
            self._changed.wait_for(lambda: condition() or self._over, limit_s + GRACE_S)
            if not condition():
                raise CameraError(self._last_error or f"{self._name}: {_silent(limit_s)}")

    def stop(self) -> None:
        """End the thread, which closes the device; wait for it at most 2 s."""
        self._ending.set()
        if self._thread is not None:
            self._thread.join(JOIN_S)
            if self._thread.is_alive():
                logger.warning("%s: its driver does not return; the device closes when it does", self._name)
            self._thread = None

    def _run(self) -> None:
        try:
            while not self._ending.is_set():
                try:
                    self._capture()
                except RecordingEndedError as error:
                    self._fail(str(error))
                    return
                except Exception as error:  # a driver's library has its own exceptions
                    self._fail(str(error) if isinstance(error, CameraError) else described(error))
                    if not self._stamps:  # the first attempt: `wait` reports it
                        return
                    self._ending.wait(self._retry_s)
                    self._retry_s = min(2.0 * self._retry_s, self._timing.max_retry_s)
        finally:
            with self._changed:
                self._over = True
                self._changed.notify_all()

    def _capture(self) -> None:
        """Open the device and deliver its pictures until the end, or until it is lost."""
        heard_ns, limit_s = self._clock.now_ns(), self._timing.first_frame_s
        source = self._open()
        try:
            while not self._ending.is_set():
                pictures = source.read(READ_S)
                now_ns = self._clock.now_ns()
                if pictures:
                    self._deliver(source, pictures, now_ns)
                    heard_ns, limit_s = now_ns, self._timing.silence_s
                elif now_ns - heard_ns > limit_s * 1e9:
                    raise CameraError(_silent(limit_s))
        finally:
            source.close()

    def _deliver(self, source: Source, pictures: Pictures, now_ns: int) -> None:
        with self._changed:
            takers = tuple(self._takers)
        for taker in takers:
            taker(source, pictures, now_ns)
        with self._changed:
            self._stamps.append(now_ns)
            if self._lost:
                self._lost, self._retry_s = False, self._timing.retry_s
                self._reconnects += 1
                logger.info("%s: back", self._name)
            self._changed.notify_all()

    def _fail(self, reason: str) -> None:
        line = f"{self._name}: {reason}"
        with self._changed:
            if self._stamps and not (self._lost and line == self._last_error):  # not again for every attempt
                logger.warning("%s", line)
            self._last_error, self._lost = line, True


def _silent(limit_s: float) -> str:
    return f"expected a picture within {limit_s:g} s, found none; replug it, or use another port"
