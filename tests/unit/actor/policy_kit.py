"""The policies of the point environment: untrained, spoiled, and one that walks to the goal."""

import numpy as np

from steadyhand.actor.env_schema import env_schema
from steadyhand.actor.policy_runner import PolicyRunner
from steadyhand.policies import InputSpec, Policy, PolicySpec
from steadyhand.runtime.clock import FakeClock
from steadyhand.transport.weights import Weights
from tests.unit.actor.point_env import PointEnv

SCHEMA = env_schema(PointEnv())
SPEC = PolicySpec(
    inputs=(InputSpec("position", (2,), "float32"), InputSpec("to_goal", (2,), "float32")),
    obs_horizon=3,
    action_size=2,
    hidden=(16,),
    layer_norm=False,
    activation="relu",
    encoder="none",
    latent_size=0,
    log_std_min=-5.0,
    log_std_max=2.0,
    log_std_start=None,
    normaliser={},
    encoder_hash="",
)


def weights_of(version=1, epoch=0, seed=7, spec=SPEC):
    return Weights(epoch, version, Policy(spec, seed).trainable_tensors())


def observation(value):
    return {name: np.full(2, value, np.float32) for name in ("position", "to_goal")}


def spoiled(change):
    weights = weights_of(9)
    change(weights.tensors)
    return weights


def not_finite(tensors):
    name = next(iter(tensors))
    tensors[name] = np.full_like(tensors[name], np.nan)


def walking_tensors(skilled=True):
    """The weights of a policy that walks to the goal, or of one that stands still."""
    tensors = {name: np.zeros_like(value) for name, value in Policy(SPEC).trainable_tensors().items()}
    first, _, last, _ = tensors
    # Inputs are the three positions, then the three ways to the goal; the newest one is at 10 and 11.
    for axis in range(2):
        for unit, sign in ((2 * axis, 1.0), (2 * axis + 1, -1.0)):
            tensors[first][unit, 10 + axis] = sign
            tensors[last][axis, unit] = 5.0 * sign * skilled
    return tensors


def walking_runner(skilled=True):
    runner = PolicyRunner(SPEC, SCHEMA, FakeClock(), seed=0)
    runner.offer(Weights(0, 1, walking_tensors(skilled)))
    return runner
