"""Demo sets with random contents, comparison of two of them, and a stranger's LeRobot set."""

import json
import math
from pathlib import Path

import av
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from steadyhand.cli import main
from steadyhand.face.recorded import read_log
from steadyhand.transport.demo_writer import DemoSetWriter
from steadyhand.transport.schema import FieldSpec, Schema

TASK = {"kind": "gym", "entry_point": "tests.unit.steadyhand.point_task:make", "name": "point"}


def vector(name="pose", size=3, privileged=False):
    return FieldSpec(name, (size,), "float32", -math.inf, math.inf, "m", "base", privileged=privileged)


def view(name="wrist", height=32, width=48):
    return FieldSpec(name, (height, width, 3), "uint8", 0, 255, "", "camera")


def schema(*fields, axes=2, period_s=0.1):
    fields = fields or (vector(), view())
    return Schema(tuple(fields), FieldSpec("action", (axes,), "float32", -1, 1, "1", ""), 0, (), period_s)


def arrays(of, steps, rng, **changes):
    """Return one episode as `DemoSetWriter.add_episode` takes it; its numbers use every bit of a float32."""
    observations = {
        one.name: pictures(steps + 1, one.shape, rng)
        if one.is_image
        else rng.normal(size=(steps + 1, *one.shape)).astype(np.float32)
        for one in of.observation
    }
    values = {
        "observations": observations,
        "actions": rng.uniform(-1, 1, (steps, *of.action.shape)).astype(np.float32),
        "rewards": np.eye(steps, dtype=np.float32)[-1],
        "terminated": True,
        "success": True,
    }
    return values | changes


def pictures(count, shape, rng):
    """Return smooth frames, each of its own colours, so that a video keeps them apart."""
    colours = rng.integers(0, 256, (count, 2, 1, 1, 3))
    across = np.linspace(0, 1, shape[1])[:, None]
    return np.broadcast_to(
        (colours[:, 0] * (1 - across) + colours[:, 1] * across).astype(np.uint8), (count, *shape)
    ).copy()


def write_set(folder, of=None, lengths=(4, 6, 5), seed=0, failures=(), task=TASK, **changes):
    """Write a demo set; `failures` are numbers of episodes that were cut off without a success."""
    of, rng = of or schema(), np.random.default_rng(seed)
    with DemoSetWriter(folder, of, dict(task), "scripted") as out:
        for number, steps in enumerate(lengths):
            failed = {"terminated": False, "success": False, "rewards": np.zeros(steps, np.float32)}
            out.add_episode(**arrays(of, steps, rng, **(failed if number in failures else {}) | changes))
    return folder


def same_episodes(one, other, but=()):
    """Assert that two sets hold the same episodes; pictures in `but` may differ by the loss of a video."""
    first, second = list(read_log(one)), list(read_log(other))
    assert len(first) == len(second) > 0
    for a, b in zip(first, second, strict=True):
        assert (a.success, a.observations.keys()) == (b.success, b.observations.keys())
        for name in a.observations:
            if name in but:
                assert a.observations[name].shape == b.observations[name].shape
                assert np.abs(a.observations[name].astype(int) - b.observations[name]).mean() < 12
            else:
                np.testing.assert_array_equal(a.observations[name], b.observations[name])
        for name in ("actions", "human_actions", "rewards", "terminated", "truncated"):
            np.testing.assert_array_equal(getattr(a, name), getattr(b, name), err_msg=name)


def refused(capsys, *words):
    """Run a command that must refuse, and return its one line."""
    assert main([str(word) for word in words]) == 2
    line = capsys.readouterr().err
    assert line.count("\n") == 1, line
    assert "Traceback" not in line
    return line


