"""Pictures of an MP4 file, read in order and checked against the size that the data set declares; and its writer."""

from __future__ import annotations

from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from steadyhand.data.foreign import ForeignDataError, check_bytes
from steadyhand.runtime.logging import escaped

__all__ = ["VideoReader", "write_video"]

CRF = "18"  # constant rate factor of H.264; no difference is visible
GROUP = "2"  # a key frame every second frame, so that a random frame is found quickly


class VideoReader:
    """One file, whose frames are taken in rising order of time.

    Args:
        path: The file.
        fps: Frames per second that the data set declares.
        shape: Shape of a frame, (h, w, 3).
    """

    def __init__(self, path: Path, fps: float, shape: tuple[int, ...]) -> None:
        import av

        self.path, self._fps, self._shape = path, fps, shape
        self._container: Any = None
        try:
            # The demuxer is named: a playlist that poses as a video would be followed to other files and hosts.
            self._container = av.open(str(path), format="mp4", options={"protocol_whitelist": "file"})
            stream = self._container.streams.video[0]
            found = stream.height, stream.width  # a stream of an unknown codec has neither
        except (av.FFmpegError, AttributeError, IndexError, ValueError, OSError) as error:
            self.close()
            raise ForeignDataError(
                f"{path}: expected an MP4 video, found {escaped(str(error), 100)}; copy it again"
            ) from None
        if found != shape[:2]:
            self.close()
            raise ForeignDataError(
                f"{path}: expected pictures of {shape[1]} x {shape[0]} as meta/info.json says, "
                f"found {found[1]} x {found[0]}"
            )
        self._frames = self._container.decode(stream)

    def frames(self, start_s: float, count: int) -> NDArray[np.uint8]:
        """Return `count` frames from `start_s` on, (count, h, w, 3). Later calls only go forward.

        Raises:
            ForeignDataError: There are fewer, or the file is damaged.
        """
        check_bytes(str(self.path), (count, *self._shape), np.uint8)
        out = np.empty((count, *self._shape), np.uint8)
        filled = 0
        while filled < count:
            frame = self._next()
            if frame is None:
                break
            if frame.time is not None and frame.time < start_s - 0.5 / self._fps:
                continue
            if (frame.height, frame.width) != self._shape[:2]:
                raise ForeignDataError(f"{self.path}: expected pictures of one size, found others")
            out[filled] = frame.to_ndarray(format="rgb24")
            filled += 1
        if filled < count:
            raise ForeignDataError(
                f"{self.path}: expected {count} pictures from {start_s:g} s on, found {filled}; copy it again"
            )
        return out

    def close(self) -> None:
        """Close the file."""
        if self._container is not None:
            self._container.close()

    def _next(self) -> Any:
        """Decode the next frame; None at the end."""
        import av

        try:
            return next(self._frames, None)
        except av.FFmpegError as error:
            found = escaped(str(error), 100)
            raise ForeignDataError(f"{self.path}: expected a whole video, found {found}; copy it again") from None


def write_video(path: Path, frames: NDArray[np.uint8], fps: int) -> None:
    """Write frames (n, h, w, 3) as H.264 in an MP4 file. H.264 loses detail.

    Args:
        path: The file; its folder exists.
        frames: RGB bytes with an even height and width.
        fps: Frames per second.
    """
    import av

    options = {"crf": CRF, "g": GROUP, "preset": "veryfast"}
    try:
        with av.open(str(path), "w", format="mp4") as container:
            stream = container.add_stream("libx264", rate=fps, options=options)
            stream.height, stream.width, stream.pix_fmt = frames.shape[1], frames.shape[2], "yuv420p"
            stream.codec_context.time_base = Fraction(1, fps)
            for index, pixels in enumerate(frames):
                frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")
                frame.pts, frame.time_base = index, Fraction(1, fps)
                container.mux(stream.encode(frame))
            container.mux(stream.encode())
    except BaseException:
        with suppress(OSError):
            path.unlink()
        raise
