import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

from steadyhand.transport.demo_set import DemoSetError, read_manifest, refuse_foreign
from steadyhand.transport.foreign_data import advice, foreign_data

HDF5 = b"\x89HDF\r\n\x1a\n"
# A list of one dict with the keys of a transition, as pickled by protocols 4 and 2.
KEYS = (b"observations", b"actions", b"next_observations", b"rewards", b"masks", b"dones")
TRANSITIONS = b"\x80\x04]}(" + b"".join(b"\x8c" + bytes([len(key)]) + key + b"K\x01" for key in KEYS) + b"ua."
OLD = b"\x80\x02]}(" + b"".join(b"X" + len(key).to_bytes(4, "little") + key + b"K\x01" for key in KEYS) + b"ua."


def npz():
    out = io.BytesIO()
    np.savez(out, a=np.zeros(3))
    return out.getvalue()


def torch_file():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("archive/data.pkl", b"x")
    return out.getvalue()


FILES = {
    "demo.hdf5": (HDF5 + b"\0" * 900 + b"data\0demo_0\0obs\0", "a robomimic HDF5 file"),
    "image.h5": (b"\0" * 512 + HDF5 + b"\0data\0env_args\0", "a robomimic HDF5 file"),
    "far.hdf5": (HDF5 + b"\0" * (10 << 20) + b"demo_0", "a robomimic HDF5 file"),
    "main_data.hdf5": (HDF5 + b"\0" * 100, "a Minari HDF5 file"),
    "some.hdf5": (HDF5 + b"episode_0\0terminations\0", "a Minari HDF5 file"),
    "episode_0.hdf5": (HDF5 + b"qpos\0qvel\0action\0", "an ALOHA (ACT) HDF5 file"),
    "hopper.hdf5": (HDF5 + b"actions\0terminals\0timeouts\0", "a D4RL HDF5 file"),
    "what.hdf5": (HDF5 + b"\0" * 30, "an HDF5 file"),
    "file-000.parquet": (b"PAR1....episode_index.frame_index....PAR1", "a LeRobot data set's Parquet file"),
    "other.parquet": (b"PAR1....name....PAR1", "a Parquet file"),
    "peg_20_demos.pkl": (TRANSITIONS, "a SERL or HIL-SERL pickle of transitions"),
    "old.pkl": (OLD, "a SERL or HIL-SERL pickle of transitions"),
    "other.pkl": (b"\x80\x04}\x8c\x01aK\x01s.", "a Python pickle"),
    "demos.npz": (npz(), "a NumPy archive"),
    "demos.pt": (torch_file(), "a torch file"),
    "run.mcap": (b"\x89MCAP0\r\n rest", "an MCAP recording"),
    "run.bag": (b"#ROSBAG V2.0\n", "a ROS 1 bag"),
    "run.db3": (b"SQLite format 3\0 rest", "a SQLite file"),
    "notes.txt": (b"the peg sticks on the left", ""),
    "empty": (b"", ""),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_told_by_its_bytes_wherever_it_stands(tmp_path, name):
    content, told = FILES[name]
    (tmp_path / "demos" / "below").mkdir(parents=True)
    (tmp_path / "demos" / "below" / name).write_bytes(content)
    assert foreign_data(tmp_path / "demos" / "below" / name).startswith(told)
    whole = foreign_data(tmp_path / "demos")
    assert whole == "" if not told else whole.startswith(told) and whole.endswith(f"(below/{name})")


def test_a_long_parquet_file_is_lerobots_by_its_footer(tmp_path):
    path = tmp_path / "file-000.parquet"
    path.write_bytes(b"PAR1" + bytes(5 << 20) + b"episode_index frame_index PAR1")
    assert foreign_data(path) == "a LeRobot data set's Parquet file"


def write(folder, **files):
    for name, content in files.items():
        path = folder / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({"meta__info.json": {"codebase_version": "v3.0"}}, "a LeRobot data set, v3.0"),
        ({"meta__info.json": {"codebase_version": "v2.1"}}, "a LeRobot data set, v2.1"),
        ({"metadata.json": {"data_format": "hdf5", "total_episodes": 3}}, "a Minari data set"),
        ({"data__metadata.json": {"total_episodes": 3, "observation_space": "{}"}}, "a Minari data set (data)"),
        ({"dataset_info.json": {}, "features.json": {}}, "an RLDS (TFDS) data set"),
        ({"replay.zarr__.zgroup": {}}, "a zarr store"),
        ({"meta__info.json": "not json", "metadata.json": [1]}, ""),
    ],
)
def test_a_folder_is_told_by_what_stands_in_it(tmp_path, files, told):
    write(tmp_path, **files)
    found = foreign_data(tmp_path)
    assert found.startswith(told) if told else found == ""


def test_nothing_is_unpickled(tmp_path):
    boom = str(tmp_path / "boom").encode()
    text = b"X" + len(boom).to_bytes(4, "little") + boom
    # Loading this opens a file for writing.
    (tmp_path / "bomb.pkl").write_bytes(b"\x80\x02cbuiltins\nopen\n" + text + b"X\x01\0\0\0w\x86R.")
    assert foreign_data(tmp_path).startswith("a Python pickle, which is never opened here")
    assert not (tmp_path / "boom").exists()


def test_the_line_names_the_format_and_what_to_do(tmp_path):
    (tmp_path / "demo.hdf5").write_bytes(HDF5 + b"demo_0 env_args")
    for refuse in (read_manifest, refuse_foreign):
        with pytest.raises(DemoSetError, match=r"found a robomimic HDF5 file \(demo\.hdf5\); import it: `steadyhand"):
            refuse(tmp_path)
    (tmp_path / "manifest.json").write_text("{}", encoding="utf-8")
    refuse_foreign(tmp_path)  # beside a demo set it does no harm


@pytest.mark.parametrize(
    ("files", "named", "told"),
    [
        ({"meta__info.json": {"codebase_version": "v3.0"}}, "set", "`steadyhand data import set OUT task=...`"),
        ({"below__meta__info.json": {"codebase_version": "v3.0"}}, "set", "data import set/below OUT"),
        ({"meta__info.json": {"codebase_version": "v2.1"}}, "set", "convert it with LeRobot's own"),
        ({"data__metadata.json": {"total_episodes": 3, "observation_space": "{}"}}, "set", "data import set/data OUT"),
        ({"data__chunk-000__file-000.parquet": "PAR1 episode_index frame_index PAR1"}, "set", "data import set OUT"),
        ({"dataset_info.json": {}, "features.json": {}}, "set", "there is no importer for it"),
        ({"a b__meta__info.json": {"codebase_version": "v3.0"}}, "set", "data import 'set/a b' OUT"),
    ],
)
def test_the_advice_is_a_command_to_copy(tmp_path, monkeypatch, files, named, told):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "set", **files)
    place = Path(named)
    assert told in advice(foreign_data(place), place)
