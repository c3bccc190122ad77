"""The pickles here are made by the real pickler of `multiprocessing`, and by hand where it would not make them."""

from collections import OrderedDict
from multiprocessing.reduction import ForkingPickler

import numpy as np
import pytest

from steadyhand.data.foreign import ForeignDataError
from steadyhand.data.pickle_values import pickle_values

PROTOCOLS = range(6)


def pickled(value, protocol=None):
    import io

    out = io.BytesIO()
    ForkingPickler(out, protocol).dump(value)
    return out.getvalue()


VALUE = {
    "numbers": [1, -2, 1 << 40, 1 << 80, 0.5, True, False, None],
    "texts": ("a", "ü", b"raw", "long" * 100),
    "ordered": OrderedDict(a=1),
    "float": np.arange(12, dtype=np.float32).reshape(3, 4) / 7,
    "fortran": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "picture": np.arange(27, dtype=np.uint8).reshape(3, 3, 3),
    "big endian": np.arange(3, dtype=">i4"),
    "scalar": np.float64(0.1),
    "flag": np.bool_(True),
    "none": np.zeros((0, 3), np.float32),
    "shared": [[1, 2]] * 2,
}


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_values_and_arrays_are_read_as_they_were_written(protocol):
    found = pickle_values(pickled(VALUE, protocol))
    assert found.keys() == VALUE.keys()
    for name, value in VALUE.items():
        if isinstance(value, np.ndarray):
            assert (found[name].shape, found[name].dtype) == (value.shape, value.dtype)
            np.testing.assert_array_equal(found[name], value)
        else:
            assert found[name] == (list(value) if isinstance(value, tuple) else value)


def text(value):
    raw = value.encode()
    return b"X" + len(raw).to_bytes(4, "little") + raw


def system(command):
    """A pickle that runs a command when Python loads it."""
    return b"\x80\x02cos\nsystem\n" + text(command) + b"\x85R."


HOSTILE = {
    "os.system": lambda path: system(f"touch {path}"),
    "open": lambda path: b"\x80\x02cbuiltins\nopen\n" + text(str(path)) + text("w") + b"\x86R.",
    "eval": lambda path: b"\x80\x02cbuiltins\neval\n" + text(f"open({str(path)!r}, 'w')") + b"\x85R.",
    "inst": lambda path: b"(S'touch " + str(path).encode() + b"'\nios\nsystem\n.",
    "obj": lambda path: b"\x80\x02(cos\nsystem\n" + text(f"touch {path}") + b"o.",
    "newobj": lambda path: b"\x80\x02cpathlib\nPath\n" + text(str(path)) + b"\x85\x81.",
    "stack global": lambda path: (
        b"\x80\x04" + text("os") + text("system") + b"\x93" + text(f"touch {path}") + b"\x85R."
    ),
    "numpy's own loader": lambda path: b"\x80\x02cnumpy\nload\n" + text(str(path)) + b"\x85R.",
    "a class of numpy": lambda path: b"\x80\x02cnumpy\nmemmap\n" + text(str(path)) + b"\x85R.",
    "extension": lambda path: b"\x80\x02\x82\x01.",
    "persistent": lambda path: b"Ppath\n.",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_nothing_is_run_and_one_line_says_why(tmp_path, name):
    with pytest.raises(ForeignDataError, match="pickle: expected") as refusal:
        pickle_values(HOSTILE[name](tmp_path / "boom"))
    assert "\n" not in str(refusal.value)
    assert not (tmp_path / "boom").exists()


def test_python_itself_would_have_run_it(tmp_path):
    """The twin: the same bytes do harm when they are loaded."""
    ForkingPickler.loads(system(f"touch {tmp_path / 'boom'}"))
    assert (tmp_path / "boom").exists()


def giant(shape):
    """A pickle of an array whose shape is not that of its bytes."""
    return pickled(np.zeros(7, np.uint8), 2).replace(b"K\x07\x85", b"J" + shape.to_bytes(4, "little") + b"\x85", 1)


def test_a_shape_that_does_not_fit_allocates_nothing():
    assert pickle_values(giant(7)).shape == (7,)
    with pytest.raises(ForeignDataError, match="cannot reshape"):
        pickle_values(giant(2_000_000_000))


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (np.array([object, None]), "found"),
        (np.zeros(2, [("a", "f4")]), "found arrays of"),
        ({1, 2}, "found"),
        (ValueError("x"), "ValueError"),
        (slice(1), "slice"),
    ],
)
def test_other_objects_are_refused(value, told):
    with pytest.raises(ForeignDataError, match=told):
        pickle_values(pickled(value))


@pytest.mark.parametrize("damage", [lambda raw: raw[:-20], lambda raw: b"", lambda raw: raw[:2] + b"\xff" + raw[3:]])
def test_a_damaged_pickle_is_one_line(damage):
    with pytest.raises(ForeignDataError, match="pickle: expected"):
        pickle_values(damage(pickled(VALUE)))


def test_a_list_that_contains_itself_is_refused():
    with pytest.raises(ForeignDataError, match="contains itself"):
        pickle_values(b"\x80\x02]q\x00h\x00a.")


def test_references_to_references_do_not_multiply():
    """Ten lists, each of ten references to the one before, are ten lists in memory and not 10^10."""
    value = [0]
    for _ in range(10):
        value = [value] * 10
    found = pickle_values(pickled(value))
    assert all(one is found[0] for one in found)
