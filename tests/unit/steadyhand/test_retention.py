import shutil

import pytest

from steadyhand.cli import main
from steadyhand.earlier.note import write_earlier
from steadyhand.learner.checkpoint import CheckpointFolder
from steadyhand.retention import archive, archive_path, check_disposable, prunable
from steadyhand.runtime.run_folder import RunFolder
from steadyhand.runtime.run_lock import run_lock
from steadyhand.storage import FORMER_OUTBOX, RunInUseError
from steadyhand.transport.ack_file import note_acknowledged
from tests.transport_kit import session_id, write_episode, writer_in
from tests.unit.steadyhand.synthetic_run import write_demos


@pytest.fixture
def run(tmp_path):
    """Three checkpoints, demonstrations, one session that the learner holds and one that it does not."""
    run = RunFolder(tmp_path, "pegs")
    for step in (1, 2, 3):
        CheckpointFolder(run.checkpoints, keep=3).save(step, {"policy.json": b"{}"}, {})
    write_demos(run.demos, [4])
    for number in (1, 2):
        for folder in (run.log / FORMER_OUTBOX, run.log):
            writer = writer_in(folder / session_id(number), number)
            write_episode(writer, number, 0, 9)
            writer.close()
    note_acknowledged(run.log / FORMER_OUTBOX / session_id(1), 10)
    note_acknowledged(run.log / FORMER_OUTBOX / session_id(2), 9)
    return run


def names(paths):
    return sorted(path.name for path in paths)


def test_only_what_is_elsewhere_is_prunable(run):
    assert names(prunable(run)) == [session_id(1), "step-000000000001", "step-000000000002"]


def test_features_can_be_made_anew(run):
    (run.features / "0123").mkdir(parents=True)
    assert "features" in names(prunable(run))


def test_the_newest_checkpoint_that_verifies_stays(run):
    (run.checkpoints / "step-000000000003" / "policy.json").write_bytes(b"damaged")
    assert "step-000000000002" not in names(prunable(run))


def test_an_acknowledged_log_stays_where_the_learner_s_is_not_on_this_disk(run):
    """The note alone is not believed: on the robot's machine nobody can look."""
    shutil.rmtree(run.log / session_id(1))
    assert session_id(1) not in names(prunable(run))


def test_pruning_says_first_and_deletes_when_told_to(run, tmp_path, capsys):
    before = names(tmp_path.rglob("*"))
    assert main(["runs", "prune", "pegs", f"run_root={tmp_path}"]) == 0
    assert "would delete" in capsys.readouterr().out
    assert [name for name in names(tmp_path.rglob("*")) if not name.endswith(".lock")] == before
    assert main(["runs", "prune", "pegs", "--yes", f"run_root={tmp_path}"]) == 0
    assert "freed" in capsys.readouterr().out
    assert names((run.log / FORMER_OUTBOX).iterdir()) == [session_id(2)]
    assert names(run.checkpoints.iterdir()) == ["step-000000000003"]
    assert list(run.demos.glob("*.segment"))


def test_a_run_with_what_exists_nowhere_else_is_not_deleted(run, tmp_path, capsys):
    assert main(["runs", "prune", "pegs", "--all", "--yes", f"run_root={tmp_path}"]) == 2
    told = capsys.readouterr().err
    assert "1 records that the learner is not known to hold and demonstrations" in told
    assert "runs archive pegs" in told
    assert run.path.exists()


def test_an_archive_that_holds_every_byte_lets_the_run_go(run, tmp_path, capsys):
    assert main(["runs", "archive", "pegs", f"run_root={tmp_path}"]) == 0
    assert run.path.exists()
    check_disposable(run)
    (run.demos / "later").write_text("after the archive")
    with pytest.raises(RunInUseError):
        check_disposable(run)
    archive(run)
    assert main(["runs", "prune", "pegs", "--all", "--yes", f"run_root={tmp_path}"]) == 0
    assert not run.path.exists()
    assert archive_path(run).exists()


def test_a_damaged_archive_is_none(run):
    path = archive(run)
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.write_bytes(raw)
    with pytest.raises(RunInUseError):
        check_disposable(run)


@pytest.mark.parametrize("role", ["learner", "actor"])
def test_a_run_that_is_worked_on_is_left_alone(run, tmp_path, capsys, role):
    with run_lock(run.path, role):
        assert main(["runs", "prune", "pegs", "--yes", f"run_root={tmp_path}"]) == 2
    assert f"no other {role}" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["prune"], ["archive", "a", "b"], ["burn", "pegs"], ["list", "pegs"]])
def test_other_words_are_one_line(tmp_path, capsys, words):
    assert main(["runs", *words, f"run_root={tmp_path}"]) == 2
    assert "expected list, compare <names>, archive <name> or prune <name>" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("take", "goes"), [(["weights"], True), (["weights", "practice"], False), (["classifier"], False)]
)
def test_a_run_whose_records_another_run_reads_stays(run, tmp_path, capsys, take, goes):
    archive(run)
    next_part = RunFolder(tmp_path, "rings")
    facts = {"run": "pegs", "folder": str(run.path), "run_id": "", "take": take, "step": 3, "account": []}
    write_earlier(next_part.path, facts)
    assert main(["runs", "prune", "pegs", "--all", "--yes", f"run_root={tmp_path}"]) == (0 if goes else 2)
    assert run.path.exists() != goes
    assert goes or "rings started from it and reads its records" in capsys.readouterr().err
