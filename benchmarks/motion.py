"""Figures of motion at transitions: creep of a hold, and speed steps at enable, takeover and hand-back.

`python -m benchmarks.motion` writes `benchmarks/results/motion.json`. Time is simulated, so the machine has no effect.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.machine import machine_line
from steadyhand.actor.arbiter import Arbiter
from steadyhand.robot_envs.env import RobotEnv
from steadyhand.robot_envs.make import make_env
from steadyhand.robot_envs.safety.command_stream import PoseStream
from steadyhand.robot_envs.safety.watchdog import Watchdog
from steadyhand.robot_envs.teachable import teachable
from steadyhand.settings import compose_settings

RESULTS = Path(__file__).parent / "results" / "motion.json"
DIRECTIONS = ((1, 0, 0), (0, 1, 0), (0, 0, 1), (0, 0, -1))
SETTLES_S, HELD_S = 1.0, 60.0
_NS = 1_000_000_000


def creep_mm(hold: Callable[[RobotEnv], None]) -> float:
    """Return the largest displacement [mm] of the true pose in 60 s of holding, from 1 s after the last motion."""
    farthest = 0.0
    for direction in DIRECTIONS:
        words = ["task=reach", "task.drive.max_steps=1000000", "safety.motion=null"]
        env = make_env(compose_settings(words).composed, 0)
        assert isinstance(env, RobotEnv)
        env.reset(seed=0)
        for _ in range(5):
            env.step(np.array([*direction, 0, 0, 0], np.float32))
        arm: Any = env.robot
        start = None
        for step in range(round((SETTLES_S + HELD_S) / env.control_period_s)):
            if step == round(SETTLES_S / env.control_period_s):
                start = arm.world.tcp_pose()[:3]
            hold(env)
            if start is not None:
                farthest = max(farthest, float(np.linalg.norm(arm.world.tcp_pose()[:3] - start)))
        env.close()
    return round(1e3 * farthest, 3)


def zero_action(env: RobotEnv) -> None:
    """Make one step of a released device, or of the operator's pause."""
    env.step(np.zeros(env.action_space.shape or (), np.float32))


def repeated_hold(env: RobotEnv) -> None:
    """Run one period of a loop that holds."""
    env.hold()
    env.clock.sleep_until(env.clock.now_ns() + round(env.control_period_s * _NS))


class Park:
    """Park once, then hold."""

    def __init__(self) -> None:
        self._parked: RobotEnv | None = None

    def __call__(self, env: RobotEnv) -> None:
        """Run one period of a break."""
        if self._parked is not env:
            env.park()
            self._parked = env
        repeated_hold(env)


def speed_steps_mm_s(hand_back: bool) -> list[float]:
    """Return the speed [mm/s] of each step of a takeover, or of its hand-back, with full actions along one axis."""
    settings = compose_settings(["task=reach"])
    env = make_env(settings.composed, 0)
    assert isinstance(env, RobotEnv)
    arbiter = Arbiter(teachable(env).motion_entries, settings.actor.hand_over, env.control_period_s)
    full = np.array([1, 0, 0, 0, 0, 0], np.float32)
    speed = 1e3 * env.config.action_scale_m / env.control_period_s
    period_ns, now, found = round(env.control_period_s * _NS), 0, []
    arbiter.reset()
    for step in range(30):
        now += period_ns
        person = full if 5 <= step < 10 else None
        decision = arbiter.decide(-full, person, now)
        if (5 <= step < 10) if not hand_back else step >= 10:
            found.append(round(speed * float(abs(decision.sent[0])), 1))
    env.close()
    moving = [value for value in found if value > 0.0]
    return moving[:5]


def enable_step_mm_s() -> float:
    """Return the largest change of target speed [mm/s] between two targets, from rest to the limit at 100 Hz."""
    chosen = compose_settings(["robot=mock_ros", "task=reach"])
    assert chosen.robot.profile is not None
    settings, limits = chosen.robot.profile.watchdog, chosen.safety
    watchdog = Watchdog(PoseStream(settings, limits), settings, limits.plausible, None)
    pose = np.array([0.5, 0.0, 0.25, 1.0, 0.0, 0.0, 0.0])
    period_s, now, targets = 1.0 / settings.controller_rate_hz, _NS, [pose]
    for tick in range(30):
        now += round(period_s * _NS)
        watchdog.measured(pose, np.zeros(7), now)
        if tick % 10 == 0:
            watchdog.command(pose + np.array([0.025 * (1 + tick // 10), 0, 0, 0, 0, 0, 0]), now)
        target = watchdog.tick(now)
        assert target is not None
        targets.append(target)
    speed = np.diff(np.array(targets)[:, 0]) / period_s
    return round(1e3 * float(np.abs(np.diff(speed, prepend=0.0)).max()), 1)


def main() -> None:
    """Measure, print, and write the figures."""
    figures = {
        "machine": machine_line(),
        "creep_mm_in_60_s": {
            "zero actions, or a pause": creep_mm(zero_action),
            "hold again and again": creep_mm(repeated_hold),
            "parked": creep_mm(Park()),
        },
        "speed_mm_s_of_each_step": {
            "takeover": speed_steps_mm_s(hand_back=False),
            "hand-back": speed_steps_mm_s(hand_back=True),
        },
        "largest_change_of_speed_mm_s_per_target_after_enable": enable_step_mm_s(),
    }
    print(json.dumps(figures, indent=2))
    RESULTS.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
