"""The cameras and sensors of an environment, each with its supervision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from steadyhand.robot_envs.camera import Camera
from steadyhand.robot_envs.observed import Observation
from steadyhand.robot_envs.safety.camera_watch import CameraLimits, CameraWatch
from steadyhand.robot_envs.safety.gate import SafetyGate
from steadyhand.robot_envs.safety.sensor_watch import SensorWatch
from steadyhand.robot_envs.sensor import Sensor

__all__ = ["Sources"]


class Sources:
    """All sources of the observation beside the robot.

    Args:
        cameras: The cameras, not yet connected.
        sensors: The sensors, not yet connected.
        limits: Limits of every camera.
    """

    def __init__(self, cameras: Sequence[Camera], sensors: Sequence[Sensor], limits: CameraLimits | None) -> None:
        self._all: list[Camera | Sensor] = [*cameras, *sensors]
        self._cameras = [CameraWatch(camera, limits) for camera in cameras]
        self._sensors = [SensorWatch(sensor) for sensor in sensors]

    def connect(self) -> None:
        """Connect every source, and check the first frame of every camera.

        Raises:
            CameraError: A camera is missing, or delivers no 8-bit RGB images.
            SensorError: A sensor is missing.
        """
        for source in self._all:
            source.connect()
        for camera in self._cameras:
            camera.check_kind()

    def begin(self) -> None:
        """Start an episode and discard earlier readings."""
        for camera in self._cameras:
            camera.begin()

    def look(self, gate: SafetyGate, now_ns: int) -> None:
        """Read the newest frames and readings, and latch their faults."""
        for camera in self._cameras:
            gate.latch(camera.look(now_ns), camera.name)
        for sensor in self._sensors:
            gate.latch(sensor.look(now_ns), sensor.name)

    def observation(self) -> Observation:
        """Return the newest readings (n,) float32 and frames (height, width, 3) uint8, by name."""
        readings: Observation = {sensor.name: sensor.values for sensor in self._sensors}
        return readings | {camera.name: camera.pixels for camera in self._cameras}

    def exposed_ns(self, latencies_ns: Mapping[str, int]) -> int:
        """Return the earliest exposure of the newest frames of these views, local monotonic time [ns].

        Args:
            latencies_ns: Latency of each view that counts, at least one.
        """
        return min(view.stamp_ns - latencies_ns[view.name] for view in self._cameras if view.name in latencies_ns)

    def close(self) -> None:
        """Close every source."""
        for source in self._all:
            source.close()
