"""Reader of LeRobotDataset v3.0 folders, without the package lerobot.

The layout is that of huggingface/lerobot, `src/lerobot/datasets/`: `utils.py` (places of the files and
`DatasetInfo`), `dataset_metadata.py` (rows of an episode), `dataset_writer.py` (where an episode's rows and frames
are), `feature_utils.py` (types), `src/lerobot/utils/constants.py` (names of rewards and ends).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from steadyhand.data.foreign import ForeignDataError, ForeignEpisode, ForeignField, ForeignSet, naming, own_period_s
from steadyhand.data.tables import column_array, decode_picture, read_parquet
from steadyhand.data.video import VideoReader
from steadyhand.runtime.logging import escaped, quoted

__all__ = ["DATA", "DONE", "EPISODES", "FINAL", "INFO", "OWN", "REWARD", "SUCCESS", "TRUNCATED", "VIDEO", "LeRobotSet"]

INFO, EPISODES = "meta/info.json", "meta/episodes"
DATA = "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet"
VIDEO = "videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4"
OWN, FINAL = "meta/steadyhand.json", "meta/steadyhand_final.parquet"  # what the format has no place for
REWARD, DONE, TRUNCATED, SUCCESS = "next.reward", "next.done", "next.truncated", "next.success"
COUNTERS = {"timestamp", "frame_index", "episode_index", "index", "task_index"}
PICTURES = ("image", "video")
MAX_JSON = 16 << 20


class _Feature(msgspec.Struct):
    dtype: str
    shape: tuple[int, ...]
    names: Any = None


class _Info(msgspec.Struct):
    """The keys of `meta/info.json` that are used."""

    codebase_version: str
    fps: float
    features: dict[str, _Feature]
    data_path: str = DATA
    video_path: str | None = VIDEO


class LeRobotSet(ForeignSet):
    """A LeRobotDataset v3.0 that is open for reading."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._info = info = _read_info(folder)
        self.format, self.period_s = f"LeRobotDataset {escaped(info.codebase_version, 16)}", 1.0 / info.fps
        fields = {
            key: _field(feature)
            for key, feature in info.features.items()
            if key not in COUNTERS and not key.startswith("next.") and _is_numbers(feature)
        }
        self.actions = {key: one for key, one in fields.items() if key.split(".")[0] == "action"}
        self.observations = {key: one for key, one in fields.items() if key not in self.actions}
        self.default_action = "action"
        self._episodes = self._read_episodes()
        own = folder / OWN
        self.own = _json(own, dict[str, Any]) if own.is_file() else None
        self.period_s = own_period_s(self.own) or self.period_s  # the format's fps are whole numbers
        self._table: tuple[tuple[int, int], Any] | None = None  # the newest data file: an episode's rows are in one
        self._videos: dict[str, tuple[Path, VideoReader]] = {}
        self._final: Any = None

    def __len__(self) -> int:
        return len(self._episodes)

    def episodes(self, wanted: Sequence[str], chosen: Sequence[int]) -> Iterator[ForeignEpisode]:
        """Read episodes; frames that are not wanted are not decoded."""
        for number in chosen:
            with naming(self._folder):
                episode = self._episode(wanted, number)
            yield episode

    def _episode(self, wanted: Sequence[str], number: int) -> ForeignEpisode:
        row = self._episodes[number]
        table = self._rows(row)
        observations = {key: self._column(table, key, row) for key in wanted}
        if self.own is not None and (self._folder / FINAL).is_file():
            final = self._final_observation(number, wanted)
            observations = {key: np.concatenate([seen, final[key][None]]) for key, seen in observations.items()}
        done, truncated = self._optional(table, DONE), self._optional(table, TRUNCATED)
        success = self._optional(table, SUCCESS)
        terminated = None  # `next.done` alone may mean a time limit, too
        if done is not None and truncated is not None:
            terminated = bool(done[-1] and not truncated[-1])
        return ForeignEpisode(
            name=f"episode {number}",
            observations=observations,
            actions={key: self._column(table, key, row) for key in self.actions},
            rewards=self._optional(table, REWARD),
            terminated=terminated,
            success=None if success is None else bool(success.any()),
        )

    def close(self) -> None:
        """Close the videos."""
        for _, video in self._videos.values():
            video.close()

    def _read_episodes(self) -> list[Mapping[str, Any]]:
        names = ["episode_index", "length", "data/chunk_index", "data/file_index"]
        for key, feature in self._info.features.items():
            if feature.dtype == "video":
                names += [f"videos/{key}/{part}" for part in ("chunk_index", "file_index", "from_timestamp")]
        rows: list[Mapping[str, Any]] = []
        for path in sorted((self._folder / EPISODES).glob("*/*.parquet")):
            table = read_parquet(path, names)
            missing = [name for name in names if name not in table.column_names]
            if missing:
                raise ForeignDataError(f"{path}: expected the column {missing[0]}, found none; copy the data set again")
            columns = {name: column_array(table[name], (), name).tolist() for name in names}
            rows += [dict(zip(names, values, strict=True)) for values in zip(*columns.values(), strict=True)]
        rows.sort(key=lambda row: int(row["episode_index"]))
        if not rows or [row["episode_index"] for row in rows] != list(range(len(rows))):
            raise ForeignDataError(
                f"{self._folder}: expected episodes 0, 1, ... in {EPISODES}, found {len(rows)} rows; copy it again"
            )
        return rows

    def _rows(self, row: Mapping[str, Any]) -> Any:
        """Return the table of one episode's rows, in order."""
        place = (int(row["data/chunk_index"]), int(row["data/file_index"]))
        if self._table is None or self._table[0] != place:
            path = self._folder / DATA.format(chunk_index=place[0], file_index=place[1])
            self._table = (place, read_parquet(path))
        table = self._table[1]
        if "episode_index" not in table.column_names:
            raise ForeignDataError(f"{self._folder}: expected the column episode_index in {DATA}, found none")
        found = np.flatnonzero(column_array(table["episode_index"], (), "episode_index") == row["episode_index"])
        length = int(row["length"])
        if len(found) != length or not length or int(found[-1] - found[0]) != length - 1:
            raise ForeignDataError(
                f"{self._folder}: expected {length} rows in a row of episode {row['episode_index']}, "
                f"found {len(found)}; copy the data set again"
            )
        return table.slice(int(found[0]), length)

    def _column(self, table: Any, key: str, row: Mapping[str, Any]) -> NDArray[Any]:
        feature, one = self._info.features[key], self.observations.get(key) or self.actions[key]
        if feature.dtype == "video":
            return self._frames(key, one, row)
        if key not in table.column_names:
            raise ForeignDataError(f"{self._folder}: expected the column {quoted(key)}, found none; copy it again")
        if feature.dtype == "image":
            cells = (cell.as_py() for cell in table[key])
            return np.stack([decode_picture((cell or {}).get("bytes") or b"", one.shape, key) for cell in cells])
        return column_array(table[key], one.shape, key)

    def _optional(self, table: Any, key: str) -> NDArray[Any] | None:
        return column_array(table[key], (), key) if key in table.column_names else None

    def _frames(self, key: str, one: ForeignField, row: Mapping[str, Any]) -> NDArray[np.uint8]:
        chunk, file = int(row[f"videos/{key}/chunk_index"]), int(row[f"videos/{key}/file_index"])
        path = self._folder / VIDEO.format(video_key=key, chunk_index=chunk, file_index=file)
        earlier = self._videos.get(key)
        if earlier is None or earlier[0] != path:
            if earlier is not None:
                earlier[1].close()
            self._videos[key] = (path, VideoReader(path, self._info.fps, one.shape))
        return self._videos[key][1].frames(float(row[f"videos/{key}/from_timestamp"]), int(row["length"]))

    def _final_observation(self, number: int, wanted: Sequence[str]) -> dict[str, NDArray[Any]]:
        if self._final is None:
            self._final = read_parquet(self._folder / FINAL)
        final: dict[str, NDArray[Any]] = {}
        for key in wanted:
            if key not in self._final.column_names or number >= len(self._final):
                raise ForeignDataError(f"{self._folder / FINAL}: expected {quoted(key)} of {number + 1} episodes")
            one, column = self.observations[key], self._final[key].slice(number, 1)
            if len(one.shape) == 3 and one.dtype == "uint8":
                final[key] = decode_picture(column[0].as_py() or b"", one.shape, key)
            else:
                final[key] = column_array(column, one.shape, key)[0]
        return final


