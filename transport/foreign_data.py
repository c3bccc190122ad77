"""Detection of other packages' data sets by their bytes and folders; none of their data are loaded."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from pathlib import Path

from steadyhand.runtime.logging import escaped

__all__ = ["advice", "foreign_data"]

SCANNED = 4 << 20  # bytes at either end of a file that are searched for names
DEEPEST = 3  # levels of folders below the named one
MOST_ENTRIES = 500  # files and folders that are inspected
MAX_JSON = 1 << 20
HDF5, PARQUET, ARROW = b"\x89HDF\r\n\x1a\n", b"PAR1", b"ARROW1"
HDF5_PLACES = (0, 512, 1024, 2048)  # possible offsets of the signature
MAGIC = {
    b"\x89MCAP0\r\n": "an MCAP recording",
    b"#ROSBAG V": "a ROS 1 bag",
    b"SQLite format 3\0": "a SQLite file, such as a ROS 2 bag",
    b"\x93NUMPY": "a NumPy array",
    ARROW: "an Arrow file",
    b"\x1f\x8b": "a gzip file",
    b"\xfd7zXZ\0": "an xz file",
    b"\x28\xb5\x2f\xfd": "a zstd file",
}
# As `foreign_data` begins for what `steadyhand data import` reads.
IMPORTABLE = ("a LeRobot data set", "a robomimic HDF5 file", "a Minari", "a SERL or HIL-SERL pickle")
OLD_LEROBOT = ("a LeRobot data set, v1", "a LeRobot data set, v2")
ZARR = (".zgroup", ".zarray", "zarr.json")


def foreign_data(path: Path) -> str:
    """Return the format and the place of another package's data at `path`, in a few words; "" when none is recognised.

    Args:
        path: A file, or a folder that is looked through a few levels deep.
    """
    for place in _places(path):
        name = _folder_name(place) if place.is_dir() else _file_name(place)
        if name:
            inside = "" if place == path else f" ({escaped(str(place.relative_to(path)))})"
            return f"{name}{inside}"
    return ""


def advice(found: str, path: Path) -> str:
    """Return the advice for a person who has such data.

    Args:
        found: As `foreign_data` returned it.
        path: The place that it was asked about.
    """
    if found.startswith(OLD_LEROBOT):
        return "convert it with LeRobot's own convert_dataset_v21_to_v30, then `steadyhand data import` (docs/data.md)"
    if found.startswith(IMPORTABLE):
        place = _import_place(found, path)
        return f"import it: `steadyhand data import {shlex.quote(str(place))} OUT task=...` (docs/data.md)"
    return (
        "there is no importer for it: record with `steadyhand record`, or write a demo set from it in a short script "
        "with transport.demo_writer (docs/bring-your-own-env.md)"
    )


def _import_place(found: str, path: Path) -> Path:
    """Return the file or folder that `data import` takes: the set's own, not a file inside a LeRobot or Minari set."""
    inside = found[found.rindex("(") + 1 : -1] if found.endswith(")") and " (" in found else ""
    place = path / inside if inside and (path / inside).exists() else path
    if found.startswith(("a LeRobot data set's Parquet file", "a Minari HDF5 file")):
        levels = 3 if "Parquet" in found else 1
        return place.parents[levels - 1] if len(place.parents) >= levels else place
    return place


def _places(path: Path) -> Iterator[Path]:
    """Yield the path and its entries, folders before the files in them, within `DEEPEST` and `MOST_ENTRIES`."""
    level, left = [path], MOST_ENTRIES
    for _ in range(DEEPEST + 1):
        below: list[Path] = []
        for place in level:
            left -= 1
            if left < 0:
                return
            yield place
            if place.is_dir():
                try:
                    below += sorted(place.iterdir())
                except OSError:
                    continue
        level = below


def _folder_name(folder: Path) -> str:
    info = _json(folder / "meta" / "info.json")
    if "codebase_version" in info:
        return f"a LeRobot data set, {escaped(str(info['codebase_version']), 16)}"
    metadata = _json(folder / "metadata.json")
    if "data_format" in metadata or {"total_episodes", "observation_space"} <= set(metadata):
        return "a Minari data set"
    if (folder / "dataset_info.json").is_file() and (folder / "features.json").is_file():
        return "an RLDS (TFDS) data set"
    if any((folder / name).is_file() for name in ZARR):
        return "a zarr store, as Diffusion Policy and UMI write them"
    return ""


def _file_name(path: Path) -> str:
    try:
        head, tail = _ends(path)
    except OSError:
        return ""
    if any(head[place : place + len(HDF5)] == HDF5 for place in HDF5_PLACES):
        return _hdf5_name(path, head + tail)
    if head.startswith(PARQUET):
        is_lerobot = b"episode_index" in head + tail and b"frame_index" in head + tail
        return "a LeRobot data set's Parquet file" if is_lerobot else "a Parquet file"
    if _is_pickle(head, tail):
        is_serl = all(name in head + tail for name in (b"observations", b"next_observations", b"masks"))
        return "a SERL or HIL-SERL pickle of transitions" if is_serl else "a Python pickle, which is never opened here"
    if head.startswith(b"PK\x03\x04"):
        return _zip_name(head, tail)
    return next((name for magic, name in MAGIC.items() if head.startswith(magic)), "")


def _hdf5_name(path: Path, names: bytes) -> str:
    if b"demo_0" in names or b"demo_1" in names or b"env_args" in names:
        return "a robomimic HDF5 file"
    if path.name == "main_data.hdf5" or (b"episode_" in names and b"terminations" in names):
        return "a Minari HDF5 file"
    if b"qpos" in names and b"action" in names:
        return "an ALOHA (ACT) HDF5 file"
    if b"terminals" in names and b"actions" in names:
        return "a D4RL HDF5 file"
    return "an HDF5 file"


def _zip_name(head: bytes, tail: bytes) -> str:
    if b"data.pkl" in head + tail:
        return "a torch file, which is never opened here"
    if b".npy" in head + tail:
        return "a NumPy archive (npz)"
    return "a zarr store in a zip file" if any(name.encode() in head + tail for name in ZARR) else "a zip file"


def _is_pickle(head: bytes, tail: bytes) -> bool:
    """Return whether bytes look like a pickle: protocols 2 to 5 begin with their number and end with a full stop."""
    return len(head) > 2 and head[0] == 0x80 and 2 <= head[1] <= 5 and (tail or head).endswith(b".")


def _ends(path: Path) -> tuple[bytes, bytes]:
    with path.open("rb") as file:
        head = file.read(SCANNED)
        size = file.seek(0, 2)
        file.seek(max(len(head), size - SCANNED))
        return head, file.read(SCANNED)


def _json(path: Path) -> dict[str, object]:
    try:
        if not path.is_file() or path.stat().st_size > MAX_JSON:
            return {}
        found = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
