"""The cameras and sensors of an environment, each with its supervision."""

from __future__ import annotations

from collections.abc import Sequence

from steadyhand.robot_envs.camera import Camera
from steadyhand.robot_envs.observed import Observation
from steadyhand.robot_envs.safety.camera_watch import CameraLimits, CameraWatch
from steadyhand.robot_envs.safety.gate import SafetyGate
from steadyhand.robot_envs.safety.sensor_watch import SensorWatch
from steadyhand.robot_envs.sensor import Sensor

__all__ = ["Sources"]


class Sources:
    """Everything that is observed beside the robot.

    Args:
        cameras: Not yet connected.
        sensors: Not yet connected.
        limits: Of every camera.
    """

    def __init__(self, cameras: Sequence[Camera], sensors: Sequence[Sensor], limits: CameraLimits | None) -> None:
        self._all: list[Camera | Sensor] = [*cameras, *sensors]
        self._cameras = [CameraWatch(camera, limits) for camera in cameras]
        self._sensors = [SensorWatch(sensor) for sensor in sensors]

    def connect(self) -> None:
        """Connect every source, and look at the first frame of every camera.

        Raises:
            CameraError: A camera is not there, or gives no RGB images of 8 bits.
            SensorError: A sensor is not there.
        """
        for source in self._all:
            source.connect()
        for camera in self._cameras:
            camera.check_kind()

    def begin(self) -> None:
        """Start an episode: what was seen before counts no longer."""
        for camera in self._cameras:
            camera.begin()

    def look(self, gate: SafetyGate, now_ns: int) -> None:
        """Take the newest frames and readings, and latch what is wrong with them."""
        for camera in self._cameras:
            gate.latch(camera.look(now_ns), camera.name)
        for sensor in self._sensors:
            gate.latch(sensor.look(now_ns), sensor.name)

    def observation(self) -> Observation:
        """What was seen last: readings (n,) float32 and frames (height, width, 3) uint8, by name."""
        readings: Observation = {sensor.name: sensor.values for sensor in self._sensors}
        return readings | {camera.name: camera.pixels for camera in self._cameras}

    def close(self) -> None:
        """Let go of every source."""
        for source in self._all:
            source.close()
