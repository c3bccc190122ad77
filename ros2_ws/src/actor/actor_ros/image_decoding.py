"""Decoding of a sensor_msgs/Image to RGB pixels, for all usual camera encodings. OpenCV is imported when needed.

The names are those of sensor_msgs/image_encodings.hpp. Of 16-bit values the upper byte is used, as for full scale.
8UC3, 8UC4, 16UC3 and 16UC4 name no colours and are decoded in OpenCV's order, blue first. YUV is ITU-R BT.601 with
video range.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from sensor_msgs.msg import Image

from actor_ros.conversions import MessageError

__all__ = ["ENCODINGS", "image_to_array"]

Pixels = NDArray[np.uint8]
_RGB, _BGR, _GREY = (0, 1, 2), (2, 1, 0), (0, 0, 0)
# Bytes per value, values per pixel, and the indices of red, green and blue.
_DIRECT = {
    "rgb8": (1, 3, _RGB),
    "bgr8": (1, 3, _BGR),
    "rgba8": (1, 4, _RGB),
    "bgra8": (1, 4, _BGR),
    "mono8": (1, 1, _GREY),
    "8UC1": (1, 1, _GREY),
    "8UC3": (1, 3, _BGR),
    "8UC4": (1, 4, _BGR),
    "rgb16": (2, 3, _RGB),
    "bgr16": (2, 3, _BGR),
    "rgba16": (2, 4, _RGB),
    "bgra16": (2, 4, _BGR),
    "mono16": (2, 1, _GREY),
    "16UC1": (2, 1, _GREY),
    "16UC3": (2, 3, _BGR),
    "16UC4": (2, 4, _BGR),
}
# OpenCV names a Bayer pattern by its second row and column.
_BAYER = {"rggb": "BG", "bggr": "RG", "gbrg": "GR", "grbg": "GB"}
_PACKED = {"yuyv": "YUYV", "yuv422_yuy2": "YUYV", "uyvy": "UYVY", "yuv422": "UYVY"}
_PLANAR_ROWS = {"nv21": 1.5, "nv24": 3.0}  # rows of bytes for each row of pixels

ENCODINGS = (*_DIRECT, *(f"bayer_{name}{bits}" for bits in (8, 16) for name in _BAYER), *_PACKED, *_PLANAR_ROWS)


def image_to_array(message: Image) -> Pixels:
    """Return the RGB pixels as a copy. Shape (height, width, 3).

    Raises:
        MessageError: The encoding is unknown, or the size does not fit the data.
    """
    encoding = str(message.encoding)
    if encoding in _DIRECT:
        return _direct(message, *_DIRECT[encoding])
    if encoding.startswith("bayer_") and encoding in ENCODINGS:
        return _bayer(message, _BAYER[encoding[6:10]], 2 if encoding.endswith("16") else 1)
    if encoding in _PACKED:
        _require_even(message, "width")
        pairs = _rows(message, 2).reshape(message.height, message.width, 2)
        return _converted(message, pairs, f"COLOR_YUV2RGB_{_PACKED[encoding]}")
    if encoding in _PLANAR_ROWS:
        return _PLANAR[encoding](message)
    raise MessageError(
        f"image: expected one of {', '.join(ENCODINGS)}, found encoding {encoding!r}; set the driver's encoding"
    )


def _direct(message: Image, size: int, channels: int, order: tuple[int, int, int]) -> Pixels:
    values = _bytes_of(message, _rows(message, size * channels), size)
    pixels = values.reshape(message.height, message.width, channels)
    return pixels.copy() if (channels, order) == (3, _RGB) else np.ascontiguousarray(pixels[..., list(order)])


def _bayer(message: Image, name: str, size: int) -> Pixels:
    return _converted(message, _bytes_of(message, _rows(message, size), size), f"COLOR_Bayer{name}2RGB")


def _nv21(message: Image) -> Pixels:
    _require_even(message, "width")
    _require_even(message, "height")
    return _converted(message, _planes(message), "COLOR_YUV2RGB_NV21")


def _nv24(message: Image) -> Pixels:
    height, width = int(message.height), int(message.width)
    planes = _planes(message)
    luma = planes[:height].astype(np.float32)
    blue, red = np.moveaxis(planes[height:].reshape(height, width, 2).astype(np.float32) - 128.0, 2, 0)
    bright = 1.164 * (luma - 16.0)
    rgb = np.stack([bright + 1.596 * red, bright - 0.813 * red - 0.391 * blue, bright + 2.018 * blue], axis=2)
    pixels: Pixels = np.clip(np.rint(rgb), 0, 255).astype(np.uint8)
    return pixels


_PLANAR: dict[str, Callable[[Image], Pixels]] = {"nv21": _nv21, "nv24": _nv24}


def _rows(message: Image, bytes_per_pixel: int) -> Pixels:
    """Return the rows without padding. Shape (height, width * bytes_per_pixel)."""
    height, width, step = int(message.height), int(message.width), int(message.step)
    if step < width * bytes_per_pixel or len(message.data) != height * step or not height * width:
        raise MessageError(
            f"image: expected {height} rows of {step} bytes, {bytes_per_pixel} for each of {width} pixels, "
            f"found {len(message.data)} bytes; correct the driver's step and size"
        )
    return np.frombuffer(message.data, np.uint8).reshape(height, step)[:, : width * bytes_per_pixel]


def _planes(message: Image) -> Pixels:
    """Return the planes of a planar image without padding, as rows of `width` bytes."""
    height, width, step = int(message.height), int(message.width), int(message.step)
    rows = round(height * _PLANAR_ROWS[message.encoding])
    # Some drivers set a row's step to the bytes of all planes.
    stride = next((each for each in (step, width) if each >= width and rows * each == len(message.data)), 0)
    if not stride or not rows * width:
        raise MessageError(
            f"image: expected {rows} rows of {max(step, width)} bytes for {width} x {height} pixels of "
            f"{message.encoding}, found {len(message.data)} bytes; correct the driver's step and size"
        )
    whole = np.frombuffer(message.data, np.uint8)
    luma = whole[: height * stride].reshape(height, stride)[:, :width]
    width_of_colours = width * (2 if message.encoding == "nv24" else 1)
    colours = whole[height * stride :].reshape(-1, stride * width_of_colours // width)[:, :width_of_colours]
    return np.concatenate([luma, colours.reshape(-1, width)])


def _bytes_of(message: Image, rows: Pixels, size: int) -> Pixels:
    """Return the upper byte of each value. The byte order is that of the message, not of this machine."""
    if size == 1:
        return rows
    upper = 0 if message.is_bigendian else 1
    return rows.reshape(len(rows), -1, 2)[..., upper]


def _converted(message: Image, raw: Pixels, conversion: str) -> Pixels:
    # Only encodings without direct RGB values need OpenCV, and some processes that read messages do not have it.
    import cv2

    try:
        return np.asarray(cv2.cvtColor(np.ascontiguousarray(raw), getattr(cv2, conversion)), np.uint8)
    except cv2.error as error:
        raise MessageError(
            f"image: expected {message.encoding} that OpenCV converts, found {message.width} x {message.height} pixels "
            f"({error.err}); set the driver's size"
        ) from error


def _require_even(message: Image, name: str) -> None:
    found = int(getattr(message, name))
    if found % 2:
        raise MessageError(
            f"image: expected an even {name} for {message.encoding}, found {found}; set the driver's size"
        )
