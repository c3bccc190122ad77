"""Film the first evaluation episodes, before and after practice side by side, into the run's media/."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from steadyhand.actor.policy_runner import use_one_thread
from steadyhand.film import film_policy, side_by_side, write_gif, write_views
from steadyhand.job import open_job
from steadyhand.output import check_output
from steadyhand.pipeline.evaluation import trained_policy
from steadyhand.policy_file import load_policy
from steadyhand.runtime.build import ConfigError
from steadyhand.subprocesses import end_with_parent
from steadyhand.terminal import say

EPILOG = (
    "Without a display set MUJOCO_GL=egl or MUJOCO_GL=osmesa.\n"
    "example: MUJOCO_GL=egl steadyhand film run_name=pegs --before runs/pegs/checkpoints/bc.safetensors"
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the option for the policy to compare with."""
    parser.add_argument("--before", type=Path, metavar="FILE", required=True, help="policy file for the left side")


def run(options: argparse.Namespace, overrides: Sequence[str]) -> int:
    """Film both policies."""
    use_one_thread()
    end_with_parent()
    job = open_job(overrides, create=False, remember=True)
    media = job.run.path / "media"
    check_output(media if not media.is_dir() else media / "film.gif", "run_name")
    if job.settings.demo.film_episodes == 0:
        raise ConfigError("demo.film_episodes: expected at least 1 episode to film, found 0")
    (left, _, _), (right, observation, period_s) = (
        film_policy(job, policy, job.seed) for policy in (load_policy(options.before), trained_policy(job))
    )
    write_gif(media / "film.gif", side_by_side(left, right), period_s)
    write_views(media, observation)
    say(f"{media / 'film.gif'}")
    return 0
