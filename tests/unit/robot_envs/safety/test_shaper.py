"""Limits from command to command, checked by finite differences that are written apart from the product."""

import itertools

import numpy as np
import pytest

from steadyhand.robot_envs.frames import quat_from_rotvec, quat_inverse, quat_multiply, rotvec_from_quat
from steadyhand.robot_envs.safety import shaper as shaper_module
from steadyhand.robot_envs.safety.rate_limit import RateLimits, Rates
from steadyhand.robot_envs.safety.region import Extent, Region
from steadyhand.robot_envs.safety.shaper import PoseShaper, TwistShaper
from tests.robot_kit import TOOL_DOWN

LINEAR, ANGULAR = RateLimits(0.25, 5.0, 100.0), RateLimits(1.0, 20.0, 400.0)
LOW, HIGH = np.array([0.4, -0.1, 0.1]), np.array([0.6, 0.1, 0.3])
POINT = Extent((0.0, 0.0, 0.0), (0.0, 0.0, 0.0))
PEG = Extent((-0.02, -0.05, -0.05), (0.02, 0.05, 0.06))
START = np.concatenate([[0.5, 0.0, 0.2], TOOL_DOWN])
PERIODS = (0.1, 0.02, 0.01, 0.004)


def region(extent: Extent) -> Region:
    return Region(tuple(LOW), tuple(HIGH), tuple(TOOL_DOWN), 0.4, extent)


def corners(extent: Extent) -> np.ndarray:
    low, high = np.array(extent.low_m), np.array(extent.high_m)
    return np.where(np.array(list(itertools.product([False, True], repeat=3))), high, low)


def rotated(quat: np.ndarray, points: np.ndarray) -> np.ndarray:
    x, y, z, w = quat
    matrix = np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )
    return points @ matrix.T


def worst(poses: np.ndarray, period_s: float, extent: Extent) -> dict[str, float]:
    """The largest speed, acceleration and jerk as shares of their limits, and the distances outside [m], [rad]."""
    linear = np.diff(poses[:, :3], axis=0) / period_s
    angular = rotvec_from_quat(quat_multiply(poses[1:, 3:], quat_inverse(poses[:-1, 3:]))) / period_s
    found = {}
    for name, velocity, limits in (("linear", linear, LINEAR), ("angular", angular, ANGULAR)):
        pull = np.diff(np.vstack([np.zeros((1, 3)), velocity]), axis=0) / period_s
        jerk = np.diff(np.vstack([np.zeros((1, 3)), pull]), axis=0) / period_s
        for kind, values in (("speed", velocity), ("acceleration", pull), ("jerk", jerk)):
            found[f"{name} {kind}"] = np.linalg.norm(values, axis=1).max() / getattr(limits, kind)
    points = np.array([pose[:3] + rotated(pose[3:], corners(extent)) for pose in poses])
    found["outside"] = float(np.maximum(LOW - points, points - HIGH).max())
    found["tilt"] = float((2 * np.arccos(np.abs(poses[:, 3:] @ TOOL_DOWN).clip(0, 1))).max() - 0.4)
    return found


def goals(rng, n: int, where: Region, period_s: float):
    """Goals of an adversary: in corners and at random, held for one command up to a second, and turned round."""
    goal = START
    left = 0
    for _ in range(n):
        if left <= 0:
            left = int(rng.choice([1, 2, 5, max(1, 0.3 / period_s), max(1, 1.0 / period_s)]))
            turn = rng.normal(size=3)
            turn *= rng.choice([0.0, 0.1, 0.4]) / np.linalg.norm(turn)
            quat = quat_multiply(TOOL_DOWN, quat_from_rotvec(turn))
            at = rng.uniform(LOW, HIGH) if rng.random() < 0.3 else np.where(rng.random(3) < 0.5, LOW, HIGH)
            goal = np.concatenate([where.clip(at, quat), quat])
        left -= 1
        yield goal


def drive(period_s: float, extent: Extent, steps: int, seed: int) -> np.ndarray:
    shaper, rng = PoseShaper(LINEAR, ANGULAR, region(extent)), np.random.default_rng(seed)
    shaper.begin(START)
    return np.array([START, *(shaper.step(goal, period_s) for goal in goals(rng, steps, region(extent), period_s))])


@pytest.mark.parametrize("extent", [POINT, PEG], ids=["point", "peg"])
@pytest.mark.parametrize("period_s", PERIODS)
def test_an_adversary_breaks_no_limit(period_s, extent):
    found = worst(drive(period_s, extent, 1500, 0), period_s, extent)
    assert max(value for name, value in found.items() if " " in name) <= 1.0 + 1e-4, found
    assert found["outside"] <= 1e-6
    assert found["tilt"] <= 1e-6


