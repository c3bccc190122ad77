import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from steadyhand.data.foreign import ForeignDataError
from steadyhand.data.lerobot_reader import LeRobotSet
from tests.unit.steadyhand.data.data_kit import pictures, write_stranger

STATE = "observation.state"
WRIST = "observation.images.wrist"


def episodes(lengths=(4, 6, 5), size=3):
    rng = np.random.default_rng(0)
    return [
        (
            rng.normal(size=(steps, size)).astype(np.float32),
            rng.uniform(-1, 1, (steps, 2)),
            {"wrist": pictures(steps, (32, 48, 3), rng)},
        )
        for steps in lengths
    ]


@pytest.fixture
def stranger(tmp_path):
    return write_stranger(tmp_path / "stranger", episodes(), views=("wrist",))


def test_rows_and_frames_of_shared_files_go_to_their_episodes(stranger):
    found = LeRobotSet(stranger)
    assert (len(found), found.period_s, found.format) == (3, pytest.approx(0.1), "LeRobotDataset v3.0")
    assert found.observations[WRIST].shape == (32, 48, 3)
    for episode, (state, action, frames) in zip(found.episodes([STATE, WRIST], range(3)), episodes(), strict=True):
        np.testing.assert_array_equal(episode.observations[STATE], state)
        np.testing.assert_allclose(episode.actions["action"], action, atol=1e-7)
        difference = np.abs(episode.observations[WRIST].astype(int) - frames["wrist"]).mean(axis=(1, 2, 3))
        assert (difference < 8).all()  # frames of other steps differ by about 80
        assert (episode.success, episode.terminated) == (True, None)
    found.close()


def test_chosen_episodes_and_columns_alone_are_decoded(stranger):
    (stranger / f"videos/{WRIST}/chunk-000/file-000.mp4").unlink()
    found = LeRobotSet(stranger)
    (episode,) = found.episodes([STATE], [1])
    assert len(episode.observations[STATE]) == 6
    with pytest.raises(ForeignDataError, match="expected an MP4 video"):
        list(found.episodes([WRIST], [1]))


def test_an_episode_far_into_a_video_is_found(stranger):
    found = LeRobotSet(stranger)
    (episode,) = found.episodes([WRIST], [2])
    frames = episodes()[2][2]["wrist"]
    assert np.abs(episode.observations[WRIST].astype(int) - frames).mean() < 8
    found.close()


def spoil_info(root, **changes):
    path = root / "meta/info.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def truncate(path, share=0.5):
    raw = path.read_bytes()
    path.write_bytes(raw[: int(len(raw) * share)])


DATA = "data/chunk-000/file-000.parquet"
EPISODES = "meta/episodes/chunk-000/file-000.parquet"
VIDEO = f"videos/{WRIST}/chunk-000/file-000.mp4"


def playlist(root):
    """A playlist in a video's place, which a reader that guesses formats would follow."""
    (root / VIDEO).write_text("#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n")


def other_rows(root):
    table = pq.read_table(root / DATA)
    pq.write_table(table.slice(0, 7), root / DATA)


def ragged(root):
    table = pq.read_table(root / DATA)
    rows = table["action"].to_pylist()
    rows[0], rows[1] = rows[0][:1], [*rows[1], 0.0]
    column = table.schema.get_field_index("action")
    pq.write_table(table.set_column(column, "action", pa.array(rows, pa.list_(pa.float32()))), root / DATA)


HOSTILE = [
    (lambda root: truncate(root / DATA), "expected a Parquet file"),
    (lambda root: truncate(root / EPISODES), "expected a Parquet file"),
    (lambda root: (root / DATA).write_bytes(b"PAR1" + bytes(100) + b"PAR1"), "expected a Parquet file"),
    (lambda root: truncate(root / VIDEO), "expected"),
    (playlist, "expected an MP4 video"),
    (other_rows, "rows in a row of episode"),
    (ragged, "rows of one length"),
    (lambda root: (root / DATA).unlink(), "found none"),
    (lambda root: (root / "meta/info.json").write_text("[" * 100_000), "LeRobotDataset's JSON"),
    (lambda root: spoil_info(root, codebase_version="v2.1"), "convert it with LeRobot's own"),
    (lambda root: spoil_info(root, data_path="../../{chunk_index}"), "expected data_path"),
    (lambda root: spoil_info(root, fps=0), "fps above 0"),
    (lambda root: spoil_info(root, features={"../x": {"dtype": "video", "shape": [2, 2, 3]}}), "without a slash"),
    (lambda root: spoil_info(root, features={"x": {"dtype": "video", "shape": [2]}}), "expected a shape"),
]


@pytest.mark.parametrize(("spoil", "told"), HOSTILE)
def test_a_damaged_or_hostile_set_is_one_line(stranger, spoil, told):
    spoil(stranger)
    with pytest.raises(ForeignDataError, match=told) as refusal:
        list(LeRobotSet(stranger).episodes([STATE, WRIST], range(3)))
    assert "\n" not in str(refusal.value)


def test_a_table_that_would_not_fit_is_not_decoded(stranger, monkeypatch):
    """One value a million times: a few kilobytes on the disk, and 16 MB when decoded."""
    zeros = pa.array(np.zeros(1 << 20, np.int64))
    pq.write_table(pa.table({"episode_index": zeros, "action": zeros}), stranger / DATA)
    assert (stranger / DATA).stat().st_size < 20_000
    with pytest.raises(ForeignDataError, match="rows in a row of episode"):  # below the limit it is decoded
        list(LeRobotSet(stranger).episodes([STATE], [0]))
    monkeypatch.setattr("steadyhand.data.tables.MOST_BYTES", 8 << 20)
    with pytest.raises(ForeignDataError, match="GiB of values"):
        list(LeRobotSet(stranger).episodes([STATE], [0]))


def test_a_giant_picture_is_refused_before_it_is_decoded(stranger):
    info = json.loads((stranger / "meta/info.json").read_text())
    info["features"][WRIST]["shape"] = [60_000, 60_000, 3]
    spoil_info(stranger, features=info["features"])
    with pytest.raises(ForeignDataError, match="expected pictures of 60000 x 60000"):
        list(LeRobotSet(stranger).episodes([WRIST], [0]))
