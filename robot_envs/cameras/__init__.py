"""Real cameras: RealSense, UVC and video files, each read by a thread of its own."""

from __future__ import annotations
