from pathlib import Path

import pytest
import yaml

from steadyhand.cli import main
from steadyhand.runtime.config import CONFIG_VARIABLE, compose
from steadyhand.runtime.config_files import group_files

CONFIGS = Path(__file__).resolve().parents[4] / "configs"


@pytest.mark.parametrize("words", [[], ["experiment=ros_demo", "robot=mock_ros", "seed=3", "device=joy"]])
def test_what_is_shown_is_what_was_composed(words, capsys):
    assert main(["show", *words]) == 0
    assert yaml.safe_load(capsys.readouterr().out) == compose(words)


def test_each_group_is_below_the_name_of_its_file(capsys):
    assert main(["show", "task=reach", "learner.utd_ratio=2", "experiment=reach_pixels"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "# overrides: task=reach learner.utd_ratio=2 experiment=reach_pixels"
    rows = (line[2:].partition(": ") for line in lines[1:] if line.startswith("# "))
    named = {group: Path(place) for group, _, place in rows}  # a folder's name may have blanks
    assert named["experiment"].resolve() == CONFIGS / "experiment" / "reach_pixels.yaml"
    assert named["task"].resolve() == CONFIGS / "task" / "reach.yaml"
    assert named["algo@demo.bc"].resolve() == CONFIGS / "algo" / "bc.yaml"
    assert lines[lines.index("task:") - 1].startswith("# task: ")


def test_a_file_of_the_users_own_is_named_where_it_is(tmp_path, monkeypatch):
    monkeypatch.delenv(CONFIG_VARIABLE, raising=False)
    (tmp_path / "safety").mkdir()
    (tmp_path / "safety" / "my_cell.yaml").write_text("defaults: [default, _self_]\nmax_force_n: 7.0\n")
    monkeypatch.setenv(CONFIG_VARIABLE, str(tmp_path))
    found = group_files(["safety=my_cell"])
    assert found["safety"] == tmp_path / "safety" / "my_cell.yaml"
    assert found["robot"].resolve() == CONFIGS / "robot" / "mock.yaml"
