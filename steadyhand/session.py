"""The steps of learning a task, shared by the verbs, the demo and the learning benchmark."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import gymnasium

from steadyhand.actor import evaluate as judging
from steadyhand.actor import record as recording
from steadyhand.actor.config import ActorConfig
from steadyhand.actor.env_schema import env_schema
from steadyhand.actor.evaluate import Evaluation
from steadyhand.actor.events import Events
from steadyhand.actor.policy_runner import PolicyRunner
from steadyhand.demos import action_gains, check_recorded, check_same_action, check_same_robot, check_task
from steadyhand.film import SIDE, Shot, film
from steadyhand.identity import check_robot
from steadyhand.job import Job, seed_for, task_name
from steadyhand.learner.algos.algorithm import find_algorithm
from steadyhand.learner.algos.bc import Bc, BcSettings
from steadyhand.learner.config import LearnerConfig
from steadyhand.learner.fit_bc import fit_bc, open_store
from steadyhand.learner.policy_spec import build_policy_spec
from steadyhand.learner.replay.features import FeatureCache, slot_dtype, views_kept
from steadyhand.learner.saved_policy import SavedPolicy, newest_policy
from steadyhand.person import with_person
from steadyhand.policies import load_backbone
from steadyhand.policies.config import PolicyConfig
from steadyhand.policy_file import PolicyFileError
from steadyhand.report.evaluations import keep_evaluation
from steadyhand.robot_envs.devices.make import held_by_person, input_name
from steadyhand.robot_envs.devices.operator import NoOperator, Operator
from steadyhand.robot_envs.make import TaughtEnv, make_demonstrator, make_env
from steadyhand.runtime.clock import MonotonicClock
from steadyhand.runtime.component import find_component, load_entry_point
from steadyhand.runtime.config import build
from steadyhand.runtime.logging import get_logger
from steadyhand.transport import segment
from steadyhand.transport.demo_set import DemoManifest, DemoSetError, is_demo_set, refuse_foreign
from steadyhand.transport.schema import Schema
from steadyhand.transport.weights import Weights

__all__ = [
    "FilmError",
    "about_evaluation",
    "demonstrator_name",
    "episode_settings",
    "evaluate",
    "evaluate_in",
    "film_policy",
    "fit_bc_baseline",
    "opened_env",
    "policy_config",
    "practice_logs",
]
__all__ += ["record_demos", "record_demos_in", "runner_for", "trained_policy"]


logger = get_logger("session")


class FilmError(RuntimeError):
    """There is nothing to film with."""


@contextmanager
def opened_env(config: dict[str, Any], seed: int) -> Iterator[TaughtEnv]:
    """Make the environment, and close it whatever happens."""
    env = make_env(config, seed)
    try:
        yield env
    finally:
        env.close()


def policy_config(job: Job) -> PolicyConfig:
    """Return the policy's settings. Not a property of the job, which what deploys a policy has without torch."""
    return build(PolicyConfig, job.config["policy"], "policy")


def feature_bytes(job: Job, schema: Schema) -> int:
    """Return what the learner of this job keeps of a record beside it: the features of its frames, where it does.

    Raises:
        EncoderError: The weights of the frozen encoder are missing.
    """
    policy, shift = policy_config(job), find_algorithm(job.config["algo"]).settings.sampling.image_shift
    backbone = load_backbone(policy.encoder, policy.encoder_weights) if policy.feature_cache else None
    if backbone is None:
        return 0
    inputs = build_policy_spec(policy, schema, (), 1.0, backbone).inputs
    shapes = {item.key: backbone.map_shape(item.shape) for item in inputs if item.is_frame}
    return slot_dtype(shapes, views_kept(policy.feature_cache, shift)).itemsize


def record_demos(
    job: Job,
    stop: Callable[[], bool] = lambda: False,
    events: Events | None = None,
    accepted: Callable[[], object] = lambda: None,
) -> DemoManifest:
    """Record demonstrations into the run's `demos/` until there are enough.

    `accepted` is called once, when the first attempt has ended or none is wanted: from here on the run is kept.

    Raises:
        DemoSetError: The attempts were used up before that, or the run has demonstrations of another task.
    """
    events, seed = events or Events(), seed_for(job.seed, "demonstrator")
    with (
        opened_env(job.config, job.seed) as env,
        with_person(job.config, env, partial(make_demonstrator, job.config, env, seed), stop, events) as person,
    ):
        return record_demos_in(job, person.env, person.operator, stop, events, accepted)


