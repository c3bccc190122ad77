import pytest

from steadyhand.job import new_job, open_job, quoted, seed_for, task_name
from steadyhand.runtime.build import ConfigError
from steadyhand.runtime.run_folder import RunFolderError


@pytest.mark.parametrize(
    ("task", "name"),
    [
        ({"entry_point": "steadyhand.robot_envs.tasks.peg_insert:PegInsert"}, "peg_insert"),
        ({"entry_point": "gymnasium:make", "arguments": {"id": "ALE/Pong-v5"}}, "ale_pong_v5"),
        ({"entry_point": "my.Envs:make", "arguments": None}, "envs"),
        ({}, "run"),
    ],
)
def test_a_task_has_a_short_name(task, name):
    assert task_name({"task": task}) == name


def test_seeds_for_different_purposes_differ():
    seeds = {seed_for(seed, what) for seed in range(50) for what in ("validation", "corrector")}
    assert len(seeds) == 100
    assert seed_for(3, "validation") == seed_for(3, "validation")


def test_a_child_works_on_the_same_run_with_the_same_choices(tmp_path):
    job = open_job(["task=reach", f"run_root={tmp_path}", "seed=4"])
    assert job.seed == 4
    assert job.run.name.startswith("reach-")
    child = open_job(job.child_overrides("seed=5"))
    assert child.run.path == job.run.path
    assert child.settings.task == job.settings.task
    assert child.seed == 5


@pytest.mark.parametrize("folder", ["a (1)", "müller", "it's, [here] = #1 & {x}"])
def test_a_child_finds_the_run_in_a_folder_of_any_name(tmp_path, folder):
    job = open_job(["task=reach", f"run_root={quoted(tmp_path / folder)}"])
    assert open_job(job.child_overrides()).run.path == job.run.path


@pytest.mark.parametrize("seed", ["one", "-1", "1.5", "null", "true"])
def test_a_seed_that_is_none_is_one_line(tmp_path, seed):
    with pytest.raises(ConfigError, match="seed: expected a whole number of at least 0, found"):
        open_job([f"run_root={tmp_path}", f"seed={seed}"])
    assert not list(tmp_path.iterdir())


def test_a_run_that_must_be_there_is_not_made(tmp_path):
    with pytest.raises(RunFolderError, match="expected a folder"):
        open_job([f"run_root={tmp_path}", "run_name=none"], create=False)
    assert not (tmp_path / "none").exists()


def test_a_run_keeps_its_task_and_the_line_says_which_it_is(tmp_path):
    words = [f"run_root={tmp_path}", "run_name=run"]
    open_job([*words, "task=reach"]).write_manifest()
    assert open_job([*words, "task=reach", "task.drive.max_steps=7"]).settings.task.drive.max_steps == 7
    with pytest.raises(ConfigError, match=r"expected its own task, steadyhand\.robot_envs\.tasks\.reach:.*pick_pl"):
        open_job([*words, "task=pick_place"])
    assert open_job([*words, "task=pick_place"], any_task=True).run.name == "run"


def test_a_refused_start_leaves_no_run_and_one_that_has_begun_stays(tmp_path):
    words = ["task=reach", f"run_root={tmp_path / 'runs'}"]
    with pytest.raises(KeyError), new_job(words):
        raise KeyError
    assert list(tmp_path.iterdir()) == []
    job = open_job([*words, "run_name=begun"])
    job.write_manifest()
    with pytest.raises(KeyError), new_job([*words, "run_name=begun"]):
        raise KeyError
    assert (job.run.path / "manifest.json").exists()
    assert job.run.log.is_dir()


@pytest.mark.parametrize("name", ["null", "''"])
def test_a_run_of_no_name_gets_a_new_one(tmp_path, name):
    assert open_job(["task=reach", f"run_root={tmp_path}", f"run_name={name}"]).run.name.startswith("reach-")


def test_zero_is_a_name(tmp_path):
    assert open_job(["task=reach", f"run_root={tmp_path}", "run_name=0"]).run.name == "0"
