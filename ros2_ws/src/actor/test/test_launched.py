"""What the launch file starts, with its defaults: the stand-in shows, a learner takes it up, the policy practises."""

import pytest
from ros_kit import PACKAGE

from actor_ros.launched import Launched
from steadyhand.actor.episode_metrics import read_rows
from steadyhand.actor.stop_flag import StopFlag
from steadyhand.job import open_job
from steadyhand.transport.demo_set import read_manifest

SHORT = (
    "demo.demos=2",
    "actor.max_env_steps=20",
    "learner.start_transitions=20",
    "learner.pretrain_updates=20",
)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_teaching_the_mock_needs_nothing_before_it(dds, tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(PACKAGE))
    job = open_job(["task=reach", f"run_root={tmp_path}", "run_name=taught", *SHORT])
    Launched(job).run("auto", StopFlag())
    assert read_manifest(job.run.demos).successes == 2
    assert sum(row["steps"] for row in read_rows(job.run.actor(job.actor_id).metrics)) >= 20
    assert (job.run.metrics / "loop_teach.json").is_file()
