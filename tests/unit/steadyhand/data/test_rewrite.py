"""Operations on demo sets: records and labels stay together, and no set is changed without a copy of it."""

import numpy as np
import pytest

from steadyhand.cli import main
from steadyhand.face.recorded import read_log
from steadyhand.transport.demo_set import read_manifest
from steadyhand.transport.label_log import Label, append_label
from steadyhand.transport.log import LogReader
from tests.unit.steadyhand.data.data_kit import TASK, refused, same_episodes, schema, tree, vector, view, write_set


def run(*words):
    assert main(["data", *map(str, words)]) == 0


def lengths(folder):
    return [len(one) for one in read_log(folder)]


def actions(folder):
    return [one.actions.tobytes() for one in read_log(folder)]


@pytest.fixture
def demos(tmp_path):
    return write_set(tmp_path / "demos", lengths=(4, 6, 5, 3), failures=(1,))


def label(folder, first, end, **values):
    reader = LogReader(folder)
    reader.close()
    given = {"rewards": None, "terminated": None, "success": None} | values
    append_label(folder, Label(reader.session_id, first, end, author="me", date="2026-01-02T03:04:05Z", **given))


def test_delete_keeps_the_others_and_their_labels(tmp_path, demos):
    # Rows 5 to 11 are episode 1, rows 12 to 17 episode 2. The label reaches over the end of one and all of another.
    label(demos, 10, 18, rewards=tuple(float(n) for n in range(8)), success=True)
    before, wanted = actions(demos), [one.rewards.tolist() for one in read_log(demos)]
    run("delete", demos, "1", "--out", tmp_path / "new")
    assert actions(tmp_path / "new") == [before[0], *before[2:]]
    assert [one.rewards.tolist() for one in read_log(tmp_path / "new")] == [wanted[0], *wanted[2:]]
    manifest = read_manifest(tmp_path / "new")
    assert (manifest.episodes, manifest.successes, manifest.steps) == (3, 3, 12)
    assert [one.episode_id for one in read_log(tmp_path / "new")] == [0, 1, 2]
    assert actions(demos) == before


def test_a_failure_stays_a_failure(tmp_path, demos):
    run("delete", demos, "0,2-3", "--out", tmp_path / "new")
    assert [one.success for one in read_log(tmp_path / "new")] == [False]
    assert read_manifest(tmp_path / "new").successes == 0


def test_in_place_keeps_a_copy_of_the_old_set(tmp_path, demos, capsys):
    before = actions(demos)
    run("delete", demos, "0", "--in-place")
    (old,) = tmp_path.glob("demos.before-*")
    assert f"the set before: {old}" in capsys.readouterr().out
    assert actions(old) == before
    assert actions(demos) == before[1:]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["demos", old.name]


def test_split_and_merge_give_the_same_episodes_again(tmp_path, demos):
    run("split", demos, tmp_path / "a", tmp_path / "b", "--episodes", "0-1")
    assert (lengths(tmp_path / "a"), lengths(tmp_path / "b")) == ([4, 6], [5, 3])
    run("merge", tmp_path / "a", tmp_path / "b", "--out", tmp_path / "all")
    same_episodes(demos, tmp_path / "all")
    assert read_manifest(tmp_path / "all").successes == 3


def test_a_share_is_chosen_by_the_seed(tmp_path, demos):
    for name in "ab":
        run("split", demos, tmp_path / name, tmp_path / f"{name}-rest", "--share", "0.5", "--seed", "3")
    assert actions(tmp_path / "a") == actions(tmp_path / "b")
    assert sorted(actions(tmp_path / "a") + actions(tmp_path / "a-rest")) == sorted(actions(demos))


def test_trim_at_the_start_keeps_the_success(tmp_path, demos):
    (before,) = [one for one in read_log(demos) if one.episode_id == 2]
    run("trim", demos, "2", "--first", "2", "--out", tmp_path / "new")
    after = read_log(tmp_path / "new").episode(2)
    np.testing.assert_array_equal(after.actions, before.actions[2:])
    np.testing.assert_array_equal(after.observations["pose"], before.observations["pose"][2:])
    assert (after.success, bool(after.terminated[-1])) == (True, True)
    assert lengths(tmp_path / "new") == [4, 6, 3, 3]


