"""The keep-apart rule at commanded poses: random and adversarial goals, beside twins without the rule."""

import itertools

import numpy as np
import pytest

from steadyhand.robot_envs.frames import quat_from_rotvec, quat_inverse, quat_multiply, rotvec_from_quat
from steadyhand.robot_envs.safety.apart import ApartLimits, Capsule, KeepApart
from steadyhand.robot_envs.safety.apart_shaper import ApartShaper
from steadyhand.robot_envs.safety.limits import SafetyLimits
from steadyhand.robot_envs.safety.shaper import PoseShaper
from steadyhand.robot_envs.tasks.task import TOOL_DOWN, TOOL_DOWN_TURNED
from steadyhand.runtime.build import build
from steadyhand.runtime.config import compose

PERIOD_S = 0.1
STARTS = np.array([[0.50, 0.0, 0.2, *TOOL_DOWN], [0.82, 0.0, 0.2, *TOOL_DOWN_TURNED]])
LIMITS = build(SafetyLimits, compose(["task=handover"])["safety"], "safety")
APART = KeepApart(LIMITS.apart)
MIN_M = LIMITS.apart.min_distance_m
ROUNDING_M = 1e-6


def shapers(limits=LIMITS):
    arms = []
    for start, arm in zip(STARTS, limits.each_arm, strict=True):
        shaper = PoseShaper(arm.linear, arm.angular, arm.region)
        shaper.begin(start)
        arms.append(shaper)
    return arms


def random_goals(rng):
    """Goals anywhere, held for one command up to two seconds."""
    while True:
        goals = np.array(
            [
                [*rng.uniform(arm.workspace_low_m, arm.workspace_high_m), *turned(rng, arm.nominal_quat)]
                for arm in LIMITS.each_arm
            ]
        )
        yield from itertools.repeat(goals, int(rng.choice([1, 3, 8, 20])))


def clashing_goals(rng):
    """Goals of an adversary: one place for both tools, which they reach from all sides, and turns at the same time."""
    while True:
        place = np.array([rng.uniform(0.55, 0.75), rng.uniform(-0.2, 0.2), rng.uniform(0.05, 0.35)])
        goals = np.array([[*place, *turned(rng, arm.nominal_quat)] for arm in LIMITS.each_arm])
        yield from itertools.repeat(goals, int(rng.choice([2, 5, 15])))


def chasing_goals(rng):
    """One arm flees at random, and the other one follows it; they change roles."""
    while True:
        chaser = int(rng.integers(2))
        for _ in range(int(rng.integers(5, 30))):
            place = np.array([rng.uniform(0.45, 0.85), rng.uniform(-0.3, 0.3), rng.uniform(0.05, 0.4)])
            goals = STARTS.copy()
            goals[1 - chaser, :3] = place
            goals[chaser, :3] = chasing_goals.poses[1 - chaser, :3]
            yield goals


def turned(rng, quat):
    axis = rng.normal(size=3)
    return quat_multiply(np.array(quat), quat_from_rotvec(axis * rng.choice([0.0, 0.2, 0.4]) / np.linalg.norm(axis)))


GOALS = {"random": random_goals, "clashing": clashing_goals, "chasing": chasing_goals}


def drive(step, kind, seed, steps):
    """Return the commanded poses of `step`. Shape (steps + 1, 2, 7)."""
    rng, poses = np.random.default_rng(seed), [STARTS]
    chasing_goals.poses = STARTS
    for goals in itertools.islice(GOALS[kind](rng), steps):
        poses.append(step(goals))
        chasing_goals.poses = poses[-1]
    return np.array(poses)


def kept(shaper):
    return lambda goals: shaper.step(goals, PERIOD_S)


def free(arms):
    return lambda goals: np.array([arm.step(goal, PERIOD_S) for arm, goal in zip(arms, goals, strict=True)])


def gaps(poses):
    return np.array([APART.gap_m(pose) for pose in poses])


def between(poses, parts):
    """Yield poses on the way from each command to the next: straight, and by the shortest turn."""
    for before, after in itertools.pairwise(poses):
        turn = rotvec_from_quat(quat_multiply(after[:, 3:], quat_inverse(before[:, 3:])))
        for share in np.arange(1, parts) / parts:
            quat = quat_multiply(quat_from_rotvec(share * turn), before[:, 3:])
            yield np.concatenate([before[:, :3] + share * (after[:, :3] - before[:, :3]), quat], axis=1)


