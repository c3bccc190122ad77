"""A task that is learnt in seconds, as a user brings one: `task=gym task.entry_point=...`."""

from typing import Any

import numpy as np

from tests.unit.actor.point_env import STEP, PointEnv

HERE = "tests.unit.steadyhand.point_task"
OVERRIDES = [
    "task=gym",
    f"task.entry_point={HERE}:make",
    f"task.expert={HERE}:PointExpert",
    "task.reward=success",
    "task.terminate_on_success=true",
    "safety=default",
    "policy.hidden=[32,32]",
    "algo.critic_hidden=[32,32]",
    "algo.batch_size=32",
    "learner.pretrain_updates=100",
    "learner.start_transitions=20",
    "learner.utd_ratio=0.5",
    "actor.max_env_steps=150",
    "transport.segment_bytes=1048576",
    "demo.demos=5",
    "demo.eval_episodes=10",
    "demo.validation_episodes=5",
    "demo.fit.epochs=60",
    "demo.fit.candidates=3",
    "demo.bc.batch_size=32",
]


def make() -> PointEnv:
    return PointEnv()


class PointExpert:
    """Walks straight to the goal."""

    def reset(self, info: dict[str, Any]) -> None:
        pass

    def act(self, observation: dict[str, Any], info: dict[str, Any]) -> np.ndarray:
        return np.clip(observation["to_goal"] / STEP, -1, 1).astype(np.float32)