def record_demos_in(
    job: Job,
    env: gymnasium.Env[Any, Any],
    demonstrator: Operator,
    stop: Callable[[], bool] = lambda: False,
    events: Events | None = None,
    accepted: Callable[[], object] = lambda: None,
) -> DemoManifest:
    """Do what `record_demos` does in an environment that is open.

    Raises:
        DemoSetError: As there.
        PolicySpecError: The configured policy reads nothing of what the environment gives.
    """
    refuse_foreign(job.run.demos)
    if is_demo_set(job.run.demos):
        check_task(job, job.run.demos)
        check_same_action(job, job.run.demos)
        check_same_robot(job, job.run.demos)
    wanted = job.demo.demos
    config = recording.RecordingConfig(
        episodes=wanted,
        max_attempts=job.demo.max_attempts,
        segment_bytes=job.transport.segment_bytes,
        actor_id=job.actor_id,
        expert=demonstrator_name(job.config),
        task=job.config["task"],
        hand_over=build(ActorConfig, job.config["actor"], "actor").hand_over,
        episode_settings=episode_settings(job.config["task"]),
        reward=job.config["reward"],
        identity=job.identity,
    )
    schema = env_schema(env)
    # A policy that cannot read what is recorded is better found now than when it is to be trained.
    build_policy_spec(policy_config(job), schema, (), 1.0)
    failed = job.run.failed_demos if job.demo.keep_failures else None
    manifest = recording.record_demos(
        config, env, schema, demonstrator, job.run.demos, job.seed, stop, events, accepted, failed
    )
    if manifest.successes < wanted and not stop():
        raise DemoSetError(
            f"{job.run.demos}: expected {wanted} successful demonstrations in {config.max_attempts} attempts, found "
            f"{manifest.successes}; record again to go on, or raise demo.max_attempts"
        )
    if manifest.successes:
        check_recorded(job, job.run.demos)
    return manifest


def episode_settings(task: Mapping[str, Any]) -> tuple[str, ...]:
    """Names of a robot task's settings that only say where episodes begin, as its class has them."""
    if task.get("kind") != "robot":
        return ()
    return tuple(getattr(load_entry_point(task["entry_point"], "task.entry_point"), "episode_settings", ()))


def demonstrator_name(config: Mapping[str, Any]) -> str:
    """Return who shows the task: `person (spacemouse)`, or the expert's entry point."""
    device = config["device"]
    return f"person ({input_name(device)})" if held_by_person(device) else str(config["task"].get("expert"))


def fit_bc_baseline(job: Job, folders: Sequence[Path], stop: Callable[[], bool] = lambda: False) -> SavedPolicy:
    """Clone what people have done in these logs, and return the best policy on the way.

    The candidates compete on validation episodes, which nobody has trained on; whoever judges the winner uses others.

    Args:
        job: How to fit, and where to try.
        folders: Demo sets, and logs of practice: their interventions count as demonstrations (HG-DAgger).
        stop: Ends the fit early.

    Raises:
        BcDataError: Nobody acts in these logs.
        EncoderError: The weights of the frozen encoder are missing.
    """
    cloning: BcSettings = find_component(job.demo.bc, Bc, "demo.bc").settings
    store, readers = open_store(folders, action_gains(job, folders))
    floor = build(LearnerConfig, job.config["learner"], "learner").normaliser_std_floor
    backbone = load_backbone(policy_config(job).encoder, policy_config(job).encoder_weights)
    spec = build_policy_spec(policy_config(job), readers[0].schema, readers, floor, backbone)
    features, views = None, policy_config(job).feature_cache
    if backbone is not None and views:
        features = FeatureCache(job.run.features, backbone, spec.inputs, views, cloning.sampling.image_shift)
    candidates = fit_bc(store, spec, cloning, job.demo.fit, job.seed, backbone, features, stop=stop)
    if features is not None:
        features.close()
    identity = job.identity.to_json()
    policies = [SavedPolicy(spec, 0, candidate.epoch, candidate.tensors, identity) for candidate in candidates]
    episodes, seed = job.demo.validation_episodes, seed_for(job.seed, "validation")
    results = [evaluate(job, policy, episodes, seed, stop) for policy in policies]
    # Of two that succeed as often the faster one; the last one of all would be no fairer, only later.
    order = [(result.successes, -(result.median_cycle_time_s or 0.0)) for result in results]
    best = max(range(len(policies)), key=order.__getitem__)
    successes = ", ".join(f"{policy.policy_version}: {order[i][0]}" for i, policy in enumerate(policies))
    logger.info(
        "behaviour cloning: epoch %d chosen; successes of %d validation episodes by epoch: %s",
        policies[best].policy_version,
        episodes,
        successes,
    )
    for reader in readers:
        reader.close()
    return policies[best]


