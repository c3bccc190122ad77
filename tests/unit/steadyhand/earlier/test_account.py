"""The account of what fits, line by line: each difference, and its twin without it."""

import json
from dataclasses import replace

import pytest

from steadyhand.earlier.account import account, account_text
from steadyhand.learner.checkpoint import CheckpointFolder
from steadyhand.learner.saved_policy import SavedPolicy
from steadyhand.policies import InputSpec
from steadyhand.runtime.run_folder import RunFolder
from steadyhand.transport.run_identity import Identity
from tests.unit.steadyhand.earlier.earlier_kit import (
    OWN_SESSION,
    job_of,
    make_earlier,
    opened,
    schema,
    write_demos,
)

UR = Identity(robot="ur5e", joints=6)
ROWS = ["schema", "action scale", "robot", "task", "cameras", "calibration", "tool", "reward", "policy"]


@pytest.fixture
def lines(tmp_path):
    """The account of a new run with demonstrations of its own, by subject."""
    make_earlier(tmp_path)

    def make(*words, identity=None, of=None, demos=True):
        job = job_of(tmp_path, "earlier.run=old", *words)
        if demos:
            changes = {} if identity is None else {"identity": identity}
            write_demos(job, job.run.demos, OWN_SESSION, of=of, **changes)
        return {line.subject: line for line in account(job, opened(job))}

    return make


def edit_manifest(run: RunFolder, change) -> None:
    facts = run.read_manifest()
    change(facts["config"])
    (run.path / "manifest.json").write_text(json.dumps(facts), encoding="utf-8")


def test_the_same_set_up_fits_in_every_line(lines):
    found = lines()
    assert list(found) == ROWS
    assert {line.verdict for line in found.values()} == {"fits"}
    text = account_text(list(found.values()))
    assert len(text.splitlines()) == len(ROWS)
    assert "  robot         fits  mock_fr3" in text


def test_what_no_record_tells_yet_is_not_known(lines):
    found = lines(demos=False)
    assert (found["schema"].verdict, found["robot"].verdict) == ("not known", "not known")
    assert "the learner refuses another actor" in found["robot"].text


def test_another_schema_is_refused_where_the_policy_reads_it(lines):
    goal = schema().observation_field("goal")
    others = tuple(one for one in schema().observation if one.name != "goal")
    turned = replace(schema(), observation=(*others, replace(goal, frame="camera")))
    line = lines(of=turned)["schema"]
    assert line.verdict == "refused"
    assert "goal cannot carry over" in line.text


def test_another_control_period_is_refused(lines):
    slower = lines(of=replace(schema(), control_period_s=0.2))["schema"]
    assert slower.verdict == "refused"
    assert "period" in slower.text


def test_a_field_that_the_policy_does_not_read_changes_nothing(lines):
    others = tuple(one for one in schema().observation if one.name != "previous_action")
    line = lines(of=replace(schema(), observation=others))["schema"]
    assert line.verdict == "differs"
    assert "previous_action: no longer recorded" in line.text


def test_other_action_scales_convert_records_and_refuse_weights(lines):
    other = "task.drive.action_scale_m=0.02"
    line = lines(other)["action scale"]
    assert line.verdict == "refused"
    assert "task.drive.action_scale_m=0.01" in line.text
    line = lines(other, "earlier.take=[demos,practice]")["action scale"]
    assert line.verdict == "differs"
    assert "recorded actions are rescaled" in line.text


def test_another_robot_is_refused_unless_it_is_accepted(lines):
    line = lines(identity=UR)["robot"]
    assert line.verdict == "refused"
    assert "robot: expected ur5e, found mock_fr3" in line.text
    assert lines("learner.accept_other_robot=true", identity=UR)["robot"].verdict == "differs"


def test_another_part_is_named_and_taken(lines):
    line = lines("task.settings.tolerance_m=0.02")["task"]
    assert line.verdict == "differs"
    assert "another part: task.settings.tolerance_m=0.01 then, task.settings.tolerance_m=0.02 now" in line.text


