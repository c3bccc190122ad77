"""The formats that are read, told by what stands in a file or folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from steadyhand.data.foreign import ForeignDataError, ForeignSet
from steadyhand.data.lerobot_reader import INFO, LeRobotSet
from steadyhand.data.minari_reader import METADATA, MinariSet, data_folder
from steadyhand.data.robomimic_reader import RobomimicSet
from steadyhand.data.serl_reader import SerlSet
from steadyhand.transport.foreign_data import foreign_data

__all__ = ["opened_foreign"]

HDF5 = b"\x89HDF\r\n\x1a\n"
PICKLES = ("a SERL", "a Python pickle")


@contextmanager
def opened_foreign(path: Path) -> Iterator[ForeignSet]:
    """Open another package's data set.

    Args:
        path: A LeRobot or Minari folder, a robomimic file, or a file of transitions.

    Raises:
        ForeignDataError: It is none of these, or damaged.
    """
    with closing(_opened(path)) as found:
        yield found


def _opened(path: Path) -> ForeignSet:
    if (path / INFO).is_file():
        return LeRobotSet(path)
    if (data_folder(path) / METADATA).is_file():
        return MinariSet(path)
    told = foreign_data(path)
    if path.is_file():
        with path.open("rb") as file:
            head = file.read(2048)
        if HDF5 in (head[place : place + len(HDF5)] for place in (0, 512, 1024)):
            return RobomimicSet(path)
        if told.startswith(PICKLES):
            return SerlSet(path)
    raise ForeignDataError(
        f"{path}: expected a LeRobot or Minari folder, a robomimic file or a file of SERL transitions, "
        f"found {told or 'none of them'}; name the data set's own folder or file (docs/data.md)"
    )
