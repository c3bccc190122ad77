"""Pictures in every encoding that cameras send, with known colours that the test encodes by itself."""

import array
import os
import subprocess
import sys

import numpy as np
import pytest
from ros_kit import PACKAGE, ROOT
from sensor_msgs.msg import Image

from actor_ros import conversions
from actor_ros.conversions import MessageError
from actor_ros.image_decoding import ENCODINGS, image_to_array

STAMP = conversions.stamp_from_ns(0)
HEIGHT, WIDTH, BLOCK = 16, 24, 8
# Three rows of blocks would not fit: red, green, blue above; white, grey, a mixed colour below.
COLOURS = np.array([[[200, 30, 40], [20, 180, 60], [30, 50, 210]], [[235, 235, 235], [90, 90, 90], [160, 100, 60]]])
PICTURE = COLOURS.repeat(BLOCK, axis=0).repeat(BLOCK, axis=1).astype(np.uint8)


def yuv(rgb):
    """ITU-R BT.601 with video range: Y 16 to 235, U and V 16 to 240."""
    r, g, b = (rgb[..., channel] / 255.0 for channel in range(3))
    y = 16 + 65.481 * r + 128.553 * g + 24.966 * b
    u = 128 - 37.797 * r - 74.203 * g + 112.0 * b
    v = 128 + 112.0 * r - 93.786 * g - 18.214 * b
    return (np.rint(each).astype(np.uint8) for each in (y, u, v))


def packed(order):
    """4:2:2; blocks are of even width, so that no pair of pixels has two colours."""
    y, u, v = yuv(PICTURE)
    parts = {"Y": y[:, 0::2], "y": y[:, 1::2], "U": u[:, 0::2], "V": v[:, 0::2]}
    return np.stack([parts[name] for name in order], axis=2).reshape(HEIGHT, -1)


def planar(half, first, second):
    y, u, v = yuv(PICTURE)
    take = (slice(None, None, 2), slice(None, None, 2)) if half else (slice(None), slice(None))
    colours = np.stack([{"U": u, "V": v}[name][take] for name in (first, second)], axis=2)
    return np.concatenate([y.ravel(), colours.ravel()]).reshape(-1, WIDTH)


def mosaic(pattern):
    """Each pixel has the one colour of its place in the pattern."""
    raw = np.zeros((HEIGHT, WIDTH), np.uint8)
    for place, colour in enumerate(pattern):
        row, column = divmod(place, 2)
        raw[row::2, column::2] = PICTURE[row::2, column::2, "rgb".index(colour)]
    return raw


def wide(values, big_endian=False):
    """16 bits whose lower byte is noise."""
    noisy = values.astype(np.uint16) << 8 | np.random.default_rng(0).integers(0, 256, values.shape).astype(np.uint16)
    return np.ascontiguousarray(noisy.astype(">u2" if big_endian else "<u2")).view(np.uint8).reshape(HEIGHT, -1)


def with_alpha(values):
    return np.concatenate([values, np.full((HEIGHT, WIDTH, 1), 77, np.uint8)], axis=2)


BGR = PICTURE[..., ::-1]
GREY = PICTURE[..., 1]
RAW = {
    "rgb8": PICTURE,
    "bgr8": BGR,
    "rgba8": with_alpha(PICTURE),
    "bgra8": with_alpha(BGR),
    "mono8": GREY,
    "8UC1": GREY,
    "8UC3": BGR,
    "8UC4": with_alpha(BGR),
    "rgb16": wide(PICTURE),
    "bgr16": wide(BGR),
    "rgba16": wide(with_alpha(PICTURE)),
    "bgra16": wide(with_alpha(BGR)),
    "mono16": wide(GREY),
    "16UC1": wide(GREY),
    "16UC3": wide(BGR),
    "16UC4": wide(with_alpha(BGR)),
    "yuyv": packed("YUyV"),
    "yuv422_yuy2": packed("YUyV"),
    "uyvy": packed("UYVy"),
    "yuv422": packed("UYVy"),
    "nv21": planar(True, "V", "U"),
    "nv24": planar(False, "U", "V"),
    **{f"bayer_{pattern}8": mosaic(pattern) for pattern in ("rggb", "bggr", "gbrg", "grbg")},
    **{f"bayer_{pattern}16": wide(mosaic(pattern)) for pattern in ("rggb", "bggr", "gbrg", "grbg")},
}


def image(encoding, raw, step=0, **fields):
    message = Image(
        height=HEIGHT, width=WIDTH, encoding=encoding, step=step or len(raw.tobytes()) // len(raw), **fields
    )
    message.data = array.array("B", raw.tobytes())
    return message


def assert_shows_the_picture(found, encoding, tolerance):
    assert found.shape == (HEIGHT, WIDTH, 3)
    assert found.dtype == np.uint8
    assert found.flags["C_CONTIGUOUS"]
    is_grey = encoding in ("mono8", "mono16", "8UC1", "16UC1")
    expected = np.repeat(GREY[..., None], 3, axis=2) if is_grey else PICTURE
    # Demosaicing mixes colours where blocks meet.
    inner = np.ix_(*[[i for i in range(size) if 1 < i % BLOCK < BLOCK - 2] for size in (HEIGHT, WIDTH)])
    np.testing.assert_allclose(found[inner].astype(int), expected[inner].astype(int), atol=tolerance)


def test_every_known_encoding_has_its_picture():
    assert sorted(RAW) == sorted(ENCODINGS)


@pytest.mark.parametrize("encoding", sorted(RAW))
def test_each_encoding_shows_the_true_colours(encoding):
    found = image_to_array(image(encoding, RAW[encoding]))
    assert_shows_the_picture(found, encoding, 3 if encoding[:2] in ("yu", "uy", "nv") else 0)


