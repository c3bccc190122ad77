import pytest

from benchmarks.command import started


def test_the_output_and_the_status_of_a_verb(tmp_path):
    with started("completion", ["bash"], tmp_path) as command:
        command.check()
        assert "complete" in command.output
        with pytest.raises(RuntimeError, match="expected the address of the page"):
            command.page_address()


def test_a_verb_that_fails_is_reported_with_its_last_lines(tmp_path):
    with (
        started("eval", ["run_name=none", f"run_root={tmp_path}"], tmp_path) as command,
        pytest.raises(RuntimeError, match="steadyhand eval: ended with status 2:\nsteadyhand eval: "),
    ):
        command.check()
