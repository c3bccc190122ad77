"""The operator page's cost: the control period with and without an open page, and a picture's way to the page.

    python -m benchmarks.console [--rounds 3] [--steps 300]

A mock arm runs in real time at 15 Hz with two pictures of 480 x 640 in every observation. The page is a process of its
own on the same machine. Rounds without and with a page alternate, so that other load meets both.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

from benchmarks.measure import CLOCK
from steadyhand.actor.action_selector import ActionSelector, Explorer
from steadyhand.actor.arbiter import Arbiter
from steadyhand.actor.authority import AT_ONCE
from steadyhand.actor.control_loop import ControlLoop
from steadyhand.actor.env_schema import env_schema
from steadyhand.actor.events import Events, StepEnded
from steadyhand.actor.web.operator_page import OperatorPage
from steadyhand.robot_envs.devices.operator import NoOperator
from steadyhand.robot_envs.make import make_env
from steadyhand.robot_envs.teachable import teachable
from steadyhand.settings import compose_settings
from steadyhand.terminal import table_text
from steadyhand.transport.record import Phase

__all__ = ["main"]

SETTINGS = ("task=reach", "robot.world.pace=realtime", "actor.web.port=0", "task.drive.control_period_s=0.0667")
VIEWS = ("side", "wrist")
SIZE = (480, 640, 3)
PICTURES = 8  # different ones, in turn
START_S = 30.0


class Filmed(gymnasium.Wrapper[Any, Any, Any, Any]):
    """An environment whose observation also has pictures, as two real cameras would deliver them."""

    def __init__(self, env: gymnasium.Env[Any, Any]) -> None:
        super().__init__(env)
        assert isinstance(env.observation_space, spaces.Dict)
        pictures = {name: spaces.Box(0, 255, SIZE, np.uint8) for name in VIEWS}
        self.observation_space = spaces.Dict({**env.observation_space.spaces, **pictures})
        rows, columns = np.mgrid[: SIZE[0], : SIZE[1]]
        waves = [
            np.stack([(rows + 9 * n) % 256, (columns + 5 * n) % 256, (rows * columns // 99) % 256], -1)
            for n in range(PICTURES)
        ]
        self._pictures = [wave.astype(np.uint8) for wave in waves]
        self._count = 0

    def reset(self, **kwargs: Any) -> tuple[Any, dict[str, Any]]:
        """Reset, with pictures."""
        observation, info = self.env.reset(**kwargs)
        return self._with_pictures(observation), info

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Step, with pictures."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        return self._with_pictures(observation), reward, terminated, truncated, info

    def _with_pictures(self, observation: Any) -> Any:
        self._count += 1
        return observation | dict.fromkeys(VIEWS, self._pictures[self._count % PICTURES])


@dataclass
class Side:
    """The figures of the rounds with, or without, an open page."""

    periods_ms: list[float] = field(default_factory=list)
    work_ms: list[float] = field(default_factory=list)
    way_ms: list[float] = field(default_factory=list)  # of the pictures


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="rounds without and with a page")
    parser.add_argument("--steps", type=int, default=300, help="control steps of a round")
    options = parser.parse_args(argv)
    sides = {"no page": Side(), "one page": Side()}
    for _ in range(options.rounds):
        for name, side in sides.items():
            _round(side, options.steps, name == "one page")
    sys.stdout.write(f"{table_text(('', *HEAD), [(name, *_cells(side)) for name, side in sides.items()])}\n")
    return 0


HEAD = ("period p50 [ms]", "p99 [ms]", "max [ms]", "own work p99 [ms]", "pictures", "picture p50 [ms]", "p99 [ms]")


def _cells(side: Side) -> list[str]:
    periods = [f"{np.percentile(side.periods_ms, at):.2f}" for at in (50, 99, 100)]
    way = [f"{np.percentile(side.way_ms, at):.1f}" if side.way_ms else "-" for at in (50, 99)]
    return [*periods, f"{np.percentile(side.work_ms, 99):.2f}", str(len(side.way_ms)), *way]


def _round(side: Side, steps: int, is_open: bool) -> None:
    settings, events = compose_settings((*SETTINGS, f"task.drive.max_steps={steps}")), Events()
    config = settings.actor.web
    assert config is not None
    env = Filmed(make_env(settings.composed, seed=0))
    with tempfile.TemporaryDirectory() as folder:
        page = OperatorPage(config, events, "benchmark", Path(folder))
        page.start()
        sent: list[int] = []  # when each observation was delivered; a picture's number counts them from 1
        stamps: list[int] = []
        events.subscribe(StepEnded, lambda event: sent.append(CLOCK.now_ns()))
        events.subscribe(StepEnded, lambda event: stamps.append(event.stamp_ns))
        ours, theirs = multiprocessing.get_context("spawn").Pipe()
        client = multiprocessing.get_context("spawn").Process(target=_watch, args=(page.address, theirs))
        if is_open:
            client.start()
            assert ours.poll(START_S)
            ours.recv()
        schema = env_schema(env)
        loop = ControlLoop(env, schema, lambda record: None, events=events)
        arbiter = Arbiter(teachable(env).motion_entries, AT_ONCE, schema.control_period_s)
        loop.run_episode(0, Phase.TRAIN, ActionSelector(NoOperator(), arbiter, explorer=Explorer(6, 0.01, 0)), seed=0)
        page.stop()
        if is_open:
            received = dict(ours.recv())
            client.join()
            # Number 1 is the observation of the reset.
            side.way_ms += [(received[n + 2] - at) / 1e6 for n, at in enumerate(sent) if n + 2 in received]
        side.periods_ms += [float(ns) / 1e6 for ns in np.diff(stamps)]
        side.work_ms.append(loop.compute.percentiles().p99_ms)
    env.close()


def _watch(address: str, answer: Connection) -> None:
    """Receive as the page does, and return when each picture of the first view arrived."""
    from websockets.exceptions import ConnectionClosed
    from websockets.sync.client import connect

    own, _, token = address.partition("/#")
    received: list[tuple[int, int]] = []
    with connect(f"{own.replace('http', 'ws', 1)}/socket", origin=own, compression=None, max_size=None) as socket:  # type: ignore[arg-type]
        socket.send(json.dumps({"type": "hello", "token": token}))
        socket.recv()
        answer.send(None)
        try:
            for data in socket:
                if isinstance(data, bytes) and data[0] == 0:
                    received.append((int.from_bytes(data[9:13], "little"), CLOCK.now_ns()))
        except ConnectionClosed:
            pass
    answer.send(received)


if __name__ == "__main__":
    raise SystemExit(main())
