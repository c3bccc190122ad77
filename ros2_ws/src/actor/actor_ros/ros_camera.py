"""The control loop's `Camera` for an image topic. It needs no cv_bridge, and no time of the loop's thread."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from rclpy.node import Node
from sensor_msgs.msg import CompressedImage, Image

from actor_ros import qos
from actor_ros.conversions import MessageError
from actor_ros.image_decoding import image_to_array
from actor_ros.latest_readings import LatestReadings
from steadyhand.robot_envs.camera import WHOLE, Camera, CameraError, Crop, Frame

__all__ = ["RosCamera", "RosCameraConfig", "decode"]

_CONNECT_S = 10.0
_LARGEST_BYTES = 64_000_000


@dataclass(frozen=True)
class RosCameraConfig:
    """One view.

    Attributes:
        name: Name of the camera; its topics are `<name>/image_raw` and `<name>/image_raw/compressed`.
        height: Height of the policy's images [pixels].
        width: Width of the policy's images [pixels].
        crop: The used part of the driver's image.
        compressed: Whether to use the compressed topic.
        latency_s: See `ViewConfig`; the environment uses it.
    """

    name: str
    height: int
    width: int
    crop: Crop = WHOLE
    compressed: bool = False
    latency_s: float = 0.0


class RosCamera(Camera):
    """Camera that decodes, crops and resizes only the newest image, on its own thread.

    Args:
        node: The node whose callbacks hand over messages.
        config: The camera's topic and image size.
        sources: Detects the camera's silence, under its topic's name.
        max_age_s: Age beyond which the camera is silent.
    """

    def __init__(self, node: Node, config: RosCameraConfig, sources: LatestReadings, max_age_s: float) -> None:
        self.name, self.height, self.width, self.crop = config.name, config.height, config.width, config.crop
        self.topic = f"{config.name}/image_raw/compressed" if config.compressed else f"{config.name}/image_raw"
        self._node, self._sources = node, sources
        self._arrived = threading.Condition()
        self._message: Any = None
        self._ending = False
        self._connected = False
        self._counter = 0
        self._whole: list[NDArray[np.uint8]] = []  # the picture that `whole_picture` waits for
        self._wants_whole = False
        sources.expect(self.topic, max_age_s)
        message_type = CompressedImage if config.compressed else Image
        self._subscription = node.create_subscription(message_type, self.topic, self._on_message, qos.profile("sensor"))
        self._thread = threading.Thread(target=self._work, name=f"{config.name} camera", daemon=True)
        self._thread.start()

    def connect(self) -> None:
        """Wait for the first image.

        Raises:
            RuntimeError: No image comes, or none that can be decoded; the line says which.
        """
        with self._arrived:
            if not self._arrived.wait_for(lambda: self._sources.newest(self.topic) is not None, _CONNECT_S):
                refused = self._sources.refused(self.topic)
                found = f"{self.topic}: {refused}" if refused else f"nothing on {self.topic}; start its driver"
                raise RuntimeError(f"camera {self.name!r}: {found}")
        self._connected = True

    def latest(self) -> Frame:
        """Return the newest image; never wait for the next one."""
        if not self._connected:
            raise RuntimeError(f"camera {self.name!r} is not connected; call connect() first")
        frame, counter = self._sources.newest(self.topic)
        return Frame(frame, self._sources.received_ns(self.topic), counter)

    def whole_picture(self, height: int, width: int, patience_s: float) -> NDArray[np.uint8]:
        """Return the driver's next image without the crop, resized to (height, width, 3); wait for it.

        Raises:
            CameraError: No image comes in time.
        """
        with self._arrived:
            self._wants_whole = True
            if not self._arrived.wait_for(lambda: bool(self._whole), patience_s):
                self._wants_whole = False
                raise CameraError(f"camera {self.name!r}: expected an image within {patience_s:.0f} s, found none")
            whole = self._whole.pop()
        return _resized(whole, height, width)

    def close(self) -> None:
        """Take no more images until connected again."""
        self._connected = False

    def destroy(self) -> None:
        """End the thread."""
        with self._arrived:
            self._ending = True
            self._arrived.notify_all()
        self._thread.join()
        self._node.destroy_subscription(self._subscription)

    def _on_message(self, message: Any) -> None:
        with self._arrived:
            self._message = message
            self._arrived.notify_all()

    def _work(self) -> None:
        while True:
            with self._arrived:
                self._arrived.wait_for(lambda: self._message is not None or self._ending)
                if self._ending:
                    return
                message, self._message = self._message, None
            try:
                whole = decode(message)
            except MessageError as error:
                if self._sources.refuse(self.topic, str(error)):
                    self._node.get_logger().error(f"{self.topic}: {error}")
                continue
            pixels = _resized(self.crop.cut(whole), self.height, self.width)
            self._counter += 1
            with self._arrived:
                if self._wants_whole:
                    self._whole, self._wants_whole = [whole], False
                self._sources.put(self.topic, (pixels, self._counter))
                self._arrived.notify_all()


def _resized(pixels: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    if pixels.shape[:2] == (height, width):
        return pixels
    return np.asarray(cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def decode(message: Any) -> NDArray[np.uint8]:
    """Return the RGB pixels of an Image or a CompressedImage. Shape (height, width, 3).

    Raises:
        MessageError: The image is of an unknown format or damaged.
    """
    if isinstance(message, Image):
        return image_to_array(message)
    data = np.frombuffer(message.data, np.uint8)
    try:
        pixels = cv2.imdecode(data, cv2.IMREAD_COLOR) if 0 < len(data) <= _LARGEST_BYTES else None
    except cv2.error:  # for instance a header with more pixels than OpenCV accepts
        pixels = None
    if pixels is None:
        raise MessageError(
            f"compressed image: expected JPEG or PNG, found {message.format!r} of {len(data)} bytes; "
            "set the driver's format"
        )
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB), np.uint8)
