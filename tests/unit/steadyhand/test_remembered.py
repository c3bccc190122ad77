import json

import pytest

from steadyhand.job import open_job
from steadyhand.remembered import remembered_overrides, with_run
from steadyhand.runtime.run_folder import RunFolder, RunFolderError


def run_of(root, *starts):
    """Return the words that choose a run which was started with these overrides, one list a start."""
    run = RunFolder(root, "run")
    for overrides in starts:
        run.write_manifest({}, {}, {"overrides": list(overrides)})
    return [f"run_root={root}", "run_name=run"]


def test_a_run_remembers_what_it_was_started_with(tmp_path):
    own = [
        "task=reach",
        "camera=wrist_side",
        "task.drive.max_steps=9",
        "policy=pixels",
        "seed=4",
        "learner.utd_ratio=1",
    ]
    chosen = run_of(tmp_path, own)
    assert with_run(chosen) == [*own[:4], *chosen]
    settings = open_job(chosen, create=False, remember=True).settings
    assert (settings.task.drive.max_steps, list(settings.camera.views)) == (9, ["wrist", "side"])


def test_the_command_wins(tmp_path):
    chosen = run_of(tmp_path, ["task=reach", "task.drive.max_steps=9", "camera=wrist_side"])
    assert with_run([*chosen, "task.drive.max_steps=5"]) == [
        "task=reach",
        "camera=wrist_side",
        *chosen,
        "task.drive.max_steps=5",
    ]
    assert with_run([*chosen, "task=peg_insert"]) == ["camera=wrist_side", *chosen, "task=peg_insert"]
    assert with_run([*chosen, "experiment=reach_pixels"]) == [*chosen, "experiment=reach_pixels"]


def test_the_starts_of_a_run_add_up(tmp_path):
    """The learner's start names no camera, the actor's no policy."""
    learn, act = ["task=reach", "policy=pixels"], ["task=reach", "camera=wrist_side", "robot=mock_ur5e"]
    chosen = run_of(tmp_path, learn, act, ["task=reach", "camera=wrist_side_close"])
    assert with_run(chosen) == ["policy=pixels", "robot=mock_ur5e", "task=reach", "camera=wrist_side_close", *chosen]


def test_more_than_nine_starts_keep_their_order(tmp_path):
    starts = [["task=reach", f"task.drive.max_steps={n}"] for n in range(1, 13)]
    assert with_run(run_of(tmp_path, *starts))[:2] == ["task=reach", "task.drive.max_steps=12"]


def test_a_run_of_an_earlier_release_has_its_command():
    command = ["/bin/steadyhand", "demo", "task=reach", "seed=3", "--demos", "folder", "+camera=wrist_side"]
    assert remembered_overrides({"command": command}) == ["task=reach", "+camera=wrist_side"]
    assert remembered_overrides({"command": "demo task=reach"}) == []
    assert remembered_overrides({}) == []


def test_without_a_run_nothing_is_added(tmp_path):
    assert with_run(["task=reach"]) == ["task=reach"]
    assert with_run([f"run_root={tmp_path}", "run_name=none"]) == [f"run_root={tmp_path}", "run_name=none"]


def test_the_users_own_configuration_is_found_again(tmp_path, monkeypatch):
    own = tmp_path / "own"
    (own / "camera").mkdir(parents=True)
    (own / "camera" / "mine.yaml").write_text("views: {}\n", encoding="utf-8")
    words = [f"run_root={tmp_path}", "run_name=run"]
    with monkeypatch.context() as patch:
        patch.setenv("STEADYHAND_CONFIG", str(own))
        open_job([*words, "task=reach", "camera=mine"]).write_manifest()
    monkeypatch.setenv("STEADYHAND_CONFIG", "")
    monkeypatch.delenv("STEADYHAND_CONFIG")
    assert open_job(words, create=False, remember=True).settings.composed["camera"] == {"views": {}}


def test_a_damaged_manifest_is_one_line(tmp_path):
    chosen = run_of(tmp_path, ["task=reach"], ["task=reach"])
    (tmp_path / "run" / "manifest.1.json").write_text("{", encoding="utf-8")
    with pytest.raises(RunFolderError, match="expected JSON"):
        with_run(chosen)
    assert json.loads((tmp_path / "run" / "manifest.json").read_text(encoding="utf-8"))["overrides"]
