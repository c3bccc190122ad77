import gc
import os

import numpy as np
import pytest

from steadyhand.transport.mapping import map_file


def mapped(path) -> np.ndarray:
    fd = os.open(path, os.O_RDONLY)
    try:
        return map_file(fd)
    finally:
        os.close(fd)


def maps_of(path) -> int:
    with open("/proc/self/maps") as file:
        return sum(str(path) in line for line in file)


def test_the_bytes_are_there_without_a_descriptor_and_follow_the_file(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"0123456789" * 1000)
    before = len(os.listdir("/proc/self/fd"))
    array = mapped(path)
    assert len(os.listdir("/proc/self/fd")) == before
    assert array[:10].tobytes() == b"0123456789"
    assert len(array) == 10_000
    with path.open("r+b") as file:
        file.write(b"x")
    assert array[0] == ord("x")


def test_it_cannot_be_written(tmp_path):
    (tmp_path / "file").write_bytes(b"abc")
    array = mapped(tmp_path / "file")
    assert not array.flags.writeable
    with pytest.raises(ValueError, match="read-only"):
        array[0] = 1
    with pytest.raises(ValueError, match="WRITEABLE"):
        array.flags.writeable = True


def test_the_mapping_lives_as_long_as_an_array_over_it(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(bytes(range(200)))
    part = mapped(path)[10:20].view("<u2")
    gc.collect()
    assert maps_of(path) == 1
    assert part[0] == 10 + 256 * 11
    del part
    gc.collect()
    assert maps_of(path) == 0


def test_an_empty_file_is_an_os_error(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OSError, match="cannot map"):
        mapped(tmp_path / "file")
