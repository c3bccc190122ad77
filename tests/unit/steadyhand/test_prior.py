import pytest

from steadyhand.job import open_job
from steadyhand.learner.prior import PriorDataError
from steadyhand.prior import find_logs, prior_gains
from steadyhand.transport.demo_set import DemoSetError
from tests.transport_kit import session_id, write_episode, writer_in


@pytest.fixture
def other(tmp_path):
    """A run of `reach` with two logs of practice."""
    job = open_job(["task=reach", f"run_root={tmp_path}", "run_name=other"])
    job.write_manifest()
    for number in (1, 2):
        writer = writer_in(job.run.log / session_id(number), number)
        write_episode(writer, number, 0, 9)
        writer.close()
    return job.run


def job_of(tmp_path, *overrides):
    return open_job(["task=reach", f"run_root={tmp_path}", "run_name=mine", *overrides])


def test_logs_are_found_by_run_by_folder_and_one_by_one(other):
    both = [other.log / session_id(number) for number in (1, 2)]
    assert find_logs([other.path]) == find_logs([other.log]) == find_logs(both) == both
    assert find_logs([]) == []


@pytest.mark.parametrize("name", ["nothing", "other/checkpoints", "other/manifest.json"])
def test_a_place_without_records_is_one_line(other, tmp_path, name):
    with pytest.raises(PriorDataError, match="found no records there"):
        find_logs([tmp_path / name])


def test_practice_of_the_same_task_is_taken_as_it_is(other, tmp_path):
    assert prior_gains(job_of(tmp_path), find_logs([other.path])) == {}


def test_practice_of_another_task_is_refused(other, tmp_path):
    job = open_job(["task=peg_insert", f"run_root={tmp_path}", "run_name=pegs"])
    with pytest.raises(
        DemoSetError, match=r"expected practice of .*peg_insert:PegInsert, found those of .*reach:Reach"
    ):
        prior_gains(job, find_logs([other.path]))


def test_settings_under_which_records_meant_something_else_are_refused(other, tmp_path):
    job = job_of(tmp_path, "task.settings.tolerance_m=0.02")
    with pytest.raises(
        DemoSetError, match=r"task\.settings\.tolerance_m=0\.02, found task\.settings\.tolerance_m=0\.01"
    ):
        prior_gains(job, find_logs([other.path]))


def test_a_log_without_its_run_is_taken_with_a_warning(other, tmp_path, caplog):
    moved = tmp_path / "moved" / "logs" / session_id(1)
    moved.parent.mkdir(parents=True)
    (other.log / session_id(1)).rename(moved)
    assert prior_gains(job_of(tmp_path), [moved]) == {}
    assert "no run folder tells its task" in caplog.text
    assert sorted(path.name for path in (tmp_path / "moved").iterdir()) == ["logs"]  # looking made nothing
