from dataclasses import replace

import numpy as np
import pytest

from steadyhand.demo_compat import action_gain, action_gains, carry_over, check_demos, check_same_action, check_task
from steadyhand.job import open_job
from steadyhand.learner.fit_bc import open_store
from steadyhand.log_facts import episode_labels
from steadyhand.pipeline.recording import record
from steadyhand.runtime.config import compose
from steadyhand.transport.demo_set import DemoManifest, DemoSetError, read_manifest, write_manifest
from steadyhand.transport.label_log import append_label
from steadyhand.transport.log import LogWriter
from steadyhand.transport.record import Kind, Phase, record_dtype
from steadyhand.transport.schema import FieldSpec
from tests.transport_kit import SCHEMA, WRIST
from tests.unit.robot_envs import odd_envs
from tests.unit.steadyhand.point_task import OVERRIDES


def opened(folder, *overrides):
    return open_job([f"run_root={folder}", "run_name=run", "logging.level=warning", *overrides])


def test_demonstrations_of_another_task_are_refused_and_left_alone(tmp_path):
    job = opened(tmp_path, *OVERRIDES)
    record(job)
    check_task(job, job.run.demos)
    before = {path: path.read_bytes() for path in job.run.demos.iterdir()}
    other = opened(tmp_path, "task=reach")
    with pytest.raises(
        DemoSetError, match=r"expected demonstrations of steadyhand\.robot_envs\.tasks\.reach:Reach, found those of"
    ):
        check_task(other, other.run.demos)
    with pytest.raises(DemoSetError, match="expected demonstrations of"):
        record(other)
    assert {path: path.read_bytes() for path in job.run.demos.iterdir()} == before


def test_two_environments_of_one_registry_are_two_tasks(tmp_path):
    job = opened(tmp_path, *OVERRIDES)
    record(job)
    values = job.settings.composed["task"]
    other = opened(tmp_path, *OVERRIDES, "task.arguments={id:Other-v0}")
    assert other.settings.composed["task"]["entry_point"] == values["entry_point"]
    with pytest.raises(DemoSetError, match="Other-v0"):
        check_task(other, other.run.demos)


def test_a_folder_without_a_manifest_is_no_demo_set(tmp_path):
    with pytest.raises(DemoSetError, match="expected a demo set"):
        check_task(opened(tmp_path, "task=reach"), tmp_path)


def test_other_action_scales_are_a_gain_and_no_set_is_continued_with_them(tmp_path):
    task = compose(["task=peg_insert"])["task"]
    schema = replace(SCHEMA, action=FieldSpec("action", (6,), "float32", -1, 1, "1", ""))
    then = {**task, "drive": {**task["drive"], "action_scale_m": 0.02}}
    writer = LogWriter(tmp_path / "demos", schema, "arm", "ab" * 16, 1 << 16)
    row = np.zeros((), record_dtype(schema))
    for step, action in enumerate((0.4, 0.6, -0.7, 0.5)):
        row["step_index"], row["valid"], row["phase"] = step, True, Phase.DEMO
        row["action"] = action
        writer.append(row)
    row["step_index"], row["kind"] = 4, Kind.FINAL
    writer.append(row)
    writer.close()
    write_manifest(tmp_path / "demos", DemoManifest(schema, 1, 1, 4, then, "arm", "ab" * 16, "2025-01-01", "me"))
    job = opened(tmp_path, "task=peg_insert")
    assert action_gain(job, tmp_path / "demos") == (2.0, 2.0, 2.0, 1.0, 1.0, 1.0)
    assert action_gain(opened(tmp_path, "task=peg_insert", "task.drive.action_scale_m=0.02"), tmp_path / "demos") == ()
    with pytest.raises(DemoSetError, match=r"task\.drive\.action_scale_m=0\.02.*use a new run_name"):
        check_same_action(job, tmp_path / "demos")
    # Training sees today's actions, and nothing of the steps that went further than they can.
    store, _ = open_store([tmp_path / "demos"], action_gains(job, [tmp_path / "demos"]))
    ((log, _, rows),) = store.by_log(store.demo)
    assert rows.tolist() == [0, 3]
    np.testing.assert_allclose(log.action(rows)[:, [0, 5]], [[0.8, 0.4], [1.0, 0.5]], rtol=1e-6)


