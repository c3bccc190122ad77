"""Steadyhand: teach a real robot arm a precise task. `import steadyhand as sh` gives the names below.

    make_env   the environment of a configuration, or any gymnasium environment as Steadyhand sees it
    record     demonstrations into a run folder
    train      learner and actor in this process, in lockstep, without sockets
    evaluate   a policy on seeded episodes, unassisted
    Policy     a trained policy: `Policy.load(run).act(observation)`
    read_log   a demo set or a log as arrays
    compose    the checked configuration of some overrides
    Learner    the learner on its own, for a program that brings its own link

A name is imported when it is first used, so `import steadyhand` is fast and needs no torch.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from steadyhand.face.configuration import compose
    from steadyhand.face.environments import make_env
    from steadyhand.face.evaluation import evaluate
    from steadyhand.face.policy import Policy
    from steadyhand.face.recorded import read_log
    from steadyhand.face.recording import record
    from steadyhand.face.training import train
    from steadyhand.learner.learner import Learner

__all__ = ["Learner", "Policy", "compose", "evaluate", "make_env", "read_log", "record", "train"]

_HOMES = {
    "Learner": "steadyhand.learner.learner",
    "Policy": "steadyhand.face.policy",
    "compose": "steadyhand.face.configuration",
    "evaluate": "steadyhand.face.evaluation",
    "make_env": "steadyhand.face.environments",
    "read_log": "steadyhand.face.recorded",
    "record": "steadyhand.face.recording",
    "train": "steadyhand.face.training",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(importlib.import_module(_HOMES[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
