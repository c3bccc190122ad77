"""The policy that walks to the goal of `PointEnv`, as a file."""

from functools import cache

import numpy as np

from steadyhand.actor.env_schema import env_schema
from steadyhand.export import exported
from steadyhand.learner.saved_policy import SavedPolicy
from steadyhand.policies import Policy
from tests.unit.actor.point_env import PointEnv
from tests.unit.actor.test_policy_runner import SPEC

VERSION = 70
TASK = {"kind": "gym"}


def walking_policy() -> SavedPolicy:
    tensors = {name: np.zeros_like(value) for name, value in Policy(SPEC).trainable_tensors().items()}
    first, _, last, _ = tensors
    # Inputs are the three positions, then the three ways to the goal; the newest one is at 10 and 11.
    for axis in range(2):
        for unit, sign in ((2 * axis, 1.0), (2 * axis + 1, -1.0)):
            tensors[first][unit, 10 + axis] = sign
            tensors[last][axis, unit] = 5.0 * sign
    return SavedPolicy(SPEC, 3, VERSION, tensors)


@cache
def walking_file() -> bytes:
    return exported(walking_policy(), env_schema(PointEnv()), TASK)
