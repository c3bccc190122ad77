"""The evaluation of a policy from a program."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gymnasium

from steadyhand.actor import evaluate as evaluation
from steadyhand.actor.env_schema import env_schema
from steadyhand.actor.evaluate import Evaluation
from steadyhand.face.environments import EnvSource
from steadyhand.face.policy import Policy
from steadyhand.policy_file import runner_of
from steadyhand.remembered import recorded_config
from steadyhand.robot_envs.devices.operator import NoOperator
from steadyhand.runtime.build import ConfigError
from steadyhand.runtime.run_folder import RunFolder
from steadyhand.settings import compose_settings

__all__ = ["evaluate"]


def evaluate(
    policy: Policy | str | Path,
    env: gymnasium.Env[Any, Any] | str | None = None,
    *overrides: str,
    episodes: int = 50,
    seed: int = 0,
) -> Evaluation:
    """Evaluate a policy on seeded episodes, unassisted. Nothing is written; `steadyhand eval` keeps its result.

    Args:
        policy: The policy, or an argument of `Policy.load`.
        env: The first override, or an environment. Without it, and without overrides, the policy's run determines
            the environment, and how a gymnasium environment is wrapped.
        overrides: More overrides.
        episodes: Number of episodes; equal seeds give equal episodes.
        seed: Seed of the episodes' resets.

    Raises:
        ConfigError: No environment was given, and the policy was not loaded from a run.
        SchemaError: The policy reads what the environment does not give.
    """
    if not isinstance(policy, Policy):
        policy = Policy.load(policy, seed)
    source = EnvSource.of(env, overrides)
    recorded = not overrides and (env is None or (policy.run is not None and not isinstance(env, str)))
    config = _recorded_config(policy) if recorded else compose_settings(source.overrides).composed
    saved = policy.saved
    with source.opened(config) as opened:
        schema = env_schema(opened)
        weights = config["policy"].get("encoder_weights")
        runner = runner_of(saved, schema, seed, weights)
        return evaluation.evaluate(opened, schema, runner, episodes, seed, NoOperator())


def _recorded_config(policy: Policy) -> dict[str, Any]:
    """Return the configuration of the policy's run."""
    if policy.run is None:
        raise ConfigError("evaluate: expected an environment or overrides, found none; give task=... as in training")
    manifest = RunFolder(policy.run.parent, policy.run.name, create=False).read_manifest() or {}
    config = recorded_config(manifest)
    if config is None:
        raise ConfigError(f"{policy.run}: expected a manifest with a configuration, found none; give task=...")
    return config
