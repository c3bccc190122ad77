from steadyhand.cli import main


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
