"""The action of every step: ask the policy, ask the operator, let the arbiter decide."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from steadyhand.actor.arbiter import Action, Arbiter, Decision
from steadyhand.actor.runner import NO_POLICY, Runner
from steadyhand.robot_envs.devices.operator import Operator

__all__ = ["ActionSelector", "Explorer"]

Observation = dict[str, NDArray[Any]]


class Explorer:
    """Bounded random actions (A,), uniform within +-`scale`."""

    def __init__(self, action_size: int, scale: float, seed: int) -> None:
        self._shape, self._scale = action_size, scale
        self._rng = np.random.default_rng(seed)

    def act(self) -> Action:
        """Return the next action, (A,) float32."""
        return self._rng.uniform(-self._scale, self._scale, self._shape).astype(np.float32)


class ActionSelector:
    """Selects the action of the policy or of the operator at every step of an episode.

    Args:
        operator: The operator: a person, or a scripted expert.
        arbiter: Decides between the two.
        runner: The policy; None when the operator demonstrates the whole task.
        deterministic: Whether to take the most likely action instead of a draw; it may change between episodes.
        explorer: Acts instead of the policy before its first weights.
    """

    def __init__(
        self,
        operator: Operator,
        arbiter: Arbiter,
        runner: Runner | None = None,
        deterministic: bool = False,
        explorer: Explorer | None = None,
    ) -> None:
        self._operator, self._arbiter = operator, arbiter
        self._runner, self.deterministic, self._explorer = runner, deterministic, explorer

    @property
    def policy_version(self) -> int:
        """Return the version of the weights in use; -1 without a policy."""
        return NO_POLICY if self._runner is None else self._runner.policy_version

    def begin(self, observation: Observation, info: dict[str, Any]) -> None:
        """Start an episode with the observation and info of the environment's reset."""
        self._arbiter.reset()
        self._operator.reset(info)
        if self._runner is not None:
            self._runner.begin(observation)

    def observe(self, observation: Observation) -> None:
        """Take in the observation after a step."""
        if self._runner is not None:
            self._runner.observe(observation)

    def select(self, observation: Observation, info: dict[str, Any], now_ns: int) -> Decision:
        """Return the action of this step and its source."""
        policy_action = self._propose()
        wish = self._operator.act(observation, info, policy_action)
        return self._arbiter.decide(policy_action, wish, now_ns)

    def _propose(self) -> Action | None:
        if self._runner is not None and self._runner.ready:
            return self._runner.act(self.deterministic)
        return None if self._explorer is None else self._explorer.act()
