"""A learner over logs that stand still, which writes down where it ends.

`python -m tests.faults.resume_run <run folder> <updates>`
"""

import dataclasses
import json
import sys
from contextlib import closing
from pathlib import Path

import safetensors.torch

from steadyhand.learner.learner import Learner
from steadyhand.learner.learner_settings import LearnerSettings
from steadyhand.runtime.run_folder import RunFolder
from steadyhand.training_settings import compose_training_settings
from tests.e2e.point_run import link
from tests.unit.learner.logs import session_id, write_episode, writer_in

SESSION = session_id(1)
LINK = dataclasses.replace(link(), segment_bytes=1 << 22)
OVERRIDES = (
    "policy.hidden=[32]",
    "policy.obs_horizon=2",
    "algo.batch_size=32",
    "algo.critic_hidden=[32]",
    "learner.device=cpu",
    "learner.utd_ratio=2.0",
    "learner.start_transitions=10",
    "learner.pretrain_updates=0",
    "learner.publish_period=10",
    "learner.log_period=10",
    "learner.checkpoint_period=40",
)


def learner_settings(**changes) -> LearnerSettings:
    settings = compose_training_settings(OVERRIDES)
    process = dataclasses.replace(settings.learner, **changes)
    return LearnerSettings(process, settings.algo, settings.policy, LINK, seed=0)


def prepare(folder: Path) -> None:
    """Write 40 episodes of practice, some steps of them a person's."""
    run = RunFolder(folder.parent, folder.name)
    writer = writer_in(run.log / SESSION, 1)
    for episode in range(40):
        write_episode(writer, episode, 8, "truncated" if episode % 3 else "terminated", human=(2, 5))
    writer.close()


def main(folder: str, updates: str, prefetch: str) -> None:
    run = RunFolder(Path(folder).parent, Path(folder).name)
    with closing(Learner(learner_settings(prefetch=prefetch == "prefetch"), run)) as learner:
        while (learner.loop is None or learner.loop.counters.updates < int(updates)) and learner.step():
            pass
        counters = dataclasses.asdict(learner.loop.counters)
        tensors = {name: value.clone() for name, value in learner.loop._algo.state_tensors().items()}
        (run.path / "end.safetensors").write_bytes(safetensors.torch.save(tensors))
    (run.path / "end.json").write_text(json.dumps(counters))


if __name__ == "__main__":
    main(*sys.argv[1:])
