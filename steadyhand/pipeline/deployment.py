"""An exported policy at work, without a learner and without torch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gymnasium

from steadyhand.actor.deploy import Deployment, deploy
from steadyhand.actor.env_schema import env_schema
from steadyhand.actor.events import Events
from steadyhand.actor.onnx_policy import OnnxPolicy
from steadyhand.actor.onnx_runner import OnnxRunner
from steadyhand.robot_envs.devices.operator import Operator
from steadyhand.settings import Settings

__all__ = ["deploy_policy", "deployment_text", "runner_for_policy"]


def runner_for_policy(settings: Settings, policy: OnnxPolicy, env: gymnasium.Env[Any, Any]) -> OnnxRunner:
    """Return the policy, ready to act in `env`.

    Raises:
        ExportedPolicyError: The environment is not the one that it was trained for.
    """
    return OnnxRunner(policy, env_schema(env), settings.composed["task"])


def deploy_policy(
    settings: Settings,
    env: gymnasium.Env[Any, Any],
    onlooker: Operator,
    runner: OnnxRunner,
    episodes: int | None,
    stop: Callable[[], bool],
    events: Events,
) -> Deployment:
    """Let a policy act in an environment that is open; nothing is recorded.

    Args:
        settings: Seed of the episodes, and how authority passes between policy and operator.
        env: As `make_env` returns it, or around it.
        onlooker: May take over, and says when to go on after a stop.
        runner: The policy, of `runner_for_policy`.
        episodes: How many; None = until `stop`.
        stop: Ends it.
        events: Told what happens.
    """
    hand_over, seed = settings.actor.hand_over, settings.seed
    return deploy(env, env_schema(env), runner, onlooker, hand_over, episodes, seed, stop, events)


def deployment_text(result: Deployment) -> str:
    """Return what a deployment came to, as one line."""
    period, compute = result.period, result.compute
    return (
        f"{result.successes} of {result.episodes} episodes succeeded, {result.helped} with help, {result.stopped} were "
        f"stopped; period p50 {period.p50_ms:.1f} ms, p99 {period.p99_ms:.1f} ms, max {period.max_ms:.1f} ms, "
        f"{result.overruns} overruns; its own work p50 {compute.p50_ms:.2f} ms, p99 {compute.p99_ms:.2f} ms"
    )
