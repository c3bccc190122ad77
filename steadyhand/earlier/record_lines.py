"""Lines of the account about records and weights: schema, action scale, robot, task, policy."""

from __future__ import annotations

from steadyhand.demo_compat import SCALES, carry_over, recorded_gain
from steadyhand.demo_settings import Difference, task_differences
from steadyhand.earlier.line import DIFFERS, FITS, REFUSED, UNKNOWN, Line, joined
from steadyhand.earlier.run import EarlierRun
from steadyhand.earlier.settings import WEIGHTS
from steadyhand.job import Job, task_identity
from steadyhand.learner.checkpoint import Checkpoint
from steadyhand.learner.policy_spec import build_policy_spec
from steadyhand.learner.prior import PriorDataError, compatible_spec
from steadyhand.learner.saved_policy import SavedPolicy
from steadyhand.pipeline.recording import episode_settings
from steadyhand.policies import load_backbone
from steadyhand.transport.demo_set import DemoSetError
from steadyhand.transport.run_identity import Identity
from steadyhand.transport.schema import Schema

__all__ = ["action_line", "policy_line", "robot_line", "schema_line", "task_line"]

WHOLE = "action, period"  # the part of a schema beside its fields
EXTENTS = ("extent", "extents")  # of tool and held part, by arm


def schema_line(job: Job, earlier: EarlierRun, schema: Schema | None) -> Line:
    """Compare the fields that both policies read, the action and the control period."""
    old = earlier.schema()
    if old is None:
        return Line("schema", FITS, "no part that is taken has records")
    if schema is None:
        return Line(
            "schema", UNKNOWN, "no records of this run yet; the learner refuses an actor whose records do not fit"
        )
    read = {item.key for item in build_policy_spec(job.settings.policy, schema, ()).inputs}
    if earlier.checkpoint is not None:
        read |= {item.key for item in SavedPolicy.from_files(earlier.checkpoint.files).spec.inputs}
    else:
        read &= {field.name for field in old.observation} | {field.name for field in schema.observation}
    verdicts = [(name, told) for name, told in carry_over(old, schema) if not told.startswith(("carries", "carry"))]
    broken = [f"{name} {told}" for name, told in verdicts if name == WHOLE or name in read]
    if broken:
        return Line(
            "schema",
            REFUSED,
            f"{joined(broken)}; record with the earlier run's robot, cameras and control period, or start without it",
        )
    if verdicts:
        told = joined([f"{name}: {one}" for name, one in verdicts])
        return Line("schema", DIFFERS, f"{told}; the policy does not read it, so nothing is to do")
    return Line("schema", FITS, f"{len(schema.observation)} fields, period {schema.control_period_s:g} s")


def action_line(job: Job, earlier: EarlierRun) -> Line:
    """Compare the action scales. Records are converted to other scales; weights cannot be."""
    task, schema = earlier.config.get("task") or {}, earlier.schema()
    drive = task.get("drive") or {}
    told = ", ".join(f"task.drive.{name}={drive[name]:g}" for name in SCALES if name in drive)
    if schema is None or not told:
        return Line("action scale", FITS, "the task has none")
    try:
        gain = recorded_gain(job, earlier.folder, task, schema)
    except DemoSetError as error:
        return Line("action scale", REFUSED, str(error))
    if not gain:
        return Line("action scale", FITS, told)
    if WEIGHTS in earlier.parts:
        return Line(
            "action scale",
            REFUSED,
            f"expected the scales of the weights ({told}), found others; give those, or leave weights out of "
            "earlier.take",
        )
    return Line("action scale", DIFFERS, f"then {told}; recorded actions are rescaled, nothing is to do")


def robot_line(job: Job, earlier: EarlierRun, robot: Identity) -> Line:
    """Compare arm, joints, tool frame and gripper as weights and records name them."""
    then = earlier.identity()
    told = ", ".join(filter(None, (then.robot, then.tool, then.gripper))) or "of no known name"
    if line := robot.robot_difference(then):
        if job.settings.learner.accept_other_robot:
            return Line("robot", DIFFERS, f"{line}; used, as learner.accept_other_robot says")
        return Line("robot", REFUSED, f"{line}; choose that robot, or give learner.accept_other_robot=true")
    if job.settings.composed["task"].get("kind") == "gym":
        return Line("robot", FITS, "the environment names none")
    if not robot.robot or not then.robot:
        return Line(
            "robot", UNKNOWN, f"then {told}; no demonstrations name this run's, and the learner refuses another actor"
        )
    return Line("robot", FITS, told)


def task_line(job: Job, earlier: EarlierRun) -> Line:
    """Compare the tasks. Other settings are another part; another drive or another task changes what records mean."""
    then, now = earlier.config.get("task") or {}, job.settings.composed["task"]
    old, new = task_identity(then), task_identity(now)
    if old != new:
        if earlier.parts == (WEIGHTS,):
            return Line("task", DIFFERS, f"then {old}; weights alone are taken, watch the first episodes")
        return Line(
            "task",
            REFUSED,
            f"expected {new}, found {old}; choose that task, or take the weights alone with earlier.take=[weights]",
        )
    found = [one for one in task_differences(then, now, episode_settings(now)) if not _is_extent(one)]
    if refused := [one for one in found if one.matters and not one.key.startswith("settings.")]:
        told = joined([f"{one.line('now')}, then {one.line('then')}" for one in refused])
        return Line("task", REFUSED, f"{told}; give the earlier run's values, or start without it")
    if not found:
        return Line("task", FITS, new)
    told = joined([f"{one.line('then')} then, {one.line('now')} now" for one in found])
    if not any(one.matters for one in found):
        return Line("task", DIFFERS, f"{told}; its records are used as they are")
    return Line(
        "task",
        DIFFERS,
        f"another part: {told}; its records keep the rewards of that part. If the part is the same, label them anew "
        "with `steadyhand relabel`",
    )


def policy_line(job: Job, checkpoint: Checkpoint, schema: Schema | None) -> Line:
    """Compare the network of the weights with the configured one."""
    settings, saved = job.settings, SavedPolicy.from_files(checkpoint.files)
    known = schema or Schema.from_json(checkpoint.facts["schema"])
    backbone = load_backbone(settings.policy.encoder, settings.policy.encoder_weights)
    own = settings.algo.settings.adapt(build_policy_spec(settings.policy, known, (), backbone=backbone))
    try:
        compatible_spec(own, saved.spec, checkpoint.folder)
    except PriorDataError as error:
        return Line("policy", REFUSED, str(error).partition(": ")[2])
    return Line(
        "policy",
        FITS,
        f"version {saved.policy_version} of step {checkpoint.step}; its input scaling stays, optimisers start anew",
    )


def _is_extent(one: Difference) -> bool:
    return one.key.partition(".")[0] in EXTENTS