@pytest.mark.parametrize("kind", GOALS)
@pytest.mark.parametrize("seed", range(2))
def test_commanded_shapes_never_come_nearer_than_the_distance(kind, seed):
    poses = drive(kept(ApartShaper(shapers(), APART)), kind, seed, 300)
    assert gaps(poses).min() >= MIN_M - ROUNDING_M
    assert gaps(list(between(poses, 4))).min() >= MIN_M - 1e-4


@pytest.mark.parametrize("kind", ["clashing", "chasing"])
def test_without_the_rule_the_same_goals_bring_them_into_each_other(kind):
    assert gaps(drive(free(shapers()), kind, 0, 300)).min() < 0.0


@pytest.mark.parametrize("kind", GOALS)
def test_each_arm_still_keeps_its_own_limits(kind):
    poses = drive(kept(ApartShaper(shapers(), APART)), kind, 5, 200)
    for index, arm in enumerate(LIMITS.each_arm):
        low, high = np.array(arm.workspace_low_m), np.array(arm.workspace_high_m)
        assert (poses[:, index, :3] >= low - 1e-6).all()
        assert (poses[:, index, :3] <= high + 1e-6).all()
        speed = np.linalg.norm(np.diff(poses[:, index, :3], axis=0), axis=1) / PERIOD_S
        assert speed.max() <= arm.max_tcp_speed_m_s + 1e-6


def test_far_from_each_other_it_changes_nothing():
    goals = STARTS + np.array([[0.02, 0.05, 0.03, 0, 0, 0, 0], [-0.02, 0.05, 0.03, 0, 0, 0, 0]])
    with_rule, without = ApartShaper(shapers(), APART), shapers()
    for _ in range(20):
        assert np.array_equal(with_rule.step(goals, PERIOD_S), free(without)(goals))


def test_an_arm_goes_up_to_the_distance_and_leaves_again():
    shaper = ApartShaper(shapers(), APART)
    goals = STARTS.copy()
    goals[0, 0] = 0.72  # beside the other tool
    for _ in range(60):
        poses = shaper.step(goals, PERIOD_S)
    assert APART.gap_m(poses) == pytest.approx(MIN_M, abs=0.01)
    for _ in range(40):
        poses = shaper.step(STARTS, PERIOD_S)
    assert poses[:, :3] == pytest.approx(STARTS[:, :3], abs=1e-3)


def test_from_too_near_the_arms_come_no_nearer_and_may_part():
    arms = shapers()
    near = STARTS.copy()
    near[0, 0], near[1, 0] = 0.64, 0.75
    first = APART.gap_m(near)
    assert 0.0 < first < MIN_M
    for arm, pose in zip(arms, near, strict=True):
        arm.begin(pose)
    shaper = ApartShaper(arms, APART)
    closer = near.copy()
    closer[:, 0] = 0.7
    found = [APART.gap_m(shaper.step(closer, PERIOD_S)) for _ in range(20)]
    assert min(found) >= first - ROUNDING_M
    for _ in range(40):
        poses = shaper.step(STARTS, PERIOD_S)
    assert APART.gap_m(poses) > MIN_M


def test_turning_alone_is_limited_too():
    limits = ApartLimits(0.02, 0.005, {"bar": Capsule((0.0, -0.2, 0.0), (0.0, 0.2, 0.0), 0.01)})
    apart, arms = KeepApart(limits), shapers()
    starts = np.array([[0.6, 0.0, 0.2, *TOOL_DOWN], [0.66, 0.0, 0.2, *TOOL_DOWN_TURNED]])
    for arm, pose in zip(arms, starts, strict=True):
        arm.begin(pose)
    shaper, goals = ApartShaper(arms, apart), starts.copy()
    goals[0, 3:] = quat_multiply(quat_from_rotvec(np.array([0.0, 0.0, 0.4])), starts[0, 3:])
    found = [apart.gap_m(shaper.step(goals, PERIOD_S)) for _ in range(30)]
    assert min(found) >= 0.02 - ROUNDING_M
    assert apart.gap_m(goals) < 0.0  # the goal itself is beyond
