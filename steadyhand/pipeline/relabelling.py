"""New labels for the practice logs of a run, after its learned reward was replaced."""

from __future__ import annotations

import json
from pathlib import Path

from steadyhand.job import Job
from steadyhand.log_facts import log_folders
from steadyhand.reward_labels import reward_labels
from steadyhand.robot_envs.rewards.reward import Reward
from steadyhand.runtime.build import ConfigError
from steadyhand.runtime.component import Component
from steadyhand.runtime.logging import get_logger
from steadyhand.runtime.onnx_file import MissingRuntimeError
from steadyhand.runtime.run_folder import atomic_write_json
from steadyhand.terminal import say
from steadyhand.transport.label_log import append_label

__all__ = ["relabel_replaced"]

FILE = "reward.json"  # in the run's folder: the reward that has scored its practice logs
FINGERPRINT = "fingerprint"

logger = get_logger("relabelling")


def relabel_replaced(job: Job) -> int:
    """Score the run's practice logs anew if its learned reward is another one than at the learner's last start.

    Episodes on which a person has given a verdict afterwards stay as they are. A repetition changes nothing, so an
    interruption is made up for at the next start.

    Returns:
        Number of episodes whose labels changed.

    Raises:
        ConfigError: The reward does not fit the records.
        LabelError: A label log is damaged.
    """
    component = job.settings.reward
    if not isinstance(component, Component):
        return 0  # the user's own reward, which only the robot's machine can import
    try:
        reward = component.make()
    except (ConfigError, MissingRuntimeError) as error:
        logger.warning("practice logs keep their rewards, since the reward cannot be opened here: %s", error)
        return 0
    assert isinstance(reward, Reward)
    if not (reward.fingerprint and reward.relabels):
        return 0
    path = job.run.path / FILE
    earlier = _noted(path)
    changed = _relabel(job.run.log, reward) if earlier not in ("", reward.fingerprint) else 0
    if earlier != reward.fingerprint:
        atomic_write_json(path, {FINGERPRINT: reward.fingerprint})
    return changed


def _relabel(log: Path, reward: Reward) -> int:
    scored = changed = 0
    for folder in log_folders(log):
        labels, count = reward_labels(folder, reward, keep_verdicts=True)
        for label in labels:
            append_label(folder, label)
        scored, changed = scored + count, changed + len(labels)
    say(f"learner: the reward was replaced; {scored} episodes of practice scored anew, {changed} changed")
    return changed


def _noted(path: Path) -> str:
    try:
        return str(json.loads(path.read_text(encoding="utf-8"))[FINGERPRINT])
    except (OSError, ValueError, KeyError, TypeError):
        return ""
