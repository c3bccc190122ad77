"""A UVC camera without hardware: OpenCV reads a real video file where it would read the device file."""

from __future__ import annotations

from threading import Event

import cv2

from steadyhand.robot_envs.cameras.uvc import Uvc, UvcDevice, UvcView
from tests.camera_kit import HEIGHT, QUICK, WIDTH, blocks, write_video


class FilmCapture:
    """OpenCV's own capture of a file, repeated, with the properties of a camera that accepts `sizes`."""

    def __init__(self, film, bench):
        self._film, self._bench = cv2.VideoCapture(str(film)), bench
        self._values = {cv2.CAP_PROP_FRAME_WIDTH: WIDTH, cv2.CAP_PROP_FRAME_HEIGHT: HEIGHT}
        bench.captures.append(self)
        self.released = False

    def isOpened(self):  # noqa: N802 (OpenCV's name)
        return self._film.isOpened()

    def set(self, key, value):
        self._bench.asked[key] = value
        return key != self._bench.refuses

    def get(self, key):
        return self._values[key]

    def read(self):
        self._bench.pace.wait(0.005)
        if self._bench.unplugged:
            return False, None
        found, picture = self._film.read()
        if not found:
            self._film.set(cv2.CAP_PROP_POS_FRAMES, 0)
            found, picture = self._film.read()
        return found, self._bench.change(picture)

    def release(self):
        self.released = True
        self._film.release()


class UvcBench:
    def __init__(self, folder):
        self.film, self.address = folder / "film.avi", folder / "video0"
        write_video(self.film, [blocks(number) for number in range(5)])
        self.address.touch()
        self.captures, self.asked, self.opened = [], {}, []
        self.refuses, self.unplugged, self.pace = None, False, Event()
        self.change = lambda picture: picture  # of every picture: a fault

    def open(self, path):
        self.opened.append(path)
        return FilmCapture(self.film, self)

    def camera(self, world=None, **changes):
        values = {"address": str(self.address), "width": WIDTH, "height": HEIGHT, "rate_hz": 30, "fourcc": "MJPG"}
        device = UvcDevice(timing=QUICK, **({**values, "exposure": None} | changes))
        return Uvc(UvcView(height=HEIGHT, width=WIDTH, device=device), "wrist", world, self.open)