@pytest.mark.parametrize("success", [False, True])
def test_trim_at_the_end_asks_for_the_outcome(tmp_path, demos, success):
    before = read_log(demos).episode(2)
    run("trim", demos, "2", "--end", "3", "--out", tmp_path / "new", *(["--success"] if success else []))
    after = read_log(tmp_path / "new").episode(2)
    np.testing.assert_array_equal(after.actions, before.actions[:3])
    np.testing.assert_array_equal(after.observations["wrist"], before.observations["wrist"][:4])
    assert (after.success, bool(after.terminated[-1]), float(after.rewards[-1])) == (success, success, float(success))
    assert read_manifest(tmp_path / "new").successes == 2 + success


def test_a_label_of_a_whole_episode_is_cut_with_it(tmp_path, demos):
    label(demos, 12, 18, rewards=(0.0, 0.1, 0.2, 0.3, 0.4, 0.5))
    run("trim", demos, "2", "--first", "1", "--out", tmp_path / "new")
    assert read_log(tmp_path / "new").episode(2).rewards.tolist() == pytest.approx([0.1, 0.2, 0.3, 0.4])


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["delete", "demos", "9", "--out", "new"], "expected episodes of 0, 1, 2, 3, found 9"),
        (["delete", "demos", "0-3", "--out", "new"], "expected at least one episode to keep"),
        (["delete", "demos", "0-3", "--in-place"], "expected at least one episode to keep"),
        (["delete", "demos", "one", "--out", "new"], "expected numbers such as 3,7-9"),
        (["delete", "nothing", "0", "--out", "new"], "expected a demo set"),
        (["delete", "demos", "0", "--out", "demos"], "expected a new file or folder"),
        (["split", "demos", "new", "other", "--episodes", "0-3"], "expected an episode on both sides"),
        (["split", "demos", "new", "other", "--share", "1.5"], "between 0 and 1"),
        (["split", "demos", "new", "new", "--share", "0.5"], "expected two folders"),
        (["split", "demos", "new", "demos", "--share", "0.5"], "expected a new file or folder"),
        (["trim", "demos", "2", "--first", "5", "--out", "new"], "0 <= --first < --end <= 5"),
        (["trim", "demos", "2", "--out", "new"], "expected steps to cut off"),
        (["trim", "demos", "2", "--first", "1", "--success", "--out", "new"], "expected steps to cut off"),
        (["merge", "demos", "--out", "new"], "at least two different"),
        (["merge", "demos", "demos", "--out", "new"], "at least two different"),
    ],
)
def test_what_does_not_fit_is_one_line_and_nothing_is_left(tmp_path, demos, capsys, monkeypatch, words, told):
    monkeypatch.chdir(tmp_path)
    before = tree(tmp_path)
    assert told in refused(capsys, "data", *words)
    assert tree(tmp_path) == before


@pytest.mark.parametrize(
    ("other", "told"),
    [
        ({"of": schema(vector("pose", 4), view())}, "the schema differs"),
        ({"of": schema(period_s=0.05)}, "the schema differs"),
        ({"task": TASK | {"entry_point": "other:make"}}, "expected demonstrations of"),
        ({"task": TASK | {"settings": {"depth_m": 0.02}}}, "found task.settings.depth_m=0.02"),
        ({"task": TASK | {"drive": {"action_scale_m": 0.01}}}, "expected the action scales"),
    ],
)
def test_sets_that_mean_different_things_are_not_merged(tmp_path, demos, capsys, other, told):
    write_set(tmp_path / "other", **other)
    assert told in refused(capsys, "data", "merge", demos, tmp_path / "other", "--out", tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_relabel_is_the_verb(demos):
    run("relabel", demos, "1", "--success")
    assert read_log(demos).episode(1).success
