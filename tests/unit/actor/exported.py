"""The policy that walks to the goal of `PointEnv`, as a file."""

from functools import cache

from steadyhand.actor.env_schema import env_schema
from steadyhand.export import exported
from steadyhand.learner.saved_policy import SavedPolicy
from tests.unit.actor.point_env import PointEnv
from tests.unit.actor.policy_kit import SPEC, walking_tensors

VERSION = 70
TASK = {"kind": "gym"}


def walking_policy() -> SavedPolicy:
    return SavedPolicy(SPEC, 3, VERSION, walking_tensors())


@cache
def walking_file() -> bytes:
    return exported(walking_policy(), env_schema(PointEnv()), TASK)
