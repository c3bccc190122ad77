"""Overrides that choose the success classifier of an earlier run, with its rule of confirmation."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from steadyhand.earlier.run import find_run, lacks
from steadyhand.earlier.settings import CLASSIFIER, EarlierConfig
from steadyhand.job import quoted
from steadyhand.learner.prior import PriorDataError
from steadyhand.runtime.build import ConfigError, build
from steadyhand.runtime.component import present_name
from steadyhand.runtime.config import compose
from steadyhand.settings import run_root

__all__ = ["classifier_words"]

GROUPS = ("earlier", "run_root")
REWARD = "steadyhand.robot_envs.rewards.classifier:ClassifierReward"


def classifier_words(overrides: Sequence[str]) -> list[str]:
    """Return the overrides that give a run the classifier of its earlier run; [] if it takes none.

    A value that the overrides themselves give wins, as they come later.

    Raises:
        ConfigError: A setting of the earlier run is wrong, or the file of the classifier is gone.
        PriorDataError: There is no such run, or its reward is no classifier.
    """
    chosen = compose([word for word in overrides if word.lstrip("+~").partition("=")[0].partition(".")[0] in GROUPS])
    config = build(EarlierConfig, chosen["earlier"], "earlier")
    if CLASSIFIER not in config.parts:
        return []
    _, run = find_run(config, run_root(chosen))
    reward = (run.read_manifest() or {}).get("config", {}).get("reward") or {}
    if present_name(str(reward.get("entry_point"))) != REWARD:
        raise PriorDataError(lacks(run.path, CLASSIFIER, config))
    model = Path(str(reward["model"])).expanduser()
    if not model.is_file():
        raise ConfigError(
            f"earlier.take: expected the classifier of {run.path} at {model}, found no file; give its place with "
            "reward=classifier reward.model=FILE, and leave classifier out of earlier.take"
        )
    rule = {key: value for key, value in reward.items() if key not in ("entry_point", "model")}
    words = [f"reward.{key}={json.dumps(value)}" for key, value in rule.items()]
    return ["reward=classifier", f"reward.model={quoted(model.resolve())}", *words]
