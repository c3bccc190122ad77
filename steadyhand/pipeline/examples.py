"""The recording of examples for a success classifier into a run."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from steadyhand.actor.env_schema import env_schema
from steadyhand.actor.events import DemoCounted, Events
from steadyhand.actor.examples import record_examples
from steadyhand.actor.marks import MarkedEnv, PersonMarks, TaskMarks, press_of
from steadyhand.actor.supervision.motion_enable import MotionEnable
from steadyhand.actor.wandering import Wandering
from steadyhand.job import Job, seed_for
from steadyhand.person import with_person
from steadyhand.pipeline.environment import driven_env
from steadyhand.pipeline.recording import check_continued, recording_config
from steadyhand.robot_envs.devices.make import held_by_person
from steadyhand.robot_envs.devices.operator import Operator
from steadyhand.robot_envs.make import TaughtEnv, make_demonstrator
from steadyhand.runtime.build import ConfigError
from steadyhand.transport.demo_set import DemoManifest, DemoSetError

__all__ = ["record_run_examples"]


def record_run_examples(
    job: Job,
    stop: Callable[[], bool] = lambda: False,
    events: Events | None = None,
    accepted: Callable[[], object] = lambda: None,
) -> DemoManifest:
    """Record examples into the run's `examples/` until enough episodes show the success.

    Args:
        job: The run; its reward is `open_ended`.
        stop: Ends the recording early.
        events: Gets every episode.
        accepted: Called once, when the first episode has ended or none is needed. From then on the run is kept.

    Raises:
        ConfigError: The task cannot mark the stages, or it has no verdict of its own.
        DemoSetError: The episodes were used up too early, or the run has examples of another task.
    """
    settings, folder, events = job.settings, job.run.examples, events or Events()
    check_continued(job, folder)
    dialogue, seed = settings.demo.dialogue, seed_for(job.seed, "demonstrator")
    with driven_env(settings, job.seed) as env:
        marks = _marks(job, env)
        make = partial(make_demonstrator, settings.composed, env, seed)
        countdown_s = 0 if dialogue is None else dialogue.countdown_s
        with with_person(settings, env, make, stop, events, countdown_s, press_of(marks)) as person:
            if dialogue is not None and person.motion is not None:
                events.subscribe(DemoCounted, partial(_ask_for_the_next, person.motion))
            config = settings.classifier
            marked = MarkedEnv(person.env, marks, len(config.stages), config.episode_positives)
            operator = person.operator if isinstance(marks, PersonMarks) else _wandering(job, env, person.operator)
            manifest = record_examples(
                recording_config(job, config.episodes),
                marked,
                env_schema(marked),
                operator,
                folder,
                job.seed,
                stop,
                events,
                accepted,
            )
    if manifest.successes < config.episodes and not stop():
        raise DemoSetError(
            f"{folder}: expected {config.episodes} episodes with the success in {settings.demo.max_attempts} attempts, "
            f"found {manifest.successes}; record again to go on, or raise demo.max_attempts"
        )
    return manifest


def _marks(job: Job, env: TaughtEnv) -> PersonMarks | TaskMarks:
    """Return the source of the marks: the person's buttons, or the task where a scripted expert drives."""
    stages = job.settings.classifier.stages
    if held_by_person(job.settings.composed["device"]):
        return PersonMarks(len(stages))
    if unknown := [name for name in stages[:-1] if name not in env.reward_terms]:
        raise ConfigError(
            f"classifier.stages: expected the task's reward terms ({', '.join(env.reward_terms) or 'it has none'}) and "
            f"the success as stages that the task marks, found {unknown[0]}; mark them yourself with device=keyboard"
        )
    return TaskMarks(stages)


def _wandering(job: Job, env: TaughtEnv, operator: Operator) -> Operator:
    config, size = job.settings.classifier, int((env.action_space.shape or (0,))[0])
    seed = seed_for(job.seed, "wandering")
    return Wandering(operator, config.wander_share, config.wander_memory, config.wander_steps, size, seed)


def _ask_for_the_next(motion: MotionEnable, event: DemoCounted) -> None:
    """Wait for the person before the next episode: the workpieces have to be arranged."""
    if event.successes < event.wanted:
        motion.disable(f"ready for the next episode; {event.successes} of {event.wanted} show the success")
