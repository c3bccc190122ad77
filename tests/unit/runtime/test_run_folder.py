import json
import os

import pytest

from steadyhand.runtime.run_folder import (
    RunFolder,
    RunFolderError,
    atomic_write_bytes,
    atomic_write_json,
    check_name,
    new_run_id,
    new_run_name,
)

ATTACKS = [
    "",
    ".",
    "..",
    "../x",
    "/abs",
    "a/../../b",
    "a/b",
    "a\\b",
    "a..b",
    "nul\0byte",
    "line\n",
    "a" * 65,
    "a" * 300,
    ".hidden",
    "-rf",
    "Upper",
    "white space",
    "~root",
    "$HOME",
    "p\u0435g",  # Cyrillic e
    "\uff41bc",  # full-width a
    "a\u2215b",  # division slash
    "a\u2024\u2024b",  # one-dot leaders
    "a\u202eb",  # right-to-left override
    "\u0661",  # Arabic-Indic digit
]


@pytest.mark.parametrize("name", ATTACKS, ids=ascii)
def test_hostile_names_are_refused_and_nothing_is_made(tmp_path, name):
    root = tmp_path / "runs"
    with pytest.raises(RunFolderError, match="run name: expected") as caught:
        RunFolder(root, name)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 250
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["a", "0", "peg-insert_2.1", "a" * 64])
def test_plain_names_are_taken(tmp_path, name):
    assert RunFolder(tmp_path, name).path == tmp_path / name


def test_a_name_must_be_text():
    with pytest.raises(RunFolderError, match="found None"):
        check_name(None)


def test_subfolders(tmp_path):
    run = RunFolder(tmp_path / "deep" / "runs", "one")
    assert sorted(path.name for path in run.path.iterdir()) == ["checkpoints", "demos", "log", "metrics"]
    assert (run.log, run.metrics) == (run.path / "log", run.path / "metrics")


def test_opening_again_keeps_what_is_there(tmp_path):
    (RunFolder(tmp_path, "one").log / "segment").write_text("data")
    assert (RunFolder(tmp_path, "one").log / "segment").read_text() == "data"


def test_create_false_makes_nothing(tmp_path):
    with pytest.raises(RunFolderError, match="run one: expected a folder at"):
        RunFolder(tmp_path / "runs", "one", create=False)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "old").mkdir()
    assert not RunFolder(tmp_path, "old", create=False).log.exists()


def test_a_linked_run_is_refused(tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    root = tmp_path / "runs"
    root.mkdir()
    (root / "one").symlink_to(elsewhere)
    (root / "dangling").symlink_to(tmp_path / "nowhere")
    for name in ("one", "dangling"):
        with pytest.raises(RunFolderError, match="found a symbolic link"):
            RunFolder(root, name)
    assert list(elsewhere.iterdir()) == []
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("create", [True, False])
def test_a_linked_subfolder_is_refused(tmp_path, create):
    run = RunFolder(tmp_path / "runs", "one")
    run.checkpoints.rmdir()
    run.checkpoints.symlink_to(tmp_path)
    with pytest.raises(RunFolderError, match="checkpoints: expected a folder, found a symbolic link"):
        RunFolder(tmp_path / "runs", "one", create=create)


def test_the_root_itself_may_be_a_link(tmp_path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "runs").symlink_to(tmp_path / "disk")
    assert RunFolder(tmp_path / "runs", "one").path == tmp_path / "disk" / "one"


def test_a_file_in_the_way_is_named(tmp_path):
    (tmp_path / "one").write_text("")
    with pytest.raises(RunFolderError, match="found a file"):
        RunFolder(tmp_path, "one")


def test_a_root_with_nul_is_refused():
    with pytest.raises(RunFolderError, match="run root"):
        RunFolder("ru\0ns", "one")


def test_manifest(tmp_path):
    run = RunFolder(tmp_path, "one")
    assert run.read_manifest() is None
    written = run.write_manifest({"seed": 3, "task": {"name": "réach"}}, {"numpy": 3}, {"calibration": "abc"})
    read = run.read_manifest()
    assert read == written
    assert read["run_name"] == "one"
    assert read["config"]["task"]["name"] == "réach"
    assert read["seeds"] == {"numpy": 3}
    assert read["calibration"] == "abc"
    assert {"git_commit", "packages", "host", "python", "platform", "created", "command"} <= read.keys()


def test_a_resumed_run_keeps_the_manifest_of_each_start(tmp_path):
    for seed in (1, 2, 3):
        RunFolder(tmp_path, "one").write_manifest({}, {"all": seed})
    seeds = [
        json.loads((tmp_path / "one" / name).read_text())["seeds"]["all"]
        for name in ("manifest.1.json", "manifest.2.json", "manifest.json")
    ]
    assert seeds == [1, 2, 3]


def test_extra_cannot_overwrite_a_fact(tmp_path):
    with pytest.raises(RunFolderError, match="found config, host"):
        RunFolder(tmp_path, "one").write_manifest({}, {}, {"config": 1, "host": 2})


@pytest.mark.parametrize("text", ["{", "[1]"])
def test_a_broken_manifest_is_named(tmp_path, text):
    run = RunFolder(tmp_path, "one")
    (run.path / "manifest.json").write_text(text)
    with pytest.raises(RunFolderError, match=r"manifest\.json: expected"):
        run.read_manifest()


def test_new_run_names_are_valid_and_differ():
    names = {new_run_name("peg_insert") for _ in range(20)}
    assert len(names) > 1
    for name in names:
        assert check_name(name).startswith("peg_insert-20")


def test_new_run_name_refuses_a_bad_stem():
    with pytest.raises(RunFolderError):
        new_run_name("../x")


def test_atomic_write_replaces_whole_and_leaves_no_temporary(tmp_path):
    path = tmp_path / "state.json"
    atomic_write_json(path, {"a": 1})
    atomic_write_json(path, {"b": [1.5, None]})
    assert json.loads(path.read_text()) == {"b": [1.5, None]}
    assert os.listdir(tmp_path) == ["state.json"]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), object()])
