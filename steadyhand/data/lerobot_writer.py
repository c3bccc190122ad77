"""Writer of LeRobotDataset v3.0 folders, without the package lerobot.

The layout is that of huggingface/lerobot: see `lerobot_reader`; `src/lerobot/datasets/dataset_writer.py` for the
columns, `compute_stats.py` for the statistics, `src/lerobot/utils/constants.py` for the names of observations. The
format has T frames where a record has T + 1 observations: the last ones are kept in a file of our own in `meta/`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from steadyhand.data.lerobot_layout import LeRobotLayout, png_bytes
from steadyhand.data.lerobot_reader import DATA, EPISODES, FINAL, INFO, OWN, VIDEO
from steadyhand.data.outgoing import Outgoing
from steadyhand.data.statistics import Statistics, column_statistics, joined_statistics
from steadyhand.data.video import write_video

__all__ = ["write_lerobot"]

VERSION = "v3.0"
CHUNK_FILES = 1000
DATA_BYTES, DATA_MB, VIDEO_MB = 100 << 20, 100, 200
FILE = "chunk-{chunk_index:03d}/file-{file_index:03d}.parquet"


def write_lerobot(outgoing: Outgoing, folder: Path, lossless: bool, task: str) -> list[str]:
    """Write the episodes as a LeRobotDataset v3.0.

    Args:
        outgoing: The episodes.
        folder: New folder of the data set.
        lossless: PNG pictures inside the Parquet files in place of H.264 videos.
        task: The task in words, as LeRobot's policies read it.

    Returns:
        Notes on what the format does not keep.

    Raises:
        DemoSetError: The pictures have an odd size, which H.264 cannot hold.
    """
    layout = LeRobotLayout(outgoing, lossless)
    folder.mkdir()
    (folder / "meta").mkdir()
    rows: list[dict[str, Any]] = []
    finals: list[dict[str, Any]] = []
    statistics: dict[str, list[Statistics]] = {}
    frames = 0
    with closing(_DataFiles(folder, layout)) as files:
        for number, episode in enumerate(outgoing.episodes()):
            columns = layout.columns(episode)
            steps = len(episode)
            counters: dict[str, NDArray[Any]] = {
                "timestamp": (np.arange(steps) / layout.fps).astype(np.float32),
                "frame_index": np.arange(steps),
                "episode_index": np.full(steps, number),
                "index": np.arange(frames, frames + steps),
                "task_index": np.zeros(steps, np.int64),
            }
            pictures = layout.pictures(episode)
            place = files.write(columns | counters, {} if not lossless else pictures)
            row: dict[str, Any] = {
                "episode_index": number,
                "tasks": [task],
                "length": steps,
                "data/chunk_index": place[0],
                "data/file_index": place[1],
                "dataset_from_index": frames,
                "dataset_to_index": frames + steps,
                "meta/episodes/chunk_index": 0,
                "meta/episodes/file_index": 0,
            }
            if not lossless:
                row |= _write_videos(folder, number, pictures, layout.fps)
            everything: dict[str, NDArray[Any]] = {**columns, **counters, **pictures}
            for key, values in everything.items():
                one = column_statistics(values)
                statistics.setdefault(key, []).append(one)
                row |= {f"stats/{key}/{name}": value.tolist() for name, value in one.items()}
            rows.append(row)
            finals.append(layout.final(episode))
            frames += steps
    _write_meta(
        folder, layout, rows, finals, {key: joined_statistics(parts) for key, parts in statistics.items()}, task
    )
    period_s = outgoing.schema.control_period_s
    notes = []
    if abs(1.0 / layout.fps - period_s) > 1e-6 * period_s:
        notes.append(f"the format has whole frames per second: {1 / period_s:g} Hz are written as {layout.fps}")
    if layout.views and not lossless:
        notes.append("videos lose detail; --frames png keeps the pictures exactly. Vectors and actions are exact")
    return notes


class _DataFiles:
    """The Parquet files of rows: one row group an episode, a new file after `DATA_BYTES`."""

    def __init__(self, folder: Path, layout: LeRobotLayout) -> None:
        self._folder, self._layout = folder, layout
        self._number = 0
        self._writer: Any = None
        self._path: Path | None = None

    def write(self, columns: Mapping[str, NDArray[Any]], pictures: Mapping[str, NDArray[np.uint8]]) -> tuple[int, int]:
        """Append one episode; return (chunk, file)."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        if self._path is not None and self._path.stat().st_size >= DATA_BYTES:
            self.close()
            self._number += 1
        place = divmod(self._number, CHUNK_FILES)
        arrays = {key: _arrow(values) for key, values in columns.items()}
        for key, frames in pictures.items():
            cells = [{"bytes": png_bytes(frame), "path": None} for frame in frames]
            arrays[key] = pa.array(cells, pa.struct([("bytes", pa.binary()), ("path", pa.string())]))
        table = pa.table(arrays)
        if self._writer is None:
            self._path = self._folder / DATA.format(chunk_index=place[0], file_index=place[1])
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._writer = pq.ParquetWriter(self._path, table.schema, compression="snappy")
        self._writer.write_table(table)
        return place

    def close(self) -> None:
        """Complete the newest file."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None


def _write_videos(folder: Path, number: int, pictures: Mapping[str, NDArray[np.uint8]], fps: int) -> dict[str, Any]:
    """Write one file a view, and return what the episode's row says about them."""
    chunk, file = divmod(number, CHUNK_FILES)
    row: dict[str, Any] = {}
    for key, frames in pictures.items():
        path = folder / VIDEO.format(video_key=key, chunk_index=chunk, file_index=file)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_video(path, frames, fps)
        row |= {f"videos/{key}/chunk_index": chunk, f"videos/{key}/file_index": file}
        row |= {f"videos/{key}/from_timestamp": 0.0, f"videos/{key}/to_timestamp": len(frames) / fps}
    return row


