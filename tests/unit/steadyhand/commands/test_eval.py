import json
import shutil

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from steadyhand.cli import main
from steadyhand.learner.checkpoint import CheckpointFolder
from steadyhand.policy_file import load_policy, save_policy
from steadyhand.report.evaluations import read_evaluations
from steadyhand.runtime.run_folder import RunFolder
from tests.unit.steadyhand.judged_run import QUIET, copied, judged_run

EPISODES = 4


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    root = tmp_path_factory.mktemp("made")
    judged_run(root, "walks")
    return root


@pytest.fixture
def root(made, tmp_path):
    return copied(made, tmp_path)


def words(root, *more):
    return ["eval", *QUIET, f"run_root={root}", "run_name=walks", *more]


def starts_file(path, count=3):
    path.write_text("starts:\n" + "".join(f"- {{seed: {seed}}}\n" for seed in range(count)), encoding="utf-8")
    return path


def open_files(run):
    return list((run.metrics / "open_evaluations").glob("*"))


def test_a_run_knows_its_task_and_keeps_the_result(root, tmp_path, capsys):
    run = RunFolder(root, "walks", create=False)
    assert main(words(root, f"episodes={EPISODES}")) == 0
    assert "4/4" in capsys.readouterr().out
    (kept,) = read_evaluations(run)
    assert (kept["successes"], kept["about"]["who"]) == (EPISODES, "policy")
    assert "task=gym" in kept["about"]["overrides"]
    assert open_files(run) == []


def test_the_policy_before_practice_is_evaluated_and_kept_by_its_name(root, capsys):
    run = RunFolder(root, "walks", create=False)
    assert main(words(root, f"episodes={EPISODES}", "eval.policy=start")) == 2
    assert "start: expected a checkpoint" in capsys.readouterr().err
    newest = CheckpointFolder(run.checkpoints, 1).newest()
    shutil.copytree(newest.folder, run.start / newest.folder.name)
    assert main(words(root, f"episodes={EPISODES}", "eval.policy=start")) == 0
    assert main(words(root, f"episodes={EPISODES}", f"eval.policy='{newest.folder}'")) == 0
    assert main(words(root, f"episodes={EPISODES}", "eval.policy=bc")) == 2
    assert "bc.safetensors: expected a policy file" in capsys.readouterr().err
    save_policy(run.checkpoints / "bc.safetensors", load_policy(newest.folder))
    assert main(words(root, f"episodes={EPISODES}", "eval.policy=bc")) == 0
    assert [kept["about"]["who"] for kept in read_evaluations(run)] == ["start", newest.folder.name, "bc"]


@pytest.mark.parametrize("policy", ["newest", "start", "bc"])
def test_a_policy_of_a_run_needs_the_run(policy, capsys):
    assert main(["eval", "task=reach", f"eval.policy={policy}"]) == 2
    assert "run_name: expected the name of a run, found none" in capsys.readouterr().err


def test_what_the_run_keeps_reaches_the_exporters_and_an_interrupted_one_does_not(root, monkeypatch):
    board = RunFolder(root, "walks", create=False).metrics / "tensorboard" / "evaluation"
    monkeypatch.setattr("steadyhand.actor.stop_flag.StopFlag.__call__", lambda flag: True)
    assert main(words(root, f"episodes={EPISODES}")) == 130
    assert not board.exists()
    monkeypatch.undo()
    assert main(words(root, f"episodes={EPISODES}", "logging.exporters.tensorboard=null")) == 0
    assert not board.exists()
    assert main(words(root, f"episodes={EPISODES}")) == 0
    (point,) = EventAccumulator(str(board)).Reload().Scalars("evaluation/policy/success_rate")
    assert point.value == 1.0


def test_listed_starts_and_their_repeats(root, tmp_path, capsys):
    run = RunFolder(root, "walks", create=False)
    path = starts_file(tmp_path / "starts.yaml")
    assert main(words(root, f"eval.starts={path}", "eval.repeats=2")) == 0
    (kept,) = read_evaluations(run)
    assert [row["start"]["seed"] for row in kept["rows"]] == [0, 1, 2, 0, 1, 2]
    assert (kept["about"]["starts"]["count"], kept["about"]["starts"]["repeats"]) == (3, 2)