def tree(folder: Path):
    """Return every path below a folder, so that a test can assert that nothing was left behind."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def write_stranger(root: Path, episodes, fps=10, views=(), rewards=True, size=(32, 48), names=None):
    """Write a LeRobotDataset v3.0 by pyarrow and PyAV alone; all episodes share one data file and one video a view.

    The layout follows huggingface/lerobot, src/lerobot/datasets/utils.py and dataset_writer.py.

    Args:
        root: Its folder.
        episodes: (state (T, n), action (T, a), frames by view (T, h, w, 3)) of each.
        fps: Frames per second.
        views: Names of the cameras.
        rewards: Whether it has rewards and success marks.
        size: Height and width of the pictures.
        names: Names of the elements of the state.
    """
    state_size, axes = episodes[0][0].shape[1], episodes[0][1].shape[1]
    scalar = {"shape": [1], "names": None}
    features = {
        "observation.state": {"dtype": "float32", "shape": [state_size], "names": names},
        "action": {"dtype": "float32", "shape": [axes], "names": {"motors": [f"m{i}" for i in range(axes)]}},
        **{
            f"observation.images.{one}": {
                "dtype": "video",
                "shape": [*size, 3],
                "names": ["height", "width", "channels"],
            }
            for one in views
        },
        "timestamp": {"dtype": "float32", **scalar},
        **{key: {"dtype": "int64", **scalar} for key in ("frame_index", "episode_index", "index", "task_index")},
    }
    if rewards:
        features |= {"next.reward": {"dtype": "float32", **scalar}, "next.success": {"dtype": "bool", **scalar}}
    rows, table, start = [], {key: [] for key in features if not key.startswith("observation.images")}, 0
    for number, (states, actions, _) in enumerate(episodes):
        steps = len(states)
        at_end = np.arange(steps) == steps - 1
        columns = {
            "observation.state": states.astype(np.float32).tolist(),
            "action": actions.astype(np.float32).tolist(),
            "timestamp": (np.arange(steps) / fps).tolist(),
            "frame_index": list(range(steps)),
            "episode_index": [number] * steps,
            "index": list(range(start, start + steps)),
            "task_index": [0] * steps,
            "next.reward": at_end.astype(float).tolist(),
            "next.success": at_end.tolist(),
        }
        for key in table:
            table[key] += columns[key]
        row = {"episode_index": number, "tasks": ["push"], "length": steps, "dataset_from_index": start}
        row |= {"dataset_to_index": start + steps, "data/chunk_index": 0, "data/file_index": 0}
        for one in views:
            key = f"videos/observation.images.{one}"
            row |= {f"{key}/chunk_index": 0, f"{key}/file_index": 0}
            row |= {f"{key}/from_timestamp": start / fps, f"{key}/to_timestamp": (start + steps) / fps}
        rows.append(row)
        start += steps
    for place in ("data/chunk-000", "meta/episodes/chunk-000"):
        (root / place).mkdir(parents=True)
    kinds = {"float32": pa.float32(), "int64": pa.int64(), "bool": pa.bool_()}
    typed = {
        key: pa.array(
            values,
            pa.list_(kinds[features[key]["dtype"]]) if isinstance(values[0], list) else kinds[features[key]["dtype"]],
        )
        for key, values in table.items()
    }
    pq.write_table(pa.table(typed), root / "data/chunk-000/file-000.parquet")
    pq.write_table(pa.Table.from_pylist(rows), root / "meta/episodes/chunk-000/file-000.parquet")
    for one in views:
        path = root / f"videos/observation.images.{one}/chunk-000/file-000.mp4"
        path.parent.mkdir(parents=True)
        _write_video(path, np.concatenate([frames[one] for _, _, frames in episodes]), fps)
    info = {"codebase_version": "v3.0", "robot_type": "so100", "fps": fps, "features": features}
    info |= {"total_episodes": len(episodes), "total_frames": start, "total_tasks": 1, "chunks_size": 1000}
    info |= {"data_path": "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet"}
    info |= {"video_path": "videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4"}
    (root / "meta/info.json").write_text(json.dumps(info))
    return root


def _write_video(path, frames, fps):
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=fps, options={"crf": "10"})
        stream.height, stream.width, stream.pix_fmt = *frames.shape[1:3], "yuv420p"
        for pixels in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode())
