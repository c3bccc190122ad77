"""Environments as users bring them: one point in a box, in as many dialects as there are."""

from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

HERE = "tests.unit.robot_envs.odd_envs"
SIDE = 32


def box(low: float, high: float, shape: tuple[int, ...], dtype: Any = np.float32) -> spaces.Box:
    return spaces.Box(low, high, shape, dtype)


STATE = box(-1, 1, (4,))
FRAME = box(0, 255, (SIDE, SIDE, 3), np.uint8)


def beside(**parts: Any) -> spaces.Dict:
    return spaces.Dict({"state": STATE, **parts})


SPACES: dict[str, spaces.Space[Any]] = {
    "nested": spaces.Dict(pixels=spaces.Dict(front=FRAME, wrist=FRAME), agent_pos=STATE),
    "tuple": spaces.Tuple((STATE, spaces.Tuple((spaces.Discrete(2), box(-1, 1, ()))))),
    "discrete": beside(phase=spaces.Discrete(3)),
    "started": beside(phase=spaces.Discrete(3, start=-1)),
    "multi_discrete": beside(dial=spaces.MultiDiscrete([2, 3])),
    "binary": beside(touch=spaces.MultiBinary((2, 2))),
    "matrix": beside(pose=box(-np.inf, np.inf, (4, 4), np.float64)),
    "integers": beside(count=box(0, 9, (2,), np.int64)),
    "flags": beside(up=box(0, 1, (2,), np.bool_)),
    "float_image": beside(front=box(0, 1, (SIDE, SIDE, 3))),
    "float_bytes": beside(front=box(0, 255, (SIDE, SIDE, 3))),
    "signed_image": beside(front=box(-1, 1, (SIDE, SIDE, 3), np.float64)),
    "chw": beside(front=box(0, 255, (3, SIDE, SIDE), np.uint8)),
    "float_chw": beside(front=box(0, 1, (3, SIDE, SIDE))),
    "gray": beside(front=box(0, 255, (SIDE, SIDE), np.uint8)),
    "gray_hw1": beside(front=box(0, 255, (SIDE, SIDE, 1), np.uint8)),
    "batch_of_one": beside(front=box(0, 255, (1, SIDE, SIDE, 3), np.uint8)),
    "grid": beside(cells=box(0, 255, (5, 5, 4), np.uint8)),
    "frame_stack": beside(front=box(0, 255, (4, SIDE, SIDE, 3), np.uint8)),
    "gray_stack": beside(front=box(0, 255, (4, SIDE, SIDE), np.uint8)),
    "stacked_channels": beside(front=box(0, 255, (SIDE, SIDE, 12), np.uint8)),
    "rgba": beside(front=box(0, 255, (SIDE, SIDE, 4), np.uint8)),
    "depth16": beside(depth=box(0, 65535, (SIDE, SIDE, 1), np.uint16)),
    "depth_m": beside(depth=box(0, 10, (SIDE, SIDE))),
    "endless_image": beside(front=box(-np.inf, np.inf, (SIDE, SIDE, 3))),
    "text": beside(goal=spaces.Text(8)),
    "sequence": beside(points=spaces.Sequence(STATE)),
    "empty": beside(nothing=box(0, 1, (0,))),
    "bad_name": spaces.Dict({"state": STATE, "front camera": STATE}),
    "same_name": spaces.Dict({"state": STATE, "a/b": STATE, "a": spaces.Dict(b=STATE)}),
    "only_image": FRAME,
    "huge_discrete": beside(cell=spaces.Discrete(10**6)),
}
ACTIONS: dict[str, spaces.Space[Any]] = {
    "unbounded_action": box(-np.inf, np.inf, (2,)),
    "half_bounded_action": box(0, np.inf, (2,)),
    "wide_action": box(-20, 20, (2,), np.float64),
    "whole_action": box(-5, 5, (2,), np.int32),
    "batched_action": box(-1, 1, (1, 2)),
    "discrete_action": spaces.Discrete(4),
    "tuple_action": spaces.Tuple((box(-1, 1, (2,)), spaces.Discrete(2))),
    "binary_action": spaces.MultiBinary(2),
}


class OnGpu:
    """Refuses to become an array, as a tensor on a GPU does."""

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        raise TypeError("can't convert cuda:0 device type tensor to numpy")


