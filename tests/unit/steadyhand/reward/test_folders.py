from pathlib import Path

from steadyhand.reward.folders import example_folders, folders_and_overrides
from tests.unit.steadyhand.synthetic_run import write_log


def test_overrides_among_the_folders_are_told_from_them(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a=b").mkdir()
    found = folders_and_overrides(["runs/x", "seed=3", "a=b", "classifier.fields=[a]"], ["reward=classifier"])
    assert found == ([Path("runs/x"), Path("a=b")], ["seed=3", "classifier.fields=[a]", "reward=classifier"])


def test_a_run_stands_for_its_logs_and_a_folder_is_read_once(tmp_path):
    run = tmp_path / "run"
    for name in ("demos", "log/b", "log/a", "actors/arm/outbox/a"):
        write_log(run / name, [3])
    expected = [run / "demos", run / "log" / "a", run / "log" / "b"]
    assert example_folders([run, run / "demos"]) == expected
    assert example_folders([tmp_path / "nothing"]) == [tmp_path / "nothing"]
