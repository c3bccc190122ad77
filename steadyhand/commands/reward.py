"""Make a reward from examples: record them, train a success classifier on them, and check it on other episodes."""

from __future__ import annotations

__all__ = ["EPILOG", "STEPS"]

STEPS = {  # a step's module is `steadyhand.reward.<name>`
    "record": "record examples of success and of its absence, marked by a button or by the task",
    "train": "train a success classifier on sets of examples, demo sets and practice logs",
    "check": "compare a reward with recorded episodes, and name those on which it is wrong",
}

EPILOG = (
    "docs/rewards.md describes each step.\n"
    "example: steadyhand reward record task=peg_insert camera=wrist_side run_name=pegs device=keyboard\n"
    "example: steadyhand reward train runs/pegs classifier.fields=[wrist] --output pegs.onnx\n"
    "example: steadyhand reward check runs/other reward.model=pegs.onnx"
)
