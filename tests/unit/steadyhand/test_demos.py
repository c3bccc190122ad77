import pytest

from steadyhand.demos import check_task
from steadyhand.job import open_job
from steadyhand.session import record_demos
from tests.unit.steadyhand.point_task import OVERRIDES
from transport.demo_set import DemoSetError


def opened(folder, *overrides):
    return open_job([f"run_root={folder}", "run_name=run", "logging.level=warning", *overrides])


def test_demonstrations_of_another_task_are_refused_and_left_alone(tmp_path):
    job = opened(tmp_path, *OVERRIDES)
    record_demos(job)
    check_task(job, job.run.demos)
    before = {path: path.read_bytes() for path in job.run.demos.iterdir()}
    other = opened(tmp_path, "task=reach")
    with pytest.raises(
        DemoSetError, match=r"expected demonstrations of robot_envs\.tasks\.reach:Reach, found those of"
    ):
        check_task(other, other.run.demos)
    with pytest.raises(DemoSetError, match="expected demonstrations of"):
        record_demos(other)
    assert {path: path.read_bytes() for path in job.run.demos.iterdir()} == before


def test_two_environments_of_one_registry_are_two_tasks(tmp_path):
    job = opened(tmp_path, *OVERRIDES)
    record_demos(job)
    values = job.config["task"]
    other = opened(tmp_path, *OVERRIDES, "task.arguments={id:Other-v0}")
    assert other.config["task"]["entry_point"] == values["entry_point"]
    with pytest.raises(DemoSetError, match="Other-v0"):
        check_task(other, other.run.demos)


def test_a_folder_without_a_manifest_is_no_demo_set(tmp_path):
    with pytest.raises(DemoSetError, match="expected a demo set"):
        check_task(opened(tmp_path, "task=reach"), tmp_path)
