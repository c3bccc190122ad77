"""Cameras without hardware: video files of known pictures. RealSense cameras are in `realsense_kit.py`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np

from steadyhand.robot_envs.cameras.capture import CaptureTiming
from steadyhand.robot_envs.cameras.video_file import VideoFileDevice, VideoFileView

HEIGHT, WIDTH, RATE_HZ = 48, 64, 30
QUICK = CaptureTiming(first_frame_s=5.0, silence_s=0.3, retry_s=0.02, max_retry_s=0.1)


def noise(number: int) -> np.ndarray:
    """A picture that no other number has. Shape (HEIGHT, WIDTH, 3)."""
    return np.random.default_rng(number).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)


def write_video(path: Any, pictures: Sequence[np.ndarray], rate_hz: float = 30.0) -> None:
    """Write RGB pictures as Motion JPEG, which OpenCV writes and reads by itself."""
    height, width = pictures[0].shape[:2]
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), rate_hz, (width, height))
    for picture in pictures:
        writer.write(np.ascontiguousarray(picture[..., ::-1]))
    writer.release()


def blocks(number: int) -> np.ndarray:
    """A picture of large blocks, which JPEG changes little. Shape (HEIGHT, WIDTH, 3)."""
    coarse = np.random.default_rng(number).integers(0, 256, (HEIGHT // 16, WIDTH // 16, 3), np.uint8)
    return coarse.repeat(16, axis=0).repeat(16, axis=1)


def video_view(path: Any, height: int = HEIGHT, width: int = WIDTH, loop: bool = True, **changes: Any) -> VideoFileView:
    device = VideoFileDevice(timing=changes.pop("timing", QUICK), path=str(path), loop=loop)
    return VideoFileView(height=height, width=width, device=device, **changes)
