"""The mock robot: control steps per second, beside the rates of its physics and its renderer alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.measure import Plan, in_turns
from benchmarks.row import Row, not_measured, row, share_of_bound
from steadyhand.robot_envs.env import RobotEnv
from steadyhand.robot_envs.make import make_env
from steadyhand.runtime.config import compose

if TYPE_CHECKING:
    from steadyhand.robot_envs.mock.world import World

__all__ = ["rows"]

AREA = "mock"
# Episodes never end, because a reset is no control step.
ENDLESS = "task.drive.max_steps=1000000"
TASKS = {
    "reach": ("task=reach", ENDLESS, "task.settings.tolerance_m=0.000001"),
    "peg_insert": ("task=peg_insert", ENDLESS, "task.settings.success_depth_m=1.0"),
}
VIEWS, SIDE = ("wrist", "side"), 128
PHYSICS = "bound: the bare mj_step(nstep) of one control period"


def rows(plan: Plan) -> Iterable[Row]:
    """Yield the area's rows."""
    for task in TASKS:
        yield _without_images(plan, task)
    yield _with_images(plan)


def _without_images(plan: Plan, task: str) -> Row:
    env, world = _open(TASKS[task])
    import mujoco

    try:
        substeps = round(env.config.control_period_s / world.config.physics_timestep_s)
        bare_data = mujoco.MjData(world.model)
        mujoco.mj_copyData(bare_data, world.model, world.data)

        def bare() -> None:
            mujoco.mj_step(world.model, bare_data, nstep=substeps)

        found = in_turns(plan, {"step": _stepping(env), "bare": bare}, round_s=0.5)
    finally:
        env.close()
    own_ms = 1e3 * (found["step"] - found["bare"])
    name = f"steps/s, {task}, no images"
    note = f"{PHYSICS}, {substeps} substeps; gate, transforms, observation and task take {own_ms:.2f} ms a step"
    target = (share_of_bound(0.6),)
    return row(AREA, name, 1.0 / found["step"], "1/s", bound=1.0 / found["bare"], target=target, note=note)


def _with_images(plan: Plan) -> Row:
    name, target = f"steps/s, reach, two {SIDE}x{SIDE} views", (share_of_bound(0.8),)
    try:
        env, world = _open((*TASKS["reach"], "camera=wrist_side"))
    except (RuntimeError, ImportError) as error:
        return not_measured(AREA, name, "1/s", str(error), target)
    import mujoco

    try:
        renderers = {view: mujoco.Renderer(world.model, SIDE, SIDE) for view in VIEWS}

        def render() -> None:
            for view, renderer in renderers.items():
                renderer.update_scene(world.data, camera=view)
                renderer.render()

        found = in_turns(plan, {"step": _stepping(env), "render": render}, round_s=0.7)
        for renderer in renderers.values():
            renderer.close()
    finally:
        env.close()
    other_ms = 1e3 * (found["step"] - found["render"])
    note = f"bound: rendering both views and nothing else; physics and all the rest take {other_ms:.2f} ms a step"
    return row(AREA, name, 1.0 / found["step"], "1/s", bound=1.0 / found["render"], target=target, note=note)


def _open(overrides: Sequence[str]) -> tuple[RobotEnv, World]:
    """Open the mock, which chooses MuJoCo's renderer: import MuJoCo only afterwards."""
    from steadyhand.robot_envs.mock.robot import MockRobot

    env = make_env(compose(overrides), seed=0)
    assert isinstance(env, RobotEnv)
    assert isinstance(env.robot, MockRobot)
    return env, env.robot.world


def _stepping(env: RobotEnv) -> Callable[[], Any]:
    """Return a function that makes a control step with a small random action, reversed by the next: no contacts."""
    actions = _to_and_fro((env.action_space.shape or (0,))[0])
    env.reset(seed=0)

    def step() -> None:
        env.step(next(actions))
        assert env.stop_reason is None

    return step


def _to_and_fro(size: int) -> Iterator[NDArray[np.float32]]:
    rng = np.random.default_rng(0)
    while True:
        action = rng.uniform(-0.3, 0.3, size).astype(np.float32)
        yield action
        yield -action
