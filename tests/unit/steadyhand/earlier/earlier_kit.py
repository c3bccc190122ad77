"""An earlier run of `reach` with a checkpoint, demonstrations and practice, made without training."""

from functools import cache
from pathlib import Path

import numpy as np

from steadyhand.actor.env_schema import env_schema
from steadyhand.actor_id import identity_of
from steadyhand.earlier.run import EarlierRun, open_earlier
from steadyhand.job import Job, open_job
from steadyhand.learner.checkpoint import CheckpointFolder
from steadyhand.learner.policy_spec import build_policy_spec
from steadyhand.learner.saved_policy import SavedPolicy
from steadyhand.pipeline.recording import episode_settings
from steadyhand.policies import Policy
from steadyhand.robot_envs.make import make_env
from steadyhand.runtime.config import compose
from steadyhand.runtime.run_folder import RunFolder
from steadyhand.transport.demo_set import DemoManifest, write_manifest
from steadyhand.transport.log import LogWriter
from steadyhand.transport.record import Kind, Phase, record_dtype
from steadyhand.transport.run_identity import Identity, write_identity
from steadyhand.transport.schema import Schema
from tests.transport_kit import session_id

TASK = ("task=reach", "policy.hidden=[8]", "logging.level=warning")
FR3 = Identity(robot="mock_fr3", joints=7)
DEMO_SESSION, PRACTICE_SESSION, OWN_SESSION = 101, 102, 103


@cache
def schema() -> Schema:
    env = make_env(compose(TASK), 0)
    try:
        return env_schema(env)
    finally:
        env.close()


def job_of(root: Path, *words: str, name: str = "new") -> Job:
    """Open the run that starts from the earlier one."""
    return open_job([*TASK, f"run_root={root}", f"run_name={name}", *words])


def make_earlier(root: Path, *words: str, name: str = "old", weights: bool = True, records: bool = True) -> RunFolder:
    """Write a finished run with the parts that are asked for; return its folder."""
    job = job_of(root, *words, name=name)
    job.write_manifest()
    job.run.keep_run_id("ab" * 16)
    identity = FR3.filled(identity_of(job.settings.composed))
    if weights:
        spec = job.settings.algo.settings.adapt(build_policy_spec(job.settings.policy, schema(), ()))
        policy = SavedPolicy(spec, 1, 12, Policy(spec, seed=3).trainable_tensors(), identity.to_json())
        facts = {"schema": schema().to_json(), "identity": identity.to_json()}
        CheckpointFolder(job.run.checkpoints, 3).save(40, policy.to_files(), facts)
    if records:
        write_demos(job, job.run.demos, DEMO_SESSION)
        write_log(job.run.log / session_id(PRACTICE_SESSION), PRACTICE_SESSION, Phase.TRAIN)
    return job.run


def write_demos(job: Job, folder: Path, session: int, identity: Identity = FR3, of: Schema | None = None) -> None:
    """Write a demo set of the job's task, recorded on the robot of an identity."""
    write_log(folder, session, Phase.DEMO, of)
    task = job.settings.composed["task"]
    manifest = DemoManifest(
        schema=of or schema(),
        episodes=2,
        successes=2,
        steps=6,
        task=task,
        actor_id="arm",
        session_id=session_id(session),
        date="2026-01-02T03:04:05Z",
        expert="scripted",
        episode_settings=episode_settings(task),
    )
    write_manifest(folder, manifest)
    write_identity(folder, identity)


def write_log(folder: Path, session: int, phase: Phase, of: Schema | None = None) -> None:
    """Write two episodes of three steps, the last one with reward 1."""
    kind = of or schema()
    writer = LogWriter(folder, kind, "arm", session_id(session), 1 << 16)
    for episode in range(2):
        for step in range(4):
            row = np.zeros((), record_dtype(kind))
            row["episode_id"], row["step_index"], row["valid"], row["phase"] = episode, step, True, phase
            row["kind"] = Kind.FINAL if step == 3 else Kind.STEP
            if step == 2:
                row["terminated"], row["success"], row["reward"] = True, True, 1.0
            writer.append(row)
    writer.close()


def opened(job: Job) -> EarlierRun:
    return open_earlier(job.settings.earlier, job.settings.run_root, has_weights=False)