def test_without_the_way_to_rest_the_box_would_be_left(monkeypatch):
    monkeypatch.setattr(shaper_module, "speed_to_stop_within", lambda distance, *_: LINEAR.speed)
    monkeypatch.setattr(shaper_module._Envelope, "_can_stop", lambda *_: True)
    assert worst(drive(0.01, POINT, 1500, 0), 0.01, POINT)["outside"] > 1e-3


def test_the_look_ahead_alone_keeps_the_box(monkeypatch):
    monkeypatch.setattr(shaper_module, "speed_to_stop_within", lambda distance, *_: LINEAR.speed)
    assert worst(drive(0.01, POINT, 1500, 0), 0.01, POINT)["outside"] <= 1e-6


def test_without_the_limited_approach_every_rate_would_be_broken(monkeypatch):
    def at_once(rates, wanted, limits, period_s):
        return Rates(wanted, tuple((w - v) / period_s for w, v in zip(wanted, rates.velocity, strict=True)))

    monkeypatch.setattr(shaper_module, "approach", at_once)
    found = worst(drive(0.01, POINT, 1500, 0), 0.01, POINT)
    assert found["linear acceleration"] > 2.0
    assert found["linear jerk"] > 2.0


@pytest.mark.parametrize("period_s", PERIODS)
def test_a_goal_is_reached_and_hardly_overshot(period_s):
    shaper = PoseShaper(LINEAR, ANGULAR, region(POINT))
    shaper.begin(START)
    goal = START + np.array([0.02, 0, 0, 0, 0, 0, 0])
    way = np.array([shaper.step(goal, period_s)[0] - START[0] for _ in range(round(0.4 / period_s))])
    assert way[-1] == pytest.approx(0.02, abs=1e-4)
    assert way.max() <= 0.02 + 2e-4


def test_at_the_control_rate_a_step_within_the_speed_limit_passes_unchanged():
    shaper = PoseShaper(LINEAR, ANGULAR, region(POINT))
    shaper.begin(START)
    rng, pose = np.random.default_rng(0), START
    for _ in range(200):
        step = rng.normal(size=3)
        step *= 0.025 * rng.uniform() / np.linalg.norm(step)
        goal = pose + np.array([*step, 0, 0, 0, 0])
        goal[:3] = goal[:3].clip(LOW, HIGH)
        pose = shaper.step(goal, 0.1)
        assert pose == pytest.approx(goal, abs=1e-9)


def test_from_outside_a_pose_leads_back_in():
    shaper = PoseShaper(LINEAR, ANGULAR, region(POINT))
    shaper.begin(np.concatenate([[0.65, 0.0, 0.2], TOOL_DOWN]))
    goal = np.concatenate([[0.59, 0.0, 0.2], TOOL_DOWN])
    way = [shaper.step(goal, 0.01)[0] for _ in range(60)]
    assert (np.diff(way) <= 1e-12).all()
    assert way[-1] == pytest.approx(0.59, abs=1e-3)


@pytest.mark.parametrize("period_s", [0.01, 0.004])
def test_a_twist_keeps_its_limits_and_stops_at_the_wall(period_s):
    shaper, rng = TwistShaper(LINEAR, ANGULAR, region(POINT)), np.random.default_rng(0)
    pose, twists = START.copy(), []
    wanted = np.zeros(6)
    for step in range(3000):
        if step % round(0.3 / period_s) == 0:
            wanted = rng.normal(size=6) * rng.choice([0.05, 0.5, 5.0])
        twist = shaper.step(wanted, pose, period_s)
        twists.append(twist)
        pose[:3] += twist[:3] * period_s
        pose[3:] = quat_multiply(quat_from_rotvec(twist[3:] * period_s), pose[3:])
        assert np.maximum(LOW - pose[:3], pose[:3] - HIGH).max() <= 1e-6
    for part, limits in ((slice(0, 3), LINEAR), (slice(3, 6), ANGULAR)):
        velocity = np.vstack([np.zeros(3), np.array(twists)[:, part]])
        pull = np.vstack([np.zeros(3), np.diff(velocity, axis=0) / period_s])
        assert np.linalg.norm(velocity, axis=1).max() <= limits.speed * (1 + 1e-6)
        assert np.linalg.norm(pull, axis=1).max() <= limits.acceleration * (1 + 1e-6)
        assert np.linalg.norm(np.diff(pull, axis=0), axis=1).max() / period_s <= limits.jerk * (1 + 1e-6)