def test_an_interrupted_evaluation_goes_on_with_the_missing_episodes(root, tmp_path, capsys, monkeypatch):
    run = RunFolder(root, "walks", create=False)
    assert main(words(root, "episodes=6")) == 0
    (whole,) = read_evaluations(run)
    # What a kill after the second episode and in the middle of the third line leaves.
    from steadyhand.report import open_evaluation

    class Killed(BaseException):
        pass

    add, added = open_evaluation.OpenEvaluation.add, []

    def dies(self, index, episode):
        if len(added) == 2:
            raise Killed
        add(self, index, episode)
        added.append(index)

    with monkeypatch.context() as patch:
        patch.setattr(open_evaluation.OpenEvaluation, "add", dies)
        with pytest.raises(Killed):
            main(words(root, "episodes=6"))
    (file,) = open_files(run)
    with file.open("ab") as cut:
        cut.write(b'{"index": 2, "summ')
    capsys.readouterr()
    assert main(words(root, "episodes=6")) == 0
    assert "2 of 6 episodes are done" in capsys.readouterr().out
    again = read_evaluations(run)[-1]
    assert {key: value for key, value in again.items() if key != "about"} == {
        key: value for key, value in whole.items() if key != "about"
    }
    assert open_files(run) == []


def test_another_protocol_does_not_continue_it_and_fresh_begins_anew(root, tmp_path, capsys, monkeypatch):
    run = RunFolder(root, "walks", create=False)
    from steadyhand.commands import eval as verb

    monkeypatch.setattr(verb, "keep_evaluation", lambda *args: (_ for _ in ()).throw(OSError("disk full")))
    assert main(words(root, "episodes=3")) == 2
    assert len(open_files(run)) == 1
    monkeypatch.undo()
    assert main(words(root, "episodes=3", "seed=1")) == 0
    assert "continues" not in capsys.readouterr().out
    assert main(words(root, "episodes=3", "--fresh")) == 0
    assert "continues" not in capsys.readouterr().out
    assert open_files(run) == []


@pytest.mark.parametrize(
    ("more", "line"),
    [
        (["eval.ask_label=true"], "evaluation.ask_label: expected a device in an operator's hand"),
        (["eval.repeats=0"], "repeats: expected at least 1"),
        (["eval.startz=x"], "evaluation.startz: unknown key"),
        (["eval.starts=STARTS", "episodes=4"], "episodes: expected no number beside listed starts"),
        (["eval.starts=nothing.yaml"], "expected a YAML file of starts"),
        (["eval.starts=POSES"], "starts[0].start_pose: expected a robot's task"),
        (["task=reach"], "expected its own task"),
    ],
)
def test_a_wrong_protocol_is_one_line_and_leaves_nothing(root, tmp_path, capsys, more, line):
    run = RunFolder(root, "walks", create=False)
    starts, poses = starts_file(tmp_path / "starts.yaml"), tmp_path / "poses.yaml"
    poses.write_text("starts: [{seed: 1, start_pose: [[0.5, 0, 0.2, 1, 0, 0, 0]]}]", encoding="utf-8")
    more = [word.replace("STARTS", str(starts)).replace("POSES", str(poses)) for word in more]
    assert main(words(root, *more)) == 2
    error = capsys.readouterr().err
    assert line in error
    assert error.count("\n") == 1
    assert read_evaluations(run) == []
    assert open_files(run) == []


def test_a_damaged_file_of_an_interrupted_evaluation_is_one_line(root, tmp_path, capsys, monkeypatch):
    run = RunFolder(root, "walks", create=False)
    from steadyhand.commands import eval as verb

    monkeypatch.setattr(verb, "keep_evaluation", lambda *args: (_ for _ in ()).throw(OSError("disk full")))
    assert main(words(root, "episodes=3")) == 2
    (file,) = open_files(run)
    lines = file.read_text(encoding="utf-8").splitlines()
    file.write_text("\n".join([lines[0], json.dumps({"index": 0})]) + "\n", encoding="utf-8")
    assert main(words(root, "episodes=3")) == 2
    assert "remove the file to begin anew" in capsys.readouterr().err