def test_the_account_of_what_carries_over_speaks_of_every_field():
    wide = replace(WRIST, shape=(8, 6, 3))
    side = replace(WRIST, name="side")
    new = replace(SCHEMA, observation=(wide, side), control_period_s=0.05)
    assert dict(carry_over(SCHEMA, new)) == {
        "wrist": "cannot carry over: shape: expected (8, 6, 3), found (4, 6, 3)",
        "side": "new: serves as long as the policy does not read it (policy.hidden_keys=[side])",
        "state": "no longer recorded; the old values are left unread",
        "action, period": "cannot carry over: control_period_s: expected 0.05, found 0.1",
    }
    assert [verdict for _, verdict in carry_over(SCHEMA, SCHEMA)] == [
        "carries over as it is",
        "carries over as it is",
        "carry over as they are",
    ]


ODD = ["task=gym", f"task.entry_point={odd_envs.HERE}:make", f"task.expert={odd_envs.HERE}:Expert", "demo.demos=2"]


def test_demonstrations_under_other_settings_are_refused_with_both_values(tmp_path):
    job = opened(tmp_path, *ODD, "task.arguments={kind:fetch}", "algo.target_clip=null")
    record(job)
    check_demos(job, [job.run.demos])
    other = opened(tmp_path, *ODD, "task.arguments={kind:plain}", "task.control_period_s=0.05", "algo.target_clip=null")
    with pytest.raises(
        DemoSetError,
        match=r"recorded with task\.arguments\.kind=plain, task\.control_period_s=0\.05, "
        r"found task\.arguments\.kind=fetch, task\.control_period_s=0\.1; give the settings",
    ):
        check_demos(other, [other.run.demos])
    with pytest.raises(DemoSetError, match="expected demonstrations recorded with"):
        record(other)  # nor is the set continued


def test_rewards_that_the_clip_would_make_equal_are_refused_before_anything_is_trained(tmp_path):
    job = opened(tmp_path, *ODD, "task.arguments={kind:fetch}")
    record(job)
    with pytest.raises(DemoSetError, match=r"algo\.target_clip=\[0,1\]: .*from -1 to 0.*give algo\.target_clip=\[-33"):
        check_demos(job, [job.run.demos])
    wide = opened(tmp_path, *ODD, "task.arguments={kind:fetch}", "algo.target_clip=[-33.4,0]")
    check_demos(wide, [job.run.demos])
    check_demos(opened(tmp_path, *ODD, "task.arguments={kind:fetch}", "algo=sac"), [job.run.demos])


def test_labels_count_as_rewards(tmp_path):
    job = opened(tmp_path, *ODD)
    record(job)
    check_demos(job, [job.run.demos])
    for label in episode_labels(job.run.demos, 0, True, 10.0, "me"):
        append_label(job.run.demos, label)
    with pytest.raises(DemoSetError, match="from 0 to 10"):
        check_demos(job, [job.run.demos])


def test_two_sets_whose_rewards_mean_different_things_are_refused(tmp_path):
    folders = []
    for name, kind in (("one", "plain"), ("two", "fetch")):
        job = opened(tmp_path, *ODD, f"task.arguments={{kind:{kind}}}", f"run_name={name}")
        record(job)
        # As if the environment's code had changed: nothing in the configuration shows it.
        write_manifest(
            job.run.demos, replace(read_manifest(job.run.demos), task=opened(tmp_path, *ODD).settings.composed["task"])
        )
        folders.append(job.run.demos)
    with pytest.raises(DemoSetError, match=r"two/demos: expected rewards of 0 and 1 as in .*one/demos, found -1 and 0"):
        check_demos(opened(tmp_path, *ODD, "algo=sac"), folders)


def test_where_episodes_begin_may_differ_and_what_success_is_may_not(tmp_path):
    job = opened(tmp_path, "task=reach", "demo.demos=1")
    record(job)
    manifest = read_manifest(job.run.demos)
    assert "goal_range_m" in (manifest.episode_settings or ())
    check_demos(opened(tmp_path, "task=reach", "task.settings.goal_range_m=[0.05,0.05,0.05]"), [job.run.demos])
    easier = opened(tmp_path, "task=reach", "task.settings.tolerance_m=0.02")
    with pytest.raises(
        DemoSetError, match=r"with task\.settings\.tolerance_m=0\.02, found task\.settings\.tolerance_m=0\.01"
    ):
        check_demos(easier, [job.run.demos])
    # A set from before episode_settings was noted is used, with a line.
    write_manifest(job.run.demos, replace(manifest, episode_settings=None))
    check_demos(easier, [job.run.demos])
