"""Deployment of an exported policy, without a learner and without torch."""

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
    """Return a runner of the policy in `env`.

    Raises:
        ExportedPolicyError: The policy was trained for another environment.
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
    """Run a policy in an open environment; nothing is recorded.

    Args:
        settings: Seed of the episodes, and the rules for the authority of policy and operator.
        env: An environment of `make_env`, wrapped or not.
        onlooker: The operator, who may take over and who clears a stop.
        runner: The policy's runner, from `runner_for_policy`.
        episodes: Number of episodes; None = until `stop`.
        stop: Returns True to end the deployment.
        events: Receives the events of the loop.
    """
    hand_over, seed = settings.actor.hand_over, settings.seed
    return deploy(env, env_schema(env), runner, onlooker, hand_over, episodes, seed, stop, events)


def deployment_text(result: Deployment) -> str:
    """Return the result of a deployment as one line."""
    period, compute = result.period, result.compute
    return (
        f"{result.successes} of {result.episodes} episodes succeeded, {result.helped} with help, {result.stopped} were "
        f"stopped; period p50 {period.p50_ms:.1f} ms, p99 {period.p99_ms:.1f} ms, max {period.max_ms:.1f} ms, "
        f"{result.overruns} overruns; its own work p50 {compute.p50_ms:.2f} ms, p99 {compute.p99_ms:.2f} ms"
    )