@pytest.mark.parametrize("encoding", sorted(set(RAW) - {"nv21", "nv24"}))
def test_padding_of_rows_is_cut(encoding):
    raw = RAW[encoding].reshape(HEIGHT, -1)
    padded = np.pad(raw, ((0, 0), (0, 6)), constant_values=255)
    message = image(encoding, padded, padded.shape[1])
    np.testing.assert_array_equal(image_to_array(message), image_to_array(image(encoding, RAW[encoding])))


@pytest.mark.parametrize("step", [WIDTH, WIDTH * 3 // 2, WIDTH * 2, WIDTH * 3])
@pytest.mark.parametrize("encoding", ["nv21", "nv24"])
def test_planes_are_found_by_their_bytes_whatever_a_step_means(encoding, step):
    assert_shows_the_picture(image_to_array(image(encoding, RAW[encoding], step)), encoding, 3)


@pytest.mark.parametrize("encoding", ["nv21", "nv24"])
def test_padding_of_planes_is_cut(encoding):
    pad, raw = 8, RAW[encoding].ravel()
    luma, colours = raw[: HEIGHT * WIDTH].reshape(HEIGHT, WIDTH), raw[HEIGHT * WIDTH :]
    times = 2 if encoding == "nv24" else 1
    padded = [
        np.pad(luma, ((0, 0), (0, pad))).tobytes(),
        np.pad(colours.reshape(-1, times * WIDTH), ((0, 0), (0, times * pad))).tobytes(),
    ]
    message = Image(height=HEIGHT, width=WIDTH, encoding=encoding, step=WIDTH + pad)
    message.data = array.array("B", b"".join(padded))
    assert_shows_the_picture(image_to_array(message), encoding, 3)


@pytest.mark.parametrize("encoding", sorted(name for name in RAW if "16" in name))
def test_the_order_of_bytes_is_the_messages(encoding):
    swapped = RAW[encoding].reshape(HEIGHT, -1, 2)[..., ::-1].reshape(HEIGHT, -1)
    found = image_to_array(image(encoding, np.ascontiguousarray(swapped), is_bigendian=1))
    np.testing.assert_array_equal(found, image_to_array(image(encoding, RAW[encoding])))


def test_pixels_do_not_share_the_messages_memory():
    message = image("rgb8", PICTURE)
    found = image_to_array(message)
    message.data[0] = 255 - message.data[0]
    assert found[0, 0, 0] == PICTURE[0, 0, 0]


@pytest.mark.parametrize("encoding", ["32FC1", "8UC2", "yvyu", "jpeg", "", "bayer_rgbw8"])
def test_an_unknown_encoding_is_named_with_what_to_do(encoding):
    with pytest.raises(MessageError, match="expected one of rgb8, ") as caught:
        image_to_array(image(encoding, GREY))
    assert f"found encoding {encoding!r}; set the driver's encoding" in str(caught.value)


@pytest.mark.parametrize(
    ("encoding", "changes", "reason"),
    [
        ("rgb8", {"height": HEIGHT + 1}, "expected 17 rows of 72 bytes"),
        ("rgb8", {"step": 6}, "rows of 6 bytes"),
        ("rgb8", {"height": 0, "data": array.array("B")}, "expected 0 rows"),
        ("mono16", {"width": WIDTH + 1}, "2 for each of 25 pixels"),
        ("yuyv", {"width": WIDTH - 1}, "expected an even width for yuyv, found 23"),
        ("nv21", {"height": HEIGHT - 1}, "expected an even height for nv21, found 15"),
        ("nv21", {"width": WIDTH + 2}, "found 576 bytes"),
        ("nv24", {"height": 0}, "expected 0 rows"),
        ("bayer_rggb8", {"height": 0, "data": array.array("B")}, "expected 0 rows"),
    ],
)
def test_an_image_that_cannot_be_used_is_one_line(encoding, changes, reason):
    message = image(encoding, RAW[encoding])
    for name, value in changes.items():
        setattr(message, name, value)
    with pytest.raises(MessageError, match=reason) as caught:
        image_to_array(message)
    assert "\n" not in str(caught.value)


def decoded_or_refused(message):
    try:
        return image_to_array(message).shape
    except MessageError as error:
        return "one line" if "\n" not in str(error) else str(error)


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 2), (2, 1), (2, 2), (3, 3)])
@pytest.mark.parametrize("encoding", sorted(ENCODINGS))
def test_the_smallest_pictures_are_decoded_or_refused_in_one_line(encoding, height, width):
    size = 16 * height * width
    for bytes_per_pixel in (1, 1.5, 2, 3, 4, 6, 8):
        step = round(bytes_per_pixel * width)
        message = Image(height=height, width=width, encoding=encoding, step=step)
        for length in (step * height, round(1.5 * width * height), 3 * width * height):
            message.data = array.array("B", bytes(min(size, length)))
            assert decoded_or_refused(message) in ((height, width, 3), "one line")


def test_opencv_is_not_loaded_for_colours_that_need_no_conversion():
    code = (
        "import sys\nfrom actor_ros.image_decoding import image_to_array\nfrom sensor_msgs.msg import Image\n"
        "image_to_array(Image(height=1, width=1, step=3, encoding='rgb8', data=bytes(3)))\n"
        "assert 'cv2' not in sys.modules"
    )
    paths = os.pathsep.join(map(str, (ROOT, PACKAGE)))
    environment = {**os.environ, "PYTHONPATH": paths}
    subprocess.run([sys.executable, "-c", code], env=environment, check=True, timeout=120)