def _read_info(folder: Path) -> _Info:
    info: _Info = _json(folder / INFO, _Info)
    version = info.codebase_version
    if not version.startswith("v3."):
        raise ForeignDataError(
            f"{folder}: expected a LeRobotDataset v3, found {quoted(version, 16)}; convert it with LeRobot's own "
            "`python -m lerobot.scripts.convert_dataset_v21_to_v30`"
        )
    # A path pattern of the file is compared and never filled in: it could lead out of the folder.
    if info.data_path != DATA or info.video_path not in (VIDEO, None):
        raise ForeignDataError(f"{folder / INFO}: expected data_path {DATA} and video_path {VIDEO}, found others")
    if not 0.0 < info.fps < 1e6:
        raise ForeignDataError(f"{folder / INFO}: expected fps above 0, found {info.fps:g}")
    for key, feature in info.features.items():
        if "/" in key or key in ("", ".", ".."):
            raise ForeignDataError(f"{folder / INFO}: expected names without a slash, found {quoted(key)}")
        is_picture = feature.dtype in PICTURES
        if not all(size >= 1 for size in feature.shape) or (is_picture and len(feature.shape) != 3):
            raise ForeignDataError(f"{folder / INFO}: expected a shape of {quoted(key)}, found {feature.shape}")
    return info


def _is_numbers(feature: _Feature) -> bool:
    if feature.dtype in PICTURES:
        return True
    try:
        return np.dtype(feature.dtype).kind in "biuf"
    except TypeError:
        return False


def _field(feature: _Feature) -> ForeignField:
    """Return the field as it is decoded: a picture is (h, w, 3), in either order of its declared shape."""
    if feature.dtype in PICTURES:
        channels_first = feature.shape[0] == 3 and feature.shape[2] != 3
        height, width = feature.shape[1:] if channels_first else feature.shape[:2]
        return ForeignField((height, width, 3), "uint8")
    names = feature.names
    if isinstance(names, dict):  # {"motors": [...]}, or {name: index}
        first = next(iter(names.values()), None)
        names = first if isinstance(first, list) else list(names)
    is_named = isinstance(names, list) and all(isinstance(name, str) for name in names)
    fits = is_named and len(feature.shape) == 1 and len(names) == feature.shape[0]
    return ForeignField(feature.shape, feature.dtype, tuple(names) if fits else ())


def _json(path: Path, kind: Any) -> Any:
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_JSON + 1)
        if len(raw) > MAX_JSON:
            raise ForeignDataError(f"{path}: expected at most {MAX_JSON >> 20} MiB, found more")
        return msgspec.json.decode(raw, type=kind, strict=False)
    except (OSError, UnicodeDecodeError, msgspec.MsgspecError, RecursionError) as error:
        found = escaped(str(error), 120)
        raise ForeignDataError(f"{path}: expected a LeRobotDataset's JSON, found {found}; copy it again") from None
