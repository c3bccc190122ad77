"""Write a trained policy as one ONNX file, which `steadyhand run` deploys without torch and without a learner."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from steadyhand.actor.env_schema import env_schema
from steadyhand.export import exported
from steadyhand.job import Job, open_job
from steadyhand.output import check_output
from steadyhand.pipeline.cloning import practice_logs
from steadyhand.pipeline.environment import opened_env
from steadyhand.pipeline.evaluation import trained_policy
from steadyhand.policy_file import load_policy
from steadyhand.remembered import with_run
from steadyhand.runtime.build import ConfigError
from steadyhand.runtime.logging import setup
from steadyhand.runtime.run_folder import atomic_write_bytes
from steadyhand.settings import Settings
from steadyhand.terminal import say
from steadyhand.training_settings import compose_training_settings
from steadyhand.transport.demo_set import is_demo_set, read_manifest
from steadyhand.transport.log_reader import LogReader
from steadyhand.transport.schema import Schema

EPILOG = (
    "The policy is the newest one of run_name=..., or the file that --checkpoint names. What was recorded for it, and\n"
    "what its actions mean, are looked up in the run; without a run they are those of the environment that task=...,\n"
    "camera=... and the rest describe. Without --output the file is policy.onnx in the run's folder, or here.\n"
    "example: steadyhand export run_name=pegs"
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options for the policy and the output file."""
    parser.add_argument("--checkpoint", type=Path, metavar="FILE", help="policy file; the run's newest one otherwise")
    parser.add_argument("--output", type=Path, metavar="FILE", help="the ONNX file to write")


def run(options: argparse.Namespace, overrides: Sequence[str]) -> int:
    """Write the file."""
    overrides = with_run(overrides)
    settings = compose_training_settings(overrides)
    setup(settings.logging.level)
    job = open_job(overrides, create=False, any_task=True) if settings.run_name else None
    if not (job or options.checkpoint):
        raise ConfigError("run_name: expected the run whose policy is exported, found none; or give --checkpoint FILE")
    path = options.output or (job.run.path if job else Path()) / "policy.onnx"
    check_output(path, "--output")
    policy = load_policy(options.checkpoint) if options.checkpoint or job is None else trained_policy(job)
    raw = exported(policy, _schema(job, settings), _task(job, settings), settings.policy.encoder_weights)
    atomic_write_bytes(path, raw)
    fields = ", ".join(item.key for item in policy.spec.inputs)
    say(f"{path}: policy version {policy.policy_version}, {len(raw) / 1e6:.1f} MB, reads {fields}")
    say(f"next: steadyhand run --policy {path} with the same task, camera and robot")
    return 0


def _task(job: Job | None, settings: Settings) -> dict[str, Any]:
    """Return the task that the run was started with, regardless of the command line."""
    manifest = job.run.read_manifest() if job else None
    task: dict[str, Any] = (manifest or {}).get("config", settings.composed)["task"]
    return task


def _schema(job: Job | None, settings: Settings) -> Schema:
    """Return the schema of the run's records, or without a run that of the configured environment."""
    if job and is_demo_set(job.run.demos):
        return read_manifest(job.run.demos).schema
    if job and (logs := practice_logs(job)):
        with closing(LogReader(logs[0])) as reader:
            return reader.schema
    with opened_env(settings, seed=0) as env:
        return env_schema(env)
