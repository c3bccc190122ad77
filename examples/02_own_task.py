"""Your own task, its scripted expert, and its settings in `config/task/line_up.yaml`.

The tool has to stop at a given height above a marker. In your own package `entry_point` is `my_package.tasks:LineUp`,
and `steadyhand demo --config-dir config experiment=line_up` also trains the task.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import steadyhand as sh
from steadyhand.robot_envs.frames import pose, pose_relative
from steadyhand.robot_envs.tasks.task import TOOL_DOWN, EpisodePlan, ObservedVector, Outcome
from steadyhand.runtime.config import use_config_dir


@dataclass(frozen=True)
class LineUpSettings:
    """The keys of `task.settings`; lengths in metres, base frame."""

    start_position_m: tuple[float, ...]
    marker_position_m: tuple[float, ...]
    marker_range_m: tuple[float, ...]
    height_m: float
    tolerance_m: float


class LineUp:
    """The task: the start of an episode, the observation of the marker, and success."""

    settings_type = LineUpSettings
    episode_settings = ("start_position_m", "marker_position_m", "marker_range_m")
    reward_terms = ("lined_up",)
    privileged = ("offset",)  # no sensor of a real cell measures it

    def __init__(self, settings: LineUpSettings) -> None:
        self.settings = settings
        self.observed = {"offset": ObservedVector(3, 1.0, "m", "tool", (0.1, 0.1, 0.1))}

    def begin(self, rng: np.random.Generator) -> EpisodePlan:
        """Place the marker at a random position in its range."""
        s = self.settings
        marker = pose(np.asarray(s.marker_position_m) + rng.uniform(-1.0, 1.0, 3) * s.marker_range_m)
        return EpisodePlan(pose(s.start_position_m, TOOL_DOWN)[None], np.array([0.02]), {"marker": marker})

    def observe(self, state, workpieces):
        """Return the offset to the tool's goal position, in the tool frame [m]. Shape (3,)."""
        return {"offset": self._offset(state, workpieces).astype(np.float32)}

    def evaluate(self, state, workpieces) -> Outcome:
        """Return success if the tool is near the goal position."""
        distance = float(np.linalg.norm(self._offset(state, workpieces)))
        success = distance < self.settings.tolerance_m
        return Outcome(float(success), success, distance, {"lined_up": float(success)})

    def truth(self, state, workpieces):
        """Return the privileged state for the expert."""
        return {"offset": self._offset(state, workpieces)}

    def _offset(self, state, workpieces):
        wanted = workpieces.pose_of("marker").copy()
        wanted[2] += self.settings.height_m
        return pose_relative(state.tcp_pose[0], wanted)[:3]


class LineUpExpert:
    """Scripted expert: it moves straight to the goal position."""

    def __init__(self, scale) -> None:
        self.scale = scale

    def reset(self, info) -> None:
        """Do nothing: the expert has no state."""

    def act(self, observation, info):
        """Return one step of the tool in its own frame. Shape (6,)."""
        action = np.zeros(6, np.float32)
        action[:3] = np.clip(info["truth"]["offset"] / self.scale.metres, -1.0, 1.0)
        return action


if __name__ == "__main__":
    use_config_dir(Path(__file__).parent / "config")
    done = sh.train("experiment=line_up", *sys.argv[1:], run="runs/line_up")
    print(sh.evaluate(done.run, episodes=20).success_rate, done.run)
