from pathlib import Path

import pytest

from steadyhand.cli import main
from steadyhand.pipeline.recorded_episode import ReplayError
from steadyhand.pipeline.recording_origin import check_recorded_task, recorded_seeds, run_of
from steadyhand.runtime.config import compose


@pytest.fixture(scope="module")
def demos(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("runs")
    words = ["task=reach", "task.drive.max_steps=40", "logging.level=warning", "episodes=1", "seed=5"]
    assert main(["record", *words, f"run_root={root}", "run_name=shown"]) == 0
    return root / "shown" / "demos"


def test_the_run_of_a_recording_gives_its_seeds(demos, tmp_path):
    run = run_of(demos)
    assert run is not None
    assert run.name == "shown"
    assert recorded_seeds(run, 9) == [5, 9]
    assert recorded_seeds(run, 5) == [5]
    assert run_of(tmp_path) is None
    assert recorded_seeds(None, 9) == [9]


def test_a_recording_of_another_task_is_refused(demos):
    run = run_of(demos)
    check_recorded_task(demos, run, compose(["task=reach", "task.drive.max_steps=7"])["task"])
    with pytest.raises(ReplayError, match=r"expected a recording of the task .*peg_insert.*, found .*reach"):
        check_recorded_task(demos, run, compose(["task=peg_insert"])["task"])
