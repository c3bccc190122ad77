"""The update of `algo=rlpd` from vectors, in jitted JAX: what another framework makes of the same products.

It runs by an interpreter that has numpy and jax, and nothing of this package. Its argument is a JSON object, the fields
of `Twin`. A number on a line of standard input asks for so many updates, and the answer says whether their losses were
finite. The algorithm is SAC (arXiv 1812.05905) with RLPD's critics (arXiv 2302.02948) and Adam (arXiv 1412.6980).
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

LR, TAU, B1, B2, EPSILON = 3e-4, 0.005, 0.9, 0.999, 1e-8
LOG_STD = (-5.0, 1.0)


@dataclass(frozen=True)
class Twin:
    """Sizes of an update: `slices` critic steps of `batch` rows each, then one step of policy and temperature."""

    state: int
    actions: int
    hidden: tuple[int, ...]
    critics: int
    drawn: int
    batch: int
    slices: int


def layers(key: Any, sizes: tuple[int, ...], members: int | None, norm: bool) -> list[dict[str, Any]]:
    """Return the weights of an MLP, or of `members` of them side by side."""
    lead = () if members is None else (members,)
    made = []
    for index, (fan_in, fan_out) in enumerate(pairwise(sizes)):
        key, own = jax.random.split(key)
        bound = (6.0 / (fan_in + fan_out)) ** 0.5
        layer = {"w": jax.random.uniform(own, (*lead, fan_in, fan_out), minval=-bound, maxval=bound)}
        layer["b"] = jnp.zeros((*lead, 1, fan_out))
        if norm and index < len(sizes) - 2:
            layer |= {"scale": jnp.ones((*lead, 1, fan_out)), "shift": jnp.zeros((*lead, 1, fan_out))}
        made.append(layer)
    return made


def forward(net: list[dict[str, Any]], x: Any) -> Any:
    """Return the outputs of an MLP, with LayerNorm where there are weights of it."""
    for layer in net[:-1]:
        x = x @ layer["w"] + layer["b"]
        if "scale" in layer:
            centred = x - x.mean(-1, keepdims=True)
            x = centred * jax.lax.rsqrt(jnp.square(centred).mean(-1, keepdims=True) + 1e-5)
            x = x * layer["scale"] + layer["shift"]
        x = jax.nn.relu(x)
    return x @ net[-1]["w"] + net[-1]["b"]


def sample(policy: Any, state: Any, key: Any) -> tuple[Any, Any]:
    """Return actions of the tanh-Gaussian and their log densities."""
    mean, log_std = jnp.split(forward(policy, state), 2, axis=-1)
    log_std = jnp.clip(log_std, *LOG_STD)
    noise = jax.random.normal(key, mean.shape)
    raw = mean + jnp.exp(log_std) * noise
    slope = 2.0 * (jnp.log(2.0) - raw - jax.nn.softplus(-2.0 * raw))
    return jnp.tanh(raw), (-0.5 * noise**2 - log_std - 0.5 * jnp.log(2.0 * jnp.pi) - slope).sum(-1)


def values(critics: Any, state: Any, action: Any) -> Any:
    """Return the values (N, B) of N critics."""
    return forward(critics, jnp.concatenate([state, action], -1)[None])[..., 0]


def adam(weights: Any, gradients: Any, moments: Any) -> tuple[Any, Any]:
    """Make one step of Adam."""
    first, second, count = moments
    count = count + 1.0
    first = jax.tree.map(lambda m, g: B1 * m + (1.0 - B1) * g, first, gradients)
    second = jax.tree.map(lambda m, g: B2 * m + (1.0 - B2) * g * g, second, gradients)
    scale = LR / (1.0 - B1**count)
    correction = 1.0 - B2**count

    def moved(w: Any, m: Any, v: Any) -> Any:
        return w - scale * m / (jnp.sqrt(v / correction) + EPSILON)

    return jax.tree.map(moved, weights, first, second), (first, second, count)


def fresh(weights: Any) -> Any:
    """Return the moments of Adam before its first step."""
    first, second = (jax.tree.map(jnp.zeros_like, weights) for _ in range(2))
    return first, second, jnp.zeros(())


def make_update(twin: Twin) -> Any:
    """Return the jitted update: (training state, block) -> (training state, metrics)."""

    def critic_step(carry: Any, batch: Any) -> Any:
        state, key = carry
        key, own, drawing = jax.random.split(key, 3)
        action, _ = sample(state["policy"], batch["next_state"], own)
        members = jax.random.permutation(drawing, twin.critics)[: twin.drawn]
        target_net = state["target"]
        if twin.drawn < twin.critics:
            target_net = jax.tree.map(lambda w: w[members], target_net)
        later = values(target_net, batch["next_state"], action).min(0)
        target = jnp.clip(batch["reward"] + batch["discount"] * later, 0.0, 1.0)

        def loss_of(critics: Any) -> Any:
            return jnp.square(values(critics, batch["state"], batch["action"]) - target).mean()

        loss, gradients = jax.value_and_grad(loss_of)(state["critics"])
        critics, moments = adam(state["critics"], gradients, state["critic_moments"])
        moved = jax.tree.map(lambda t, c: t + TAU * (c - t), state["target"], critics)
        return (state | {"critics": critics, "critic_moments": moments, "target": moved}, key), loss

    def update(state: Any, key: Any, block: Any) -> Any:
        slices = jax.tree.map(lambda x: x.reshape(twin.slices, twin.batch, *x.shape[1:]), block)
        (state, key), losses = jax.lax.scan(critic_step, (state, key), slices)
        key, own = jax.random.split(key)
        seen = slices["state"][-1]

        def loss_of(policy: Any) -> Any:
            action, density = sample(policy, seen, own)
            q = values(state["critics"], seen, action).min(0)
            return (jnp.exp(state["log_temperature"]) * density - q).mean(), density.mean()

        (loss, density), gradients = jax.value_and_grad(loss_of, has_aux=True)(state["policy"])
        policy, policy_moments = adam(state["policy"], gradients, state["policy_moments"])
        slope = jax.grad(lambda t: jnp.exp(t) * (-density + twin.actions / 2.0))(state["log_temperature"])
        temperature, moments = adam(state["log_temperature"], slope, state["temperature_moments"])
        state |= {"policy": policy, "policy_moments": policy_moments}
        state |= {"log_temperature": temperature, "temperature_moments": moments}
        return state, key, {"critic_loss": losses[-1], "policy_loss": loss}

    return jax.jit(update, donate_argnums=(0, 1))


def main() -> None:
    """Answer until standard input ends."""
    given = json.loads(sys.argv[1])
    twin = Twin(**given | {"hidden": tuple(given["hidden"])})
    keys = jax.random.split(jax.random.key(0), 3)
    policy = layers(keys[0], (twin.state, *twin.hidden, 2 * twin.actions), None, norm=False)
    critics = layers(keys[1], (twin.state + twin.actions, *twin.hidden, 1), twin.critics, norm=True)
    temperature = jnp.log(jnp.asarray(0.01))
    state = {
        "policy": policy,
        "policy_moments": fresh(policy),
        "critics": critics,
        "critic_moments": fresh(critics),
        "target": jax.tree.map(jnp.copy, critics),
        "log_temperature": temperature,
        "temperature_moments": fresh(temperature),
    }
    rng, rows = np.random.default_rng(0), twin.batch * twin.slices
    block = {
        "state": rng.normal(size=(rows, twin.state)).astype(np.float32),
        "action": rng.uniform(-1, 1, (rows, twin.actions)).astype(np.float32),
        "reward": rng.integers(0, 2, rows).astype(np.float32),
        "discount": np.full(rows, 0.97, np.float32),
        "next_state": rng.normal(size=(rows, twin.state)).astype(np.float32),
    }
    update, key = make_update(twin), keys[2]
    for _ in range(3):
        state, key, metrics = update(state, key, block)
    jax.block_until_ready(metrics)
    for line in sys.stdin:
        for _ in range(int(line)):
            state, key, metrics = update(state, key, block)
        finite = bool(np.isfinite(float(metrics["critic_loss"])) and np.isfinite(float(metrics["policy_loss"])))
        sys.stdout.write(json.dumps({"finite": finite}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
