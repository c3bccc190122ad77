"""Reader of Minari data sets, stored as HDF5, Arrow or Parquet.

The layout is that of Farama-Foundation/Minari, `minari/dataset/_storages/hdf5_storage.py` and `arrow_storage.py`,
`minari/dataset/minari_storage.py` (`metadata.json`) and `minari/serialization.py` (spaces).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from steadyhand.data.foreign import (
    ForeignDataError,
    ForeignEpisode,
    ForeignField,
    ForeignSet,
    check_bytes,
    naming,
    own_period_s,
)
from steadyhand.data.hdf5 import child, damage, opened_hdf5, read_array
from steadyhand.data.tables import column_array, decode_picture, read_arrow, read_parquet
from steadyhand.runtime.logging import escaped, quoted

__all__ = ["MAIN", "METADATA", "OWN", "MinariSet", "data_folder"]

METADATA, MAIN = "metadata.json", "main_data.hdf5"
OWN = "steadyhand"  # key of metadata.json with what the format has no place for
ALONE = "observation"  # key of an observation space that is one Box
SUCCESS = ("success", "is_success", "succeed")
ENDS = ("rewards", "terminations", "truncations")
MAX_JSON = 256 << 20  # the bounds of a picture's space are lists of numbers


class MinariSet(ForeignSet):
    """A Minari data set that is open for reading."""

    default_action = "action"

    def __init__(self, folder: Path) -> None:
        self._folder = data_folder(folder)
        facts = _read_metadata(self._folder)
        self._storage = str(facts.get("data_format", "hdf5"))
        if self._storage not in ("hdf5", "arrow", "parquet"):
            raise ForeignDataError(f"{folder}: expected hdf5, arrow or parquet, found {quoted(self._storage)}")
        self.format = f"Minari ({self._storage})"
        self._count = int(facts["total_episodes"])
        spaces = [_space(facts.get(name), folder, name) for name in ("observation_space", "action_space")]
        self.observations, actions = (dict(_leaves(space, "")) for space in spaces)
        self.observations = {key or ALONE: one for key, one in self.observations.items()}
        self.actions = {f"action/{key}" if key else "action": one for key, one in actions.items()}
        own = facts.get(OWN)
        self.own = own if isinstance(own, dict) else None
        self.period_s = own_period_s(self.own)
        self._file = opened_hdf5(self._folder / MAIN) if self._storage == "hdf5" else None

    def __len__(self) -> int:
        return self._count

    def episodes(self, wanted: Sequence[str], chosen: Sequence[int]) -> Iterator[ForeignEpisode]:
        """Read episodes; a Minari episode has the observation after its last step."""
        for number in chosen:
            with naming(self._folder):
                episode = self._episode(wanted, number)
            yield episode

    def _episode(self, wanted: Sequence[str], number: int) -> ForeignEpisode:
        read = self._from_table(number) if self._file is None else self._from_file(number)
        ends = {name: read(name, "", ForeignField((), "float64")) for name in ENDS}
        steps = len(ends["rewards"])
        if self._file is None:  # the last row has the last observation alone
            ends, steps = {name: values[:-1] for name, values in ends.items()}, steps - 1
        actions = {
            key: read("actions", key.removeprefix("action").lstrip("/"), one)[:steps]
            for key, one in self.actions.items()
        }
        observations = {
            key: read("observations", "" if key == ALONE else key, self.observations[key]) for key in wanted
        }
        return ForeignEpisode(
            name=f"episode {number}",
            observations=observations,
            actions=actions,
            rewards=ends["rewards"],
            terminated=bool(ends["terminations"][-1]) if steps > 0 else False,
            success=self._success(read),
        )

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()

    def _success(self, read: Any) -> bool | None:
        for name in SUCCESS:
            try:
                return bool(np.any(read("infos", name, ForeignField((), "bool"))))
            except ForeignDataError:
                continue
        return None

    def _from_file(self, number: int) -> Any:
        episode = child(self._file, f"episode_{number}")
        if episode is None:
            raise ForeignDataError(f"{self._folder / MAIN}: expected episode_{number}, found none; copy it again")

        def read(part: str, key: str, one: ForeignField) -> NDArray[Any]:
            *above, name = [part, *(step for step in key.split("/") if step)]
            group = episode
            for step in above:
                group = child(group, step)
                if group is None:
                    raise ForeignDataError(f"{self._folder / MAIN}: expected {quoted(f'{part}/{key}')}, found none")
            data = child(group, name)
            if data is None or not hasattr(data, "shape"):
                raise ForeignDataError(f"{self._folder / MAIN}: expected {quoted(f'{part}/{key}')}, found none")
            if one.dtype == "uint8" and len(one.shape) == 3 and tuple(data.shape[1:]) != one.shape:
                return _jpegs(_bytes_of(data, group), one, key)
            values = read_array(group, name)
            if values.size != len(values) * int(np.prod(one.shape)):
                raise ForeignDataError(f"{quoted(f'{part}/{key}')}: expected {one}, found rows of {values.shape[1:]}")
            return values.reshape(len(values)) if one.shape == () else values

        return read

    def _from_table(self, number: int) -> Any:
        folder = self._folder / str(number)
        files = sorted(path for path in folder.glob("*") if path.suffix in (".arrow", ".parquet"))
        if len(files) != 1:
            raise ForeignDataError(f"{folder}: expected one file of an episode, found {len(files)}; copy it again")
        table = read_arrow(files[0]) if files[0].suffix == ".arrow" else read_parquet(files[0])

        def read(part: str, key: str, one: ForeignField) -> NDArray[Any]:
            import pyarrow as pa

            if part not in table.column_names:
                raise ForeignDataError(f"{files[0]}: expected the column {part}, found none")
            column = table[part].combine_chunks()
            for step in (step for step in key.split("/") if step):
                if not pa.types.is_struct(column.type) or column.type.get_field_index(step) < 0:
                    raise ForeignDataError(f"{files[0]}: expected {quoted(f'{part}/{key}')}, found none")
                column = column.field(step)
            if pa.types.is_binary(column.type):
                return _jpegs([cell.as_py() or b"" for cell in column], one, key)
            return column_array(column, one.shape, f"{part}/{key}")

        return read


def data_folder(folder: Path) -> Path:
    """Return the folder with `metadata.json`: the named one, or `data` in it."""
    return folder / "data" if (folder / "data" / METADATA).is_file() else folder


def _read_metadata(folder: Path) -> dict[str, Any]:
    path = folder / METADATA
    try:
        with path.open("rb") as file:
            facts = json.loads(file.read(MAX_JSON))
        if not isinstance(facts, dict) or not 0 <= int(facts["total_episodes"]) < 1 << 31:
            raise ValueError("no total_episodes")
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        found = escaped(str(error), 120)
        raise ForeignDataError(f"{path}: expected a Minari data set's facts, found {found}; copy it again") from None
    return facts


def _space(text: Any, folder: Path, name: str) -> Mapping[str, Any]:
    try:
        space = json.loads(text)
        if isinstance(space, dict):
            return space
    except (ValueError, TypeError, RecursionError):
        pass
    raise ForeignDataError(
        f"{folder}: expected {name} in {METADATA}, found none; write the set anew with a Minari that stores its spaces"
    )


def _leaves(space: Mapping[str, Any], path: str) -> Iterator[tuple[str, ForeignField]]:
    """Yield every Box and Discrete below a space, with its place as `outer/inner`."""
    subspaces = space.get("subspaces")
    if isinstance(subspaces, list):
        subspaces = {f"_index_{index}": one for index, one in enumerate(subspaces)}
    if isinstance(subspaces, dict):
        for name, one in subspaces.items():
            if isinstance(one, dict):
                yield from _leaves(one, f"{path}/{name}" if path else str(name))
    elif space.get("type") in ("Box", "Discrete"):
        shape = tuple(int(size) for size in space.get("shape", ()))
        yield path, ForeignField(shape, str(space.get("dtype", "int64")))


def _bytes_of(data: Any, group: Any) -> list[bytes]:
    with damage(group):
        if data.dtype.kind not in "uO" or len(data.shape) not in (1, 2):
            raise ForeignDataError(f"{quoted(data.name)}: expected JPEG pictures, found {data.shape} {data.dtype}")
        check_bytes(data.name, data.shape, np.uint8)
        return [np.asarray(data[index], np.uint8).tobytes() for index in range(data.shape[0])]


def _jpegs(cells: Sequence[bytes], one: ForeignField, key: str) -> NDArray[np.uint8]:
    check_bytes(key, (len(cells), *one.shape), np.uint8)
    return np.stack([decode_picture(cell, one.shape, key) for cell in cells])