def _write_meta(
    folder: Path,
    layout: LeRobotLayout,
    rows: list[dict[str, Any]],
    finals: list[dict[str, Any]],
    statistics: Mapping[str, Statistics],
    task: str,
) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    info = {
        "codebase_version": VERSION,
        "robot_type": None,
        "total_episodes": len(rows),
        "total_frames": sum(row["length"] for row in rows),
        "total_tasks": 1,
        "chunks_size": CHUNK_FILES,
        "data_files_size_in_mb": DATA_MB,
        "video_files_size_in_mb": VIDEO_MB,
        "fps": layout.fps,
        "splits": {"train": f"0:{len(rows)}"},
        "data_path": DATA,
        "video_path": VIDEO if layout.views and not layout.lossless else None,
        "features": layout.features(),
    }
    _write_json(folder / INFO, info)
    plain = {key: {name: value.tolist() for name, value in one.items()} for key, one in statistics.items()}
    _write_json(folder / "meta" / "stats.json", plain)
    _write_json(folder / OWN, layout.outgoing.own)
    episodes = folder / EPISODES / FILE.format(chunk_index=0, file_index=0)
    episodes.parent.mkdir(parents=True)
    pq.write_table(pa.Table.from_pylist(rows), episodes, compression="snappy")
    pq.write_table(_final_table(finals, layout), folder / FINAL)
    pq.write_table(_tasks_table(task), folder / "meta" / "tasks.parquet")


def _final_table(finals: list[dict[str, Any]], layout: LeRobotLayout) -> Any:
    import pyarrow as pa

    kinds = {key: pa.list_(pa.float32()) for key in layout.vectors} | {key: pa.binary() for key in layout.views}
    return pa.table({key: pa.array([one[key] for one in finals], kind) for key, kind in kinds.items()})


def _tasks_table(task: str) -> Any:
    """Return the table of tasks, whose index is the task in words: pandas finds that in the schema's metadata."""
    import pyarrow as pa

    table = pa.table({"task_index": pa.array([0], pa.int64()), "task": pa.array([task], pa.string())})
    number = {"name": "task_index", "field_name": "task_index", "pandas_type": "int64", "numpy_type": "int64"}
    words = {"name": "task", "field_name": "task", "pandas_type": "unicode", "numpy_type": "object"}
    head = {"name": None, "field_name": None, "pandas_type": "unicode", "numpy_type": "object"}
    pandas = {
        "index_columns": ["task"],
        "column_indexes": [head | {"metadata": {"encoding": "UTF-8"}}],
        "columns": [number | {"metadata": None}, words | {"metadata": None}],
        "creator": {"library": "pyarrow", "version": pa.__version__},
        "pandas_version": "2.2.0",
    }
    return table.replace_schema_metadata({"pandas": json.dumps(pandas)})


def _arrow(values: NDArray[Any]) -> Any:
    import pyarrow as pa

    flat = pa.array(np.ascontiguousarray(values).reshape(-1))
    return (
        flat if values.ndim == 1 or values.shape[1] == 1 else pa.FixedSizeListArray.from_arrays(flat, values.shape[1])
    )


def _write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, indent=4, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")
