"""F26: weights are truncated, altered, old, of another network, or lead to nonsense. The policy in use stays."""

import hashlib

import numpy as np
import pytest

from steadyhand.actor import policy_runner
from steadyhand.actor.env_schema import env_schema
from steadyhand.actor.policy_runner import PolicyRunner
from steadyhand.policies import InputSpec, Policy, PolicySpec
from steadyhand.runtime.clock import FakeClock
from steadyhand.transport import weights as codec
from steadyhand.transport.uplink import WeightsBox
from steadyhand.transport.weights import DIGEST_BYTES, HEAD, Weights, encode
from tests.unit.actor.point_env import PointEnv

SPEC = PolicySpec(
    inputs=(InputSpec("position", (2,), "float32"), InputSpec("to_goal", (2,), "float32")),
    obs_horizon=1, action_size=2, hidden=(16,), layer_norm=False, activation="relu", encoder="none", latent_size=0,
    log_std_min=-5.0, log_std_max=2.0, log_std_start=0.0, normaliser={}, encoder_hash="",
)  # fmt: skip
EPOCH, VERSION = 3, 10
TENSORS = Policy(SPEC, 1).trainable_tensors()
NAME = next(name for name, value in TENSORS.items() if value.ndim == 2)
NEWER = encode(Weights(EPOCH, VERSION + 1, Policy(SPEC, 2).trainable_tensors()))
NEXT = encode(Weights(EPOCH, VERSION + 2, Policy(SPEC, 4).trainable_tensors()))


def with_tensor(value) -> dict:
    return {**TENSORS, NAME: value}


def nonsense() -> dict:
    """Finite weights that add up to infinity minus infinity."""
    signs = {name: np.where(np.arange(value.shape[-1]) % 2, -1.0, 1.0) for name, value in TENSORS.items()}
    return {
        name: np.broadcast_to(3e38 * (signs[name] if value.ndim == 2 else 1.0), value.shape).astype(np.float32)
        for name, value in TENSORS.items()
    }


def altered() -> bytes:
    raw = bytearray(NEWER)
    raw[-5] ^= 1
    return bytes(raw)


def unchecked(tensors) -> bytes:
    """What a learner without a check would send: the checksum fits, the numbers do not."""
    head = HEAD.pack(codec.MAGIC, EPOCH, VERSION + 1)
    body = codec.safetensors.numpy.save(tensors)
    return head + hashlib.sha256(head + body).digest() + body


BAD = {
    "empty": lambda: b"",
    "truncated head": lambda: NEWER[: HEAD.size + DIGEST_BYTES - 1],
    "truncated": lambda: NEWER[:-100],
    "altered": altered,
    "not finite": lambda: unchecked(with_tensor(np.full_like(TENSORS[NAME], np.nan))),
    "another shape": lambda: encode(Weights(EPOCH, VERSION + 1, with_tensor(TENSORS[NAME][:-1].copy()))),
    "a tensor missing": lambda: encode(Weights(EPOCH, VERSION + 1, {k: v for k, v in TENSORS.items() if k != NAME})),
    "a tensor too many": lambda: encode(Weights(EPOCH, VERSION + 1, {**TENSORS, "more": np.zeros(3, np.float32)})),
    "the same again": lambda: encode(Weights(EPOCH, VERSION, Policy(SPEC, 2).trainable_tensors())),
    "an older version": lambda: encode(Weights(EPOCH, VERSION - 1, Policy(SPEC, 2).trainable_tensors())),
    "an older start of the learner": lambda: encode(Weights(EPOCH - 1, 99, Policy(SPEC, 2).trainable_tensors())),
    "actions that are nonsense": lambda: encode(Weights(EPOCH, VERSION + 1, nonsense())),
}


class Receiver:
    """What an actor does with weights, from the bytes of a message to the policy in use."""

    def __init__(self) -> None:
        self.box = WeightsBox()
        self.runner = PolicyRunner(SPEC, env_schema(PointEnv()), FakeClock(), seed=0)
        assert self.take(encode(Weights(EPOCH, VERSION, TENSORS)))

    def take(self, raw: bytes) -> bool:
        self.box.put(raw)
        weights = self.box.take()
        return weights is not None and self.runner.offer(weights)

    def action(self) -> np.ndarray:
        self.runner.begin({name: np.full(2, 0.3, np.float32) for name in ("position", "to_goal")})
        return self.runner.act(True)


def applied(raw: bytes) -> int:
    """Return 1 when the weights took over, by what the policy does as much as by what is said of it."""
    receiver = Receiver()
    before = receiver.action()
    taken = receiver.take(raw)
    same = np.array_equal(before, receiver.action()) and receiver.runner.policy_version == VERSION
    assert taken != same
    assert receiver.take(NEXT), "what comes after them is served as ever"
    return int(taken)


@pytest.mark.parametrize("name", BAD)
def test_they_are_ignored_and_the_next_ones_are_not(name, record_property):
    count = applied(BAD[name]())
    record_property("applied", count)
    assert count == 0


def test_sound_ones_take_over():
    assert applied(NEWER) == 1


def test_refused_ones_are_counted():
    receiver = Receiver()
    for name in ("another shape", "a tensor missing", "actions that are nonsense"):
        receiver.runner.offer(codec.decode(BAD[name]()))
    assert receiver.runner.rejected == 3


@pytest.mark.parametrize("name", ["the same again", "an older version", "an older start of the learner"])
def test_without_the_order_old_ones_would_take_over(name, monkeypatch):
    monkeypatch.setattr(policy_runner, "newer", lambda a, b: True)
    receiver = Receiver()
    receiver.box = WeightsBox()  # one that has seen none
    assert receiver.take(BAD[name]())


def test_without_the_canary_nonsense_would_take_over(monkeypatch):
    monkeypatch.setattr(PolicyRunner, "_check_canary", lambda runner, seen: None)
    assert Receiver().take(BAD["actions that are nonsense"]())
