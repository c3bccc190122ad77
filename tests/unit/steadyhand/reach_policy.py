"""An untrained policy for the mock's reach, and its file."""

from functools import cache

from steadyhand.actor.env_schema import env_schema
from steadyhand.export import exported
from steadyhand.learner.policy_spec import build_policy_spec
from steadyhand.learner.saved_policy import SavedPolicy
from steadyhand.policies import Policy
from steadyhand.policies.config import PolicyConfig
from steadyhand.robot_envs.make import make_env
from steadyhand.runtime.build import build
from steadyhand.runtime.config import compose

OVERRIDES = ["task=reach", "device=none", "task.drive.max_steps=6", "logging.level=warning"]


@cache
def reach_policy() -> SavedPolicy:
    config = compose(OVERRIDES)
    spec = build_policy_spec(build(PolicyConfig, config["policy"], "policy"), env_schema(make_env(config, 0)), [])
    return SavedPolicy(spec, 1, 12, Policy(spec, seed=3).trainable_tensors())


@cache
def reach_file() -> bytes:
    config = compose(OVERRIDES)
    return exported(reach_policy(), env_schema(make_env(config, 0)), config["task"])
