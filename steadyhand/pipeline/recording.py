"""The recording of demonstrations into a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import gymnasium

from steadyhand.actor.demonstrations import record_demos
from steadyhand.actor.env_schema import env_schema
from steadyhand.actor.events import Events
from steadyhand.actor.recording import RecordingConfig
from steadyhand.actor.supervision.supervised_env import SupervisedEnv
from steadyhand.demo_compat import check_recorded, check_same_action, check_same_robot, check_task
from steadyhand.job import Job, seed_for
from steadyhand.learner.policy_spec import build_policy_spec
from steadyhand.person import with_person
from steadyhand.pipeline.environment import driven_env
from steadyhand.pipeline.recording_dialogue import recording_dialogue
from steadyhand.robot_envs.devices.make import held_by_person, input_name
from steadyhand.robot_envs.devices.operator import Operator
from steadyhand.robot_envs.make import make_demonstrator
from steadyhand.runtime.component import load_entry_point
from steadyhand.transport.demo_set import DemoManifest, DemoSetError, is_demo_set, refuse_foreign

__all__ = [
    "check_continued",
    "demonstrator_name",
    "episode_settings",
    "record",
    "record_in",
    "recording_config",
]


def record(
    job: Job,
    stop: Callable[[], bool] = lambda: False,
    events: Events | None = None,
    accepted: Callable[[], object] = lambda: None,
) -> DemoManifest:
    """Record demonstrations into the run's `demos/` until there are enough.

    `accepted` is called once, when the first attempt has ended or when none is needed. From then on the run is kept.

    Raises:
        DemoSetError: The attempts were used up too early, or the run has demonstrations of another task.
    """
    settings, seed, events = job.settings, seed_for(job.seed, "demonstrator"), events or Events()
    with (
        driven_env(settings, job.seed) as env,
        with_person(settings, env, partial(make_demonstrator, settings.composed, env, seed), stop, events) as person,
        ExitStack() as talk,
    ):
        if person.motion is not None and isinstance(person.env, SupervisedEnv):
            talk.enter_context(recording_dialogue(settings.demo.dialogue, person.env, person.motion, events))
        return record_in(job, person.env, person.operator, stop, events, accepted)


def record_in(
    job: Job,
    env: gymnasium.Env[Any, Any],
    demonstrator: Operator,
    stop: Callable[[], bool] = lambda: False,
    events: Events | None = None,
    accepted: Callable[[], object] = lambda: None,
) -> DemoManifest:
    """Record as `record` does, in an open environment.

    Raises:
        DemoSetError: As for `record`.
        PolicySpecError: The configured policy reads none of the environment's fields.
    """
    check_continued(job, job.run.demos)
    settings, wanted = job.settings, job.settings.demo.demos
    config = recording_config(job, wanted)
    schema = env_schema(env)
    # Find a policy that cannot read the records now, not at the start of training.
    build_policy_spec(settings.policy, schema, ())
    failed = job.run.failed_demos if settings.demo.keep_failures else None
    manifest = record_demos(
        config, env, schema, demonstrator, job.run.demos, job.seed, stop, events, accepted, failed=failed
    )
    if manifest.successes < wanted and not stop():
        raise DemoSetError(
            f"{job.run.demos}: expected {wanted} successful demonstrations in {config.max_attempts} attempts, found "
            f"{manifest.successes}; record again to go on, or raise demo.max_attempts"
        )
    if manifest.successes:
        check_recorded(job, job.run.demos)
    return manifest


def check_continued(job: Job, folder: Path) -> None:
    """Refuse a folder whose records the job cannot continue; a new or empty one is accepted.

    Raises:
        DemoSetError: The folder holds other files, or records of another task, action scale or robot.
    """
    refuse_foreign(folder)
    if is_demo_set(folder):
        check_task(job, folder)
        check_same_action(job, folder)
        check_same_robot(job, folder)


def recording_config(job: Job, episodes: int) -> RecordingConfig:
    """Return the configuration of a recording that ends with so many `episodes` of success."""
    settings, task = job.settings, job.settings.composed["task"]
    return RecordingConfig(
        episodes=episodes,
        max_attempts=settings.demo.max_attempts,
        segment_bytes=settings.transport.segment_bytes,
        actor_id=job.actor_id,
        expert=demonstrator_name(settings.composed),
        task=task,
        hand_over=settings.actor.hand_over,
        episode_settings=episode_settings(task),
        reward=settings.composed["reward"],
        identity=job.identity,
    )


def episode_settings(task: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names of the settings that affect only the start of episodes, as declared by the task's class."""
    if task.get("kind") != "robot":
        return ()
    return tuple(getattr(load_entry_point(task["entry_point"], "task.entry_point"), "episode_settings", ()))


def demonstrator_name(config: Mapping[str, Any]) -> str:
    """Return the name of the demonstrator: `person (spacemouse)`, or the expert's entry point."""
    device = config["device"]
    return f"person ({input_name(device)})" if held_by_person(device) else str(config["task"].get("expert"))