def test_what_is_not_json_leaves_the_old_file(tmp_path, value):
    path = tmp_path / "state.json"
    atomic_write_json(path, 1)
    with pytest.raises((ValueError, TypeError)):
        atomic_write_json(path, {"bad": value})
    assert path.read_text() == "1\n"
    assert os.listdir(tmp_path) == ["state.json"]


def test_a_failed_fsync_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "state"
    atomic_write_bytes(path, b"old")

    def full_disk(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(OSError, match="No space left"):
        atomic_write_bytes(path, b"new")
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["state"]


def test_the_file_is_synced_before_the_rename_and_the_folder_after(tmp_path, monkeypatch):
    path = tmp_path / "state"
    order = []
    real = os.fsync

    def watched(descriptor: int) -> None:
        order.append(("folder" if os.path.isdir(f"/proc/self/fd/{descriptor}") else "file", path.exists()))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", watched)
    atomic_write_bytes(path, b"new")
    assert order == [("file", False), ("folder", True)]


def test_a_run_that_was_not_begun_goes_with_every_folder_that_was_made_for_it(tmp_path):
    run = RunFolder(tmp_path / "a" / "b", "run")
    assert run.log.is_dir()
    run.discard()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["manifest.json", ".actor.lock", "demos/0.segment"])
def test_a_run_with_a_file_stays_whole(tmp_path, name):
    run = RunFolder(tmp_path, "run")
    (run.path / name).write_text("")
    before = sorted(tmp_path.rglob("*"))
    run.discard()
    assert sorted(tmp_path.rglob("*")) == before


def test_folders_that_were_there_before_stay(tmp_path):
    RunFolder(tmp_path / "runs", "run")
    before = sorted(tmp_path.rglob("*"))
    RunFolder(tmp_path / "runs", "run").discard()
    assert sorted(tmp_path.rglob("*")) == before


def test_a_run_folder_that_cannot_be_made_leaves_none_of_its_parts(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "metrics").write_text("no folder")
    with pytest.raises(RunFolderError, match="expected a folder, found a file"):
        RunFolder(tmp_path, "run")
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["metrics"]


def test_a_run_may_be_named_without_being_made_or_looked_for(tmp_path):
    assert RunFolder(tmp_path, "run", create=None).metrics == tmp_path / "run" / "metrics"
    assert list(tmp_path.iterdir()) == []


def test_a_run_keeps_its_first_id_through_every_start(tmp_path):
    run = RunFolder(tmp_path, "pegs")
    assert run.run_id == ""
    made = run.keep_run_id(new_run_id())
    assert len(made) == 32
    run.write_manifest({}, {})
    again = RunFolder(tmp_path, "pegs")
    assert again.run_id == again.keep_run_id("ab" * 16) == made
    again.write_manifest({"changed": True}, {})
    assert RunFolder(tmp_path, "pegs").run_id == made
    assert len(list(run.path.glob("manifest*.json"))) == 2


def test_an_id_is_added_to_a_manifest_that_has_none(tmp_path):
    run = RunFolder(tmp_path, "pegs")
    run.write_manifest({"kept": 1}, {})
    RunFolder(tmp_path, "pegs").keep_run_id("ab" * 16)
    assert run.run_id == "ab" * 16
    assert run.read_manifest()["config"] == {"kept": 1}
    assert len(list(run.path.glob("manifest*.json"))) == 1


@pytest.mark.parametrize("found", ["AB" * 16, 7, None, "../x"])
def test_an_id_that_is_none_counts_as_no_id(tmp_path, found):
    run = RunFolder(tmp_path, "pegs")
    run.write_manifest({}, {}, {"run_id": found})
    assert run.run_id == ""


def test_each_actor_has_a_folder_of_its_own_which_goes_with_a_refused_start(tmp_path):
    run = RunFolder(tmp_path, "pegs")
    assert run.actor_folders() == []
    folders = [run.actor(name) for name in ("left", "right", "left")]
    assert folders[0] == folders[2]
    assert [one.actor_id for one in run.actor_folders()] == ["left", "right"]
    assert folders[0].outbox == run.path / "actors" / "left" / "outbox"
    run.discard()
    assert not run.path.exists()


@pytest.mark.parametrize("name", ["../x", "", "Left", "a/b", ".hidden"])
def test_an_actor_s_folder_lies_in_the_run(tmp_path, name):
    with pytest.raises(RunFolderError):
        RunFolder(tmp_path, "pegs").actor(name)


def test_an_actor_s_folder_is_no_link(tmp_path):
    run = RunFolder(tmp_path, "pegs")
    (tmp_path / "elsewhere").mkdir()
    run.actors.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RunFolderError, match="symbolic link"):
        run.actor("left")
