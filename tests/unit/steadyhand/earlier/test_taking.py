"""The parts that a run takes from an earlier one; a refusal leaves nothing."""

import pytest

from steadyhand.cli import main
from steadyhand.earlier.note import read_earlier, write_earlier
from steadyhand.earlier.taking import Taken, take_earlier
from steadyhand.learner.checkpoint import CheckpointFolder
from steadyhand.learner.prior import PriorDataError
from steadyhand.transport.run_identity import Identity
from tests.transport_kit import session_id
from tests.unit.steadyhand.earlier.earlier_kit import (
    DEMO_SESSION,
    OWN_SESSION,
    PRACTICE_SESSION,
    TASK,
    job_of,
    make_earlier,
    write_demos,
)


def test_nothing_is_taken_without_an_earlier_run(tmp_path, capsys):
    assert take_earlier(job_of(tmp_path)) == Taken()
    assert capsys.readouterr().out == ""


def test_the_account_comes_first_and_the_parts_follow(tmp_path, capsys):
    old = make_earlier(tmp_path)
    taken = take_earlier(job_of(tmp_path, "earlier.run=old"))
    out = capsys.readouterr().out
    assert out.startswith(f"from {old.path}: weights, demos, practice\n  schema")
    assert taken.checkpoint.step == 40
    assert taken.data.demos == (old.demos,)
    assert [path.name for path in taken.data.logs] == [session_id(PRACTICE_SESSION)]
    assert (taken.data.demo_share, taken.action_gains, taken.gives_policy) == (0.2, {}, True)
    facts = taken.facts
    assert (facts["run"], facts["run_id"], facts["step"]) == ("old", "ab" * 16, 40)
    assert facts["take"] == ["weights", "demos", "practice"]
    assert [line["subject"] for line in facts["account"]][:2] == ["schema", "action scale"]


def test_records_of_other_action_scales_are_converted(tmp_path):
    make_earlier(tmp_path)
    words = ("earlier.take=[demos,practice]", "task.drive.action_scale_m=0.02")
    gains = take_earlier(job_of(tmp_path, "earlier.run=old", *words)).action_gains
    assert set(gains) == {session_id(DEMO_SESSION), session_id(PRACTICE_SESSION)}
    assert all(gain[:3] == (0.5,) * 3 and gain[3:] == (1.0,) * 3 for gain in gains.values())


def test_a_run_with_its_own_checkpoint_takes_records_alone(tmp_path):
    make_earlier(tmp_path)
    job = job_of(tmp_path, "earlier.run=old")
    CheckpointFolder(job.run.checkpoints, 3).save(7, {"policy.json": b"{}"}, {})
    taken = take_earlier(job)
    assert taken.checkpoint is None
    assert taken.data.demos


def test_a_run_does_not_start_from_itself(tmp_path):
    make_earlier(tmp_path)
    with pytest.raises(PriorDataError, match="expected another run than the one that starts"):
        take_earlier(job_of(tmp_path, "earlier.run=old", name="old"))


def learn(tmp_path, *words):
    return main(["learn", *TASK, f"run_root={tmp_path}", "run_name=new", *words])


REFUSALS = [
    (["task.drive.action_scale_m=0.02"], "action scale: expected the scales of the weights"),
    (["task=peg_insert"], "task: expected steadyhand.robot_envs.tasks.peg_insert:PegInsert, found"),
    (["policy.hidden=[16]"], "policy: expected weights of a policy with hidden=[16], found [8]"),
    (["--take", "weights,classifier"], "expected reward=classifier in the manifest of it, found none"),
    (["--take", "encoder"], "take: expected some of weights, demos, practice, classifier"),
]


@pytest.mark.parametrize(("words", "line"), REFUSALS, ids=range(len(REFUSALS)))
def test_a_refused_command_is_one_line_and_leaves_nothing(tmp_path, capsys, words, line):
    make_earlier(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    assert learn(tmp_path, "--from", str(tmp_path / "old"), *words) == 2
    error = [text for text in capsys.readouterr().err.splitlines() if text.startswith("steadyhand learn: ")]
    assert len(error) == 1
    assert line in error[0]
    assert sorted(tmp_path.rglob("*")) == before


def test_parts_of_no_run_are_one_line(tmp_path, capsys):
    assert learn(tmp_path, "--take", "weights") == 2
    assert "--take weights: expected --from RUN beside it, found none" in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


def test_another_robot_s_run_is_one_line(tmp_path, capsys):
    make_earlier(tmp_path)
    job = job_of(tmp_path)
    write_demos(job, job.run.demos, OWN_SESSION, identity=Identity(robot="ur5e", joints=6))
    assert learn(tmp_path, "--from", "old") == 2
    assert "robot: robot: expected ur5e, found mock_fr3" in capsys.readouterr().err
    assert not (job.run.path / "earlier.json").exists()


def test_the_first_note_of_where_a_run_came_from_stays(tmp_path, caplog):
    facts = {"run": "old", "folder": "/x", "run_id": "", "take": ["demos"], "step": None, "account": []}
    write_earlier(tmp_path, {})
    assert read_earlier(tmp_path) == {}
    write_earlier(tmp_path, facts)
    write_earlier(tmp_path, facts | {"run": "other"})
    assert read_earlier(tmp_path) == facts
    (tmp_path / "earlier.json").write_text("[]")
    assert read_earlier(tmp_path) == {}
    assert "expected where the run came from" in caplog.text