def practice_logs(job: Job) -> list[Path]:
    """Return the learner's logs of practice, one per session of an actor."""
    return [path for path in sorted(job.run.log.iterdir()) if path.is_dir() and segment.paths(path)]


def trained_policy(job: Job) -> SavedPolicy:
    """Return the newest policy of the run.

    Raises:
        CheckpointError: It has none.
    """
    return newest_policy(job.run.checkpoints)


def runner_for(job: Job, policy: SavedPolicy, env: gymnasium.Env[Any, Any], seed: int) -> PolicyRunner:
    """Return the policy, ready to act in `env`.

    Raises:
        ConfigError: It was trained on another robot.
        SchemaError: It reads what the environment does not give.
        PolicyFileError: The weights are not the specification's.
        EncoderError: Nor are those of the frozen encoder.
    """
    check_robot(policy.identity, job.config, f"policy version {policy.policy_version}")
    weights = policy_config(job).encoder_weights
    runner = PolicyRunner(policy.spec, env_schema(env), MonotonicClock(), seed, weights)
    if not runner.offer(Weights(policy.learner_epoch, policy.policy_version, policy.tensors)):
        raise PolicyFileError(
            "policy: expected weights that fit the specification beside them, found others (see above)"
        )
    return runner


def evaluate(
    job: Job,
    policy: SavedPolicy,
    episodes: int,
    seed: int,
    stop: Callable[[], bool] = lambda: False,
    events: Events | None = None,
    who: str = "",
) -> Evaluation:
    """Judge a policy on seeded episodes with nobody helping; with `who`, keep the result in the run folder."""
    with opened_env(job.config, seed) as env:
        return evaluate_in(job, env, NoOperator(), policy, episodes, seed, stop, events, who)


def evaluate_in(
    job: Job,
    env: gymnasium.Env[Any, Any],
    bystander: Operator,
    policy: SavedPolicy,
    episodes: int,
    seed: int,
    stop: Callable[[], bool] = lambda: False,
    events: Events | None = None,
    who: str = "",
) -> Evaluation:
    """Do what `evaluate` does in an environment that is open; `bystander` says when to go on after a stop."""
    runner = runner_for(job, policy, env, seed)
    result = judging.evaluate(env, env_schema(env), runner, episodes, seed, bystander, stop=stop, events=events)
    if who and not stop():
        keep_evaluation(job.run, result, about_evaluation(job, policy, seed, who), stage=who)
    return result


def about_evaluation(job: Job, policy: SavedPolicy, seed: int, who: str) -> dict[str, Any]:
    """Return what was evaluated and how, ready for JSON, to be kept beside the result."""
    return {
        "who": who,
        "task": task_name(job.config),
        "policy_version": policy.policy_version,
        "learner_epoch": policy.learner_epoch,
        "seed": seed,
        "overrides": [word for word in job.overrides if not word.startswith(("run_root=", "run_name="))],
    }


def film_policy(job: Job, policy: SavedPolicy, seed: int) -> tuple[list[Shot], dict[str, Any], float]:
    """Film the first evaluation episodes of `seed`.

    Returns:
        The episodes; one observation, with every camera's frame; the control period [s].

    Raises:
        FilmError: This environment has no camera, or this machine cannot render.
    """
    config = {**job.config, "camera": {"views": {**job.demo.film_views, **job.config["camera"]["views"]}}}
    try:
        with opened_env(config, seed) as env:
            schema = env_schema(env)
            if SIDE not in [field.name for field in schema.observation]:
                raise FilmError(f"this environment has no camera called {SIDE}")
            observation, _ = env.reset(seed=seed)
            shots = film(env, schema, runner_for(job, policy, env, seed), job.demo.film_episodes, seed)
            return shots, observation, schema.control_period_s
    except (RuntimeError, ImportError, OSError) as error:
        raise FilmError(str(error)) from error
