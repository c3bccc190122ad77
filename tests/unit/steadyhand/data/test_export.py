"""Round trips: what is exported and imported again is the same demo set."""

import json

import av
import h5py
import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from steadyhand.cli import main
from steadyhand.face.recorded import read_log
from tests.unit.steadyhand.data.data_kit import refused, same_episodes, schema, tree, vector, view, write_set

TO = [("lerobot", "out", ["--frames", "png"]), ("robomimic", "out.hdf5", []), ("minari", "out", [])]


def there(folder, demos, to, name, extra=()):
    assert main(["data", "export", str(demos), str(folder / name), "--to", to, *extra]) == 0
    return folder / name


def and_back(folder, place):
    assert main(["data", "import", str(place), str(folder / "back")]) == 0
    return folder / "back"


@pytest.mark.slow
@pytest.mark.parametrize(("to", "name", "extra"), TO)
@settings(
    max_examples=12,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_a_round_trip_keeps_every_bit(tmp_path_factory, to, name, extra, data):
    folder = tmp_path_factory.mktemp("trip")
    names = data.draw(
        st.lists(
            st.from_regex(r"[a-z][a-z0-9_]{0,6}(/[a-z]{1,4})?", fullmatch=True),
            min_size=1,
            max_size=4,
            unique_by=lambda one: one.replace("/", "."),
        )
    )
    fields = [
        view(one, *data.draw(st.tuples(st.integers(31, 40), st.integers(31, 40))))
        if data.draw(st.booleans())
        else vector(one, data.draw(st.integers(1, 9)), data.draw(st.booleans()))
        for one in names
    ]
    of = schema(*fields, axes=data.draw(st.integers(1, 7)), period_s=data.draw(st.sampled_from([0.1, 0.05, 0.03])))
    lengths = data.draw(st.lists(st.integers(1, 5), min_size=1, max_size=3))
    failures = data.draw(st.sets(st.integers(0, 2)))
    demos = write_set(folder / "demos", of, lengths, data.draw(st.integers(0, 99)), failures)
    same_episodes(demos, and_back(folder, there(folder, demos, to, name, extra)))


def test_a_video_loses_detail_of_pictures_alone_and_says_so(tmp_path, capsys):
    demos = write_set(tmp_path / "demos", failures=(1,))
    place = there(tmp_path, demos, "lerobot", "out")
    assert "note: videos lose detail" in capsys.readouterr().out
    same_episodes(demos, and_back(tmp_path, place), but=("wrist",))


def test_a_video_of_an_odd_size_is_refused_and_nothing_is_left(tmp_path, capsys):
    demos = write_set(tmp_path / "demos", schema(view("wrist", 33, 48)))
    before = tree(tmp_path)
    assert "--frames png" in refused(capsys, "data", "export", demos, tmp_path / "a" / "out", "--to", "lerobot")
    assert tree(tmp_path) == before


def test_a_lerobot_set_has_what_its_readers_look_for(tmp_path):
    of = schema(vector("pose"), vector("hole", 2, privileged=True), view())
    demos = write_set(tmp_path / "demos", of, (4, 6))
    out = there(tmp_path, demos, "lerobot", "out", ["--task", "insert the peg"])
    info = json.loads((out / "meta/info.json").read_text())
    assert (info["codebase_version"], info["fps"], info["total_frames"], info["total_episodes"]) == ("v3.0", 10, 10, 2)
    # What a real cell does not measure is kept apart from the policy's state.
    assert info["features"]["observation.state"]["names"] == ["pose.0", "pose.1", "pose.2"]
    assert info["features"]["observation.environment_state"]["shape"] == [2]
    table = pq.read_table(out / "data/chunk-000/file-000.parquet")
    assert table["episode_index"].to_pylist() == [0] * 4 + [1] * 6
    assert table["index"].to_pylist() == list(range(10))
    assert table["timestamp"].to_pylist() == pytest.approx([0, 0.1, 0.2, 0.3, 0, 0.1, 0.2, 0.3, 0.4, 0.5])
    assert table["next.done"].to_pylist() == table["next.success"].to_pylist() == [n in (3, 9) for n in range(10)]
    first = read_log(demos).episode(0)
    np.testing.assert_array_equal(np.array(table["action"].to_pylist()[:4], np.float32), first.actions)
    np.testing.assert_array_equal(
        np.array(table["observation.state"].to_pylist()[:4], np.float32), first.observations["pose"][:4]
    )
    episodes = pq.read_table(out / "meta/episodes/chunk-000/file-000.parquet").to_pylist()
    assert [(row["dataset_from_index"], row["dataset_to_index"], row["length"]) for row in episodes] == [
        (0, 4, 4),
        (4, 10, 6),
    ]
    with av.open(str(out / "videos/observation.images.wrist/chunk-000/file-001.mp4")) as video:
        assert sum(1 for _ in video.decode(video=0)) == 6
    tasks = pq.read_table(out / "meta/tasks.parquet")
    assert json.loads(tasks.schema.metadata[b"pandas"])["index_columns"] == ["task"]
    assert tasks.to_pylist() == [{"task_index": 0, "task": "insert the peg"}]
    stats = json.loads((out / "meta/stats.json").read_text())
    actions = np.concatenate([one.actions for one in read_log(demos)])
    assert stats["action"]["mean"] == pytest.approx(actions.mean(axis=0).tolist(), abs=1e-6)
    assert stats["action"]["std"] == pytest.approx(actions.std(axis=0).tolist(), abs=1e-6)
    assert np.shape(stats["observation.images.wrist"]["mean"]) == (3, 1, 1)


def test_a_robomimic_file_has_what_its_readers_look_for(tmp_path):
    demos = write_set(tmp_path / "demos", lengths=(4, 6), failures=(1,))
    with h5py.File(there(tmp_path, demos, "robomimic", "out.hdf5")) as file:
        assert file["data"].attrs["total"] == 10
        assert json.loads(file["data"].attrs["env_args"])["env_kwargs"]["control_freq"] == pytest.approx(10)
        demo = file["data/demo_1"]
        assert demo.attrs["num_samples"] == 6
        assert demo["dones"][()].tolist() == [0] * 6
        np.testing.assert_array_equal(demo["obs/pose"][1:], demo["next_obs/pose"][:-1])
        assert demo["obs/wrist"].shape == (6, 32, 48, 3)


def test_minari_itself_reads_what_is_written(tmp_path, monkeypatch):
    minari = pytest.importorskip("minari")
    demos = write_set(tmp_path / "demos", lengths=(4, 6), failures=(1,))
    there(tmp_path, demos, "minari", "peg insert")
    dataset = minari.MinariDataset(tmp_path / "peg insert" / "data")
    assert (dataset.total_episodes, dataset.total_steps, dataset.id) == (2, 10, "peg-insert-v0")
    for episode, recorded in zip(dataset.iterate_episodes(), read_log(demos), strict=True):
        np.testing.assert_array_equal(episode.actions, recorded.actions)
        for name, values in recorded.observations.items():
            np.testing.assert_array_equal(episode.observations[name], values)
        assert episode.terminations[-1] == recorded.success
        assert bool(episode.truncations[-1]) != recorded.success


@pytest.mark.parametrize("words", [["--episodes", "0,2"], ["--successes"]])
def test_episodes_are_chosen(tmp_path, words):
    demos = write_set(tmp_path / "demos", failures=(1,))
    with h5py.File(there(tmp_path, demos, "robomimic", "out.hdf5", words)) as file:
        assert [demo.attrs["num_samples"] for demo in file["data"].values()] == [4, 5]


def test_labels_are_applied(tmp_path):
    demos = write_set(tmp_path / "demos")
    assert main(["data", "relabel", str(demos), "1", "--failure"]) == 0
    with h5py.File(there(tmp_path, demos, "robomimic", "out.hdf5")) as file:
        assert [bool(demo.attrs["success"]) for demo in file["data"].values()] == [True, False, True]
        assert file["data/demo_1/rewards"][-1] == 0.0


def test_what_exists_is_never_overwritten(tmp_path, capsys):
    demos = write_set(tmp_path / "demos")
    (tmp_path / "out").mkdir()
    line = refused(capsys, "data", "export", demos, tmp_path / "out", "--to", "minari")
    assert "expected a new file or folder" in line
    assert refused(capsys, "data", "export", tmp_path / "out", tmp_path / "new", "--to", "minari")
    assert not (tmp_path / "new").exists()


def test_two_names_that_become_one_are_refused(tmp_path, capsys):
    demos = write_set(tmp_path / "demos", schema(vector("a/b"), vector("a.b")))
    assert "a/b, a.b" in refused(capsys, "data", "export", demos, tmp_path / "out", "--to", "minari")