class Point(gymnasium.Env[Any, Any]):
    """Two coordinates and a goal."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.observation_space = SPACES.get(kind, STATE)
        self.action_space = ACTIONS.get(kind, box(-1, 1, (2,)))
        self.actions: list[Any] = []
        self.buffer = np.zeros((SIDE, SIDE, 3), np.uint8)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.at, self.goal = self.np_random.uniform(-0.8, 0.8, (2, 2))
        self.steps = 0
        info: Any = {}
        if self.kind == "reset_without_info":
            return self.look()
        if self.kind == "reset_raises":
            raise ValueError("the simulator\nis not running")
        return self.look(), info

    def step(self, action):
        self.actions.append(action)
        self.at = np.clip(self.at + 0.1 * np.clip(np.asarray(action, np.float64).ravel(), -1, 1), -1, 1)
        self.steps += 1
        near = bool(np.linalg.norm(self.at - self.goal) < 0.1)
        late = self.steps >= 50
        if self.kind == "step_raises":
            raise KeyError("joint_7")
        if self.kind == "old_step":
            return self.look(), float(near), near, {"is_success": near}
        reward, success = self.reward(near), self.success(near)
        info = {} if success is None else success
        if self.kind == "array_ends":
            return self.look(), reward, np.array([near]), np.array([late]), info
        if self.kind == "several_ends":
            return self.look(), reward, np.array([near, near]), late, info
        if self.kind == "odd_progress":
            info["progress"] = "far"
        return self.look(), reward, near, late, info

    def reward(self, near: bool) -> Any:
        return {
            "array_reward": np.array([float(near)]),
            "reward_0d": np.array(float(near)),
            "several_rewards": np.array([float(near), 0.0]),
            "no_reward": None,
            "tensor_reward": OnGpu(),
            "whole_reward": int(near),
            "nan_reward": np.nan,
            "fetch": near - 1.0,
        }.get(self.kind, float(near))

    def success(self, near: bool) -> dict[str, Any] | None:
        return {
            "float_success": {"success": float(near)},
            "numpy_success": {"success": np.bool_(near)},
            "array_success": {"success": np.array([near, near])},
            "some_success": {"success": np.array([near, False])},
            "succeed": {"succeed": np.bool_(near)},
            "word_success": {"success": "yes"},
            "ragged_success": {"success": [[True], [True, False]]},
            "silent": {"distance": 1.0},
        }.get(self.kind, {"is_success": float(near)})

    def look(self) -> Any:
        state = np.concatenate([self.at, self.goal]).astype(np.float32)
        space = self.observation_space
        if self.kind == "reused_buffer":
            self.state = getattr(self, "state", np.zeros(4, np.float32))
            self.state[:] = state
            return self.state
        odd = {
            "wrong_shape": state[:3],
            "beyond_bounds": state * 10,
            "nan_observation": state * np.nan,
            "no_numbers": "state",
            "none_observation": None,
            "ragged_observation": [[0.0], [0.0, 1.0]],
            "tensor_observation": OnGpu(),
        }
        if self.kind in odd:
            return odd[self.kind]
        if self.kind == "tuple":
            return (state, (1, np.float32(0.5)))
        if not isinstance(space, spaces.Dict):
            return np.zeros(space.shape, space.dtype) if self.kind == "only_image" else state
        if self.kind == "nested":
            return {"pixels": {"front": self.buffer, "wrist": self.buffer}, "agent_pos": state}
        seen: dict[str, Any] = {name: self.part(part) for name, part in space.items()}
        return seen | {"state": state}

    def part(self, space: spaces.Space[Any]) -> Any:
        if isinstance(space, spaces.Discrete):
            return space.start + 1
        if isinstance(space, spaces.Box):
            low = np.where(np.isfinite(space.low), space.low, 0)
            return low.astype(space.dtype)
        self.np_random.random()
        return space.sample()


class Expert:
    """Walks straight to the goal, in the environment's own units."""

    def reset(self, info: Any) -> None:
        pass

    def act(self, observation: Any, info: Any) -> Any:
        if isinstance(observation, tuple):
            observation = observation[0]
        if isinstance(observation, dict):
            observation = observation.get("state", observation.get("agent_pos"))
        return np.clip(10 * (observation[2:4] - observation[:2]), -1, 1)


def make(kind: str = "plain", wrapped: bool = False) -> gymnasium.Env[Any, Any]:
    env: gymnasium.Env[Any, Any] = Point(kind)
    if wrapped:
        env = gymnasium.wrappers.TimeLimit(gymnasium.wrappers.RecordEpisodeStatistics(env), 20)
    return env


def make_none() -> None:
    return None


def make_several() -> Any:
    return gymnasium.vector.SyncVectorEnv([lambda: Point("plain")] * 2)


def make_raising() -> None:
    raise RuntimeError("no licence\nfound for the simulator")


def make_exiting() -> None:
    raise SystemExit(3)


class Old:
    """An environment of the older gym package: not one of gymnasium's."""

    observation_space, action_space = STATE, STATE


class Spaceless(gymnasium.Env[Any, Any]):
    """Forgot its spaces."""


class FixedExpert(Expert):
    """Always answers the same."""

    answer: Any = None

    def act(self, observation: Any, info: Any) -> Any:
        return self.answer


class LongExpert(FixedExpert):
    answer = np.zeros(3)


class NanExpert(FixedExpert):
    answer = np.array([0.0, np.nan])


class DictExpert(FixedExpert):
    answer = {"arm": 1.0}


class RaggedExpert(FixedExpert):
    answer = [[0.0], [0.0, 1.0]]


class SilentExpert(FixedExpert):
    pass


class RaisingExpert(Expert):
    def act(self, observation: Any, info: Any) -> Any:
        return observation["no such key"]


class HaltExpert:
    def act(self, observation: Any, info: Any) -> Any:
        return np.zeros(2)


class GreedyExpert(Expert):
    def __init__(self, size: int) -> None:
        self.size = size


not_callable = 5
