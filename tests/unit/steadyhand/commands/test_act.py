import pytest

from steadyhand.cli import main
from steadyhand.runtime.run_folder import RunFolder
from steadyhand.runtime.run_lock import run_lock


def test_a_start_in_which_both_processes_would_wait_for_ever_is_refused(tmp_path, capsys):
    words = [
        "task=reach",
        f"run_root={tmp_path}",
        "actor.exploration.max_env_steps=100",
        "learner.start_transitions=200",
    ]
    assert main(["act", *words]) == 2
    error = capsys.readouterr().err
    assert "actor.exploration.max_env_steps" in error
    assert "learner.start_transitions = 200" in error


@pytest.mark.parametrize(("verb", "role"), [("act", "actor"), ("learn", "learner")])
def test_a_second_one_on_the_same_run_is_refused_before_it_touches_anything(tmp_path, capsys, verb, role):
    run = RunFolder(tmp_path, "run")
    with run_lock(run.path, role):
        assert main([verb, f"run_root={tmp_path}", "run_name=run"]) == 2
    assert f"expected no other {role} on this run, found 'process" in capsys.readouterr().err
    assert not (run.path / "manifest.json").exists()
    assert list(run.log.iterdir()) == []
