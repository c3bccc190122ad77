"""An untrained policy for the mock's reach, and its file."""

from functools import cache

from actor.env_schema import env_schema
from learner.policy_spec import build_policy_spec
from learner.saved_policy import SavedPolicy
from policies import Policy
from policies.config import PolicyConfig
from robot_envs.make import make_env
from runtime.config import build, compose
from steadyhand.export import exported

OVERRIDES = ["task=reach", "device=none", "task.drive.max_steps=6", "logging.level=warning"]


@cache
def reach_policy() -> SavedPolicy:
    config = compose(OVERRIDES)
    spec = build_policy_spec(build(PolicyConfig, config["policy"], "policy"), env_schema(make_env(config, 0)), [], 0.1)
    return SavedPolicy(spec, 1, 12, Policy(spec, seed=3).trainable_tensors())


@cache
def reach_file() -> bytes:
    config = compose(OVERRIDES)
    return exported(reach_policy(), env_schema(make_env(config, 0)), config["task"])
