import numpy as np
import pytest

from steadyhand.transport.demo_set import DemoSetError, count_episodes, read_manifest
from steadyhand.transport.demo_writer import DemoSetWriter
from steadyhand.transport.label_log import LabelReader
from steadyhand.transport.log import LogReader
from steadyhand.transport.record import Kind, Phase, valid_starts
from tests.transport_kit import SCHEMA


def episode(steps, **changes):
    rng = np.random.default_rng(steps)
    values = {
        "observations": {
            field.name: (rng.random((steps + 1, *field.shape)) * 200).astype(field.dtype)
            for field in SCHEMA.observation
        },
        "actions": rng.uniform(-1, 1, (steps, *SCHEMA.action.shape)),
        "rewards": np.eye(steps)[-1],
        "terminated": True,
    }
    return values | changes


def test_arrays_become_a_demo_set_that_is_learnt_from(tmp_path):
    with DemoSetWriter(tmp_path, SCHEMA, {"entry_point": "a:b"}, "robomimic") as out:
        out.add_episode(**episode(3))
        out.add_episode(**episode(2, terminated=False, success=False))
    manifest = read_manifest(tmp_path)
    assert (manifest.episodes, manifest.successes, manifest.steps, manifest.expert) == (2, 1, 5, "robomimic")
    reader = LogReader(tmp_path)
    rows = np.arange(len(reader))
    assert count_episodes(reader) == (2, 1, 5)
    (label,) = LabelReader(tmp_path, reader.session_id).refresh()
    assert (label.first_seq, label.end_seq, label.success) == (4, 7, False)
    assert reader.gather(rows, "kind").tolist() == [0, 0, 0, 1, 0, 0, 1]
    assert (reader.gather(rows, "phase") == Phase.DEMO).all()
    assert reader.gather(rows, "terminated").tolist() == [False, False, True, False, False, False, False]
    assert reader.gather(rows, "truncated").tolist() == [False, False, False, False, False, True, False]
    columns = {name: reader.gather(rows, name) for name in ("seq", "episode_id", "step_index", "kind", "valid")}
    assert valid_starts(columns).tolist() == (columns["kind"] == Kind.STEP).tolist()
    given = episode(3)
    np.testing.assert_allclose(reader.gather(rows[:3], "human_action"), given["actions"], rtol=1e-6)
    name = SCHEMA.observation[0].name
    np.testing.assert_array_equal(reader.gather(rows[:4], f"observation/{name}"), given["observations"][name])
    reader.close()


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"actions": np.zeros((3, 1))}, r"actions: expected numbers of shape \(T, "),
        ({"actions": np.full((3, *SCHEMA.action.shape), 1.5)}, r"actions: expected numbers within \[-1, 1\]"),
        ({"actions": np.zeros((0, *SCHEMA.action.shape)), "rewards": []}, "expected"),
        ({"rewards": np.zeros(4)}, r"rewards: expected numbers of shape \(3\)"),
        ({"rewards": [0, np.nan, 1]}, "rewards: expected finite numbers"),
        ({"rewards": ["a", "b", "c"]}, "rewards: expected numbers"),
        ({"observations": {}}, "observations: expected "),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_is_written(tmp_path, changes, text):
    with DemoSetWriter(tmp_path, SCHEMA, {}, "me") as out:
        with pytest.raises(DemoSetError, match=text):
            out.add_episode(**episode(3, **changes))
        out.add_episode(**episode(2))
    assert read_manifest(tmp_path).steps == 2


def test_a_set_that_was_broken_off_is_none_and_one_that_is_there_is_kept(tmp_path):
    with pytest.raises(DemoSetError), DemoSetWriter(tmp_path / "one", SCHEMA, {}, "me") as out:
        out.add_episode(**episode(2, observations={}))
    with pytest.raises(DemoSetError):
        read_manifest(tmp_path / "one")
    with DemoSetWriter(tmp_path / "two", SCHEMA, {}, "me") as out:
        out.add_episode(**episode(2))
    with pytest.raises(DemoSetError, match="expected a folder without a demo set"):
        DemoSetWriter(tmp_path / "two", SCHEMA, {}, "me")