def test_settings_of_the_start_change_no_record(lines):
    line = lines("task.settings.goal_range_m=[0.01,0.01,0.01]")["task"]
    assert line.verdict == "differs"
    assert "its records are used as they are" in line.text


def test_another_task_gives_weights_alone(tmp_path):
    make_earlier(tmp_path)
    words = ("task=peg_insert", "earlier.run=old")

    def task(*more):
        job = job_of(tmp_path, *words, *more, name="pegs")
        return next(line for line in account(job, opened(job)) if line.subject == "task")

    assert task().verdict == "refused"
    assert "take the weights alone with earlier.take=[weights]" in task().text
    assert task("earlier.take=[weights]").verdict == "differs"


def test_another_tool_is_named(lines):
    line = lines("task.extent.high_m=[0.01,0.01,0.1]")["tool"]
    assert line.verdict == "differs"
    assert "extent.high_m" in line.text
    assert lines("task.extent.high_m=[0.01,0.01,0.1]")["task"].verdict == "fits"


def test_the_age_of_the_calibration_is_named(lines, tmp_path):
    used = {"file": "old.yaml", "kind": "hand_eye", "made": "2020-01-01T00:00:00Z", "sha256": "ab" * 32}
    edit_manifest(RunFolder(tmp_path, "old"), lambda config: config["calibration"].update(used=[used]))
    line = lines()["calibration"]
    assert line.verdict == "differs"
    assert "hand_eye of " in line.text
    assert int(line.text.partition("hand_eye of ")[2].partition(" ")[0]) > 2000  # days
    assert "none now" in line.text


def test_another_reward_is_named(lines, tmp_path):
    edit_manifest(RunFolder(tmp_path, "old"), lambda config: config["reward"].update(entry_point="mine:Near"))
    line = lines()["reward"]
    assert line.verdict == "differs"
    assert "Near then, TaskReward now" in line.text


def test_rewards_that_the_clip_flattens_are_refused(lines):
    line = lines("algo.target_clip=[0,0.5]")["reward"]
    assert line.verdict == "refused"
    assert "algo.target_clip" in line.text


def test_another_network_is_refused(lines):
    line = lines("policy.hidden=[16]")["policy"]
    assert line.verdict == "refused"
    assert "hidden=[16], found [8]" in line.text
    assert "policy" not in lines("policy.hidden=[16]", "earlier.take=[demos]")


def with_camera(run: RunFolder) -> None:
    """Give the earlier run a view, and a policy that reads it."""
    folder = CheckpointFolder(run.checkpoints, 3)
    saved = folder.newest()
    policy = SavedPolicy.from_files(saved.files)
    inputs = (*policy.spec.inputs, InputSpec("wrist", (64, 64, 3), "uint8", "wrist"))
    spec = replace(policy.spec, inputs=inputs, encoder="small_cnn")
    folder.save(41, replace(policy, spec=spec).to_files(), saved.facts)
    view = {"height": 64, "width": 64, "serial": "1"}
    edit_manifest(run, lambda config: config["camera"].update(views={"wrist": view}))


def test_cameras_are_compared_where_the_policy_reads_them(tmp_path):
    old = make_earlier(tmp_path)
    job = job_of(tmp_path, "earlier.run=old")

    def cameras(**view):
        views = {"wrist": {"height": 64, "width": 64, "serial": "1"} | view} if view else {}
        job.settings.composed["camera"]["views"] = views
        return next(line for line in account(job, opened(job)) if line.subject == "cameras")

    assert cameras(height=32).verdict == "fits"  # no camera then, and the policy reads none
    with_camera(old)
    assert cameras(height=64).verdict == "fits"
    assert cameras(serial="2").verdict == "differs"
    assert "wrist.serial 1 then, 2 now" in cameras(serial="2").text
    assert cameras(height=32).verdict == "refused"
    assert "wrist.height 64 then, 32 now" in cameras(height=32).text
    assert cameras(crop={"left": 3}).verdict == "refused"
    assert cameras().verdict == "not known"
