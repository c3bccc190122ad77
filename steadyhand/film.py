"""Films of a policy before and after practice, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, repeat
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from steadyhand.actor.env_schema import env_schema
from steadyhand.actor.evaluate import evaluate
from steadyhand.actor.policy_runner import PolicyRunner
from steadyhand.job import Job
from steadyhand.learner.saved_policy import SavedPolicy
from steadyhand.pipeline.environment import opened_env
from steadyhand.pipeline.evaluation import runner_for
from steadyhand.robot_envs.devices.operator import NoOperator
from steadyhand.runtime.observation_kinds import IMAGE, kind_of
from steadyhand.training_settings import read_training_settings
from steadyhand.transport.record import OBSERVATION
from steadyhand.transport.schema import Schema

__all__ = ["SIDE", "FilmError", "Shot", "film", "film_policy", "side_by_side", "write_gif", "write_views"]

SIDE = "side"  # the camera that films
HOLD_FRAMES = 8  # repetitions of an episode's last image
STRIP_PX = 5
COLOURS = 128
SUCCESS, FAILURE = (46, 180, 160), (200, 70, 56)

Frame = NDArray[np.uint8]
Shot = tuple[list[Frame], bool]  # an episode's frames (h, w, 3), and whether it succeeded


class FilmError(RuntimeError):
    """A film cannot be made: the camera or the renderer is missing."""


def film_policy(job: Job, policy: SavedPolicy, seed: int) -> tuple[list[Shot], dict[str, Any], float]:
    """Film the first evaluation episodes of `seed`.

    Returns:
        The episodes; one observation, with every camera's image; the control period [s].

    Raises:
        FilmError: This environment has no camera, or this machine cannot render.
    """
    config, demo = job.settings.composed, job.settings.demo
    setup = job.settings.robot.setup
    cameras = () if setup is None else setup.type.cameras
    filmed = {name: view for name, view in demo.film_views.items() if not cameras or name in cameras}
    views = {**filmed, **config["camera"]["views"]}
    settings = read_training_settings({**config, "camera": {"views": views}})
    try:
        with opened_env(settings, seed) as env:
            schema = env_schema(env)
            if SIDE not in [field.name for field in schema.observation]:
                raise FilmError(f"this environment has no camera called {SIDE}")
            observation, _ = env.reset(seed=seed)
            shots = film(env, schema, runner_for(job, policy, env, seed), demo.film_episodes, seed)
            return shots, observation, schema.control_period_s
    except (RuntimeError, ImportError, OSError) as error:
        raise FilmError(str(error)) from error


def film(
    env: gymnasium.Env[Any, Any], schema: Schema, runner: PolicyRunner, episodes: int, seed: int, camera: str = SIDE
) -> list[Shot]:
    """Return the images of `camera` in the first `episodes` evaluation episodes of `seed`.

    Args:
        env: An environment with a camera of that name among its observations.
        schema: The schema of `env`.
        runner: The policy, with weights.
        episodes: Number of episodes.
        seed: The seed of `actor.evaluate.evaluate`: equal seeds give equal episodes.
        camera: The image's name in the observation.
    """
    frames: list[list[Frame]] = [[] for _ in range(episodes)]

    def keep(record: NDArray[np.void]) -> None:
        frames[int(record["episode_id"])].append(record[OBSERVATION + camera].copy())

    result = evaluate(env, schema, runner, episodes, seed, NoOperator(), append=keep)
    return [(shots, bool(row["success"])) for shots, row in zip(frames, result.rows, strict=False)]


def side_by_side(left: Sequence[Shot], right: Sequence[Shot]) -> list[Frame]:
    """Return one film of both. The shorter episode waits on its last image; a coloured strip shows the outcome."""
    joined: list[Frame] = []
    for (frames_a, success_a), (frames_b, success_b) in zip(left, right, strict=False):
        length = max(len(frames_a), len(frames_b)) + HOLD_FRAMES
        a, b = (_played(*shot, length) for shot in ((frames_a, success_a), (frames_b, success_b)))
        joined += [np.concatenate(pair, axis=1) for pair in zip(a, b, strict=True)]
    return joined


def write_gif(path: Path, frames: Sequence[Frame], period_s: float) -> None:
    """Write frames (h, w, 3) as an endless animation, in real time when the period is the control period."""
    # Median cut, the default, would give no colour to an object as small as the workpiece.
    way = Image.Quantize.MAXCOVERAGE
    images = [Image.fromarray(frame).quantize(COLOURS, way, dither=Image.Dither.NONE) for frame in frames]
    path.parent.mkdir(parents=True, exist_ok=True)
    images[0].save(
        path, save_all=True, append_images=images[1:], duration=round(period_s * 1000), loop=0, optimize=True
    )


def write_views(folder: Path, observation: dict[str, NDArray[Any]]) -> None:
    """Write every image of one observation as `view_<camera>.png`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, value in observation.items():
        if kind_of(value.shape, value.dtype) is IMAGE:
            Image.fromarray(value).save(folder / f"view_{name}.png", optimize=True)


def _played(frames: Sequence[Frame], success: bool, length: int) -> list[Frame]:
    last = frames[-1].copy()
    last[-STRIP_PX:] = SUCCESS if success else FAILURE
    return list(chain(frames[:-1], repeat(last, length - len(frames) + 1)))
