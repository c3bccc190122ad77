"""The distance between the shapes of two arms, against a dense sampling of their segments."""

import numpy as np
import pytest

from steadyhand.robot_envs.frames import quat_from_rotvec, quat_rotate
from steadyhand.robot_envs.safety.apart import ApartLimits, Capsule, KeepApart
from steadyhand.runtime.build import ConfigError, build
from steadyhand.runtime.config import compose

SAMPLES = np.linspace(0.0, 1.0, 81)


def shipped() -> ApartLimits:
    return build(ApartLimits, compose(["task=handover"])["safety"]["apart"], "safety.apart")


def random_pose(rng):
    return np.concatenate([rng.uniform(-0.3, 0.3, 3), quat_from_rotvec(rng.uniform(-2.0, 2.0, 3))])


def sampled_gap(limits: ApartLimits, first, second) -> float:
    clouds = []
    for pose in (first, second):
        points = []
        for shape in limits.shapes.values():
            start, end = np.array(shape.from_m), np.array(shape.to_m)
            line = start + SAMPLES[:, None] * (end - start)
            points.append((pose[:3] + quat_rotate(np.tile(pose[3:], (len(line), 1)), line), shape.radius_m))
        clouds.append(points)
    return min(
        float(np.linalg.norm(ours[:, None] - theirs[None], axis=2).min()) - radius - other_radius
        for ours, radius in clouds[0]
        for theirs, other_radius in clouds[1]
    )


@pytest.mark.parametrize("seed", range(8))
def test_the_gap_is_that_of_a_dense_sampling(seed):
    limits, rng = shipped(), np.random.default_rng(seed)
    first, second = random_pose(rng), random_pose(rng)
    nearest = KeepApart(limits).nearest(first.tolist(), second.tolist())
    assert nearest.gap_m == pytest.approx(sampled_gap(limits, first, second), abs=5e-4)
    assert np.linalg.norm(nearest.direction) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (((0, 0, 0), (0, 0, 0)), ((0, 0, 0), (0, 0, 0))),  # both are spheres
        (((0, 0, 0), (0, 0, 0)), ((-0.1, 0, 0), (0.1, 0, 0))),
        (((-0.1, 0, 0), (0.1, 0, 0)), ((0, 0, 0), (0, 0, 0))),
        (((-0.1, 0, 0), (0.1, 0, 0)), ((0.0, 0, 0), (0.3, 0, 0))),  # parallel
    ],
)
def test_spheres_and_parallel_capsules(first, second):
    shapes = [Capsule(*ends, radius_m=0.01) for ends in (first, second)]
    limits = [ApartLimits(0.02, 0.01, {"tool": shape}) for shape in shapes]
    both = ApartLimits(0.02, 0.01, {"one": shapes[0], "other": shapes[1]})
    pose = np.array([0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0])
    moved = pose + np.array([0.0, 0.2, 0.0, 0.0, 0.0, 0.0, 0.0])
    for one in (*limits, both):
        assert KeepApart(one).gap_m(np.array([pose, moved])) == pytest.approx(sampled_gap(one, pose, moved), abs=1e-6)


def test_the_direction_leads_from_the_first_arm_to_the_second():
    limits = ApartLimits(0.02, 0.01, {"tool": Capsule((0.0, 0.0, 0.0), (0.0, 0.0, 0.0), 0.05)})
    first, second = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0), (0.3, 0.0, 0.4, 0.0, 0.0, 0.0, 1.0)
    nearest = KeepApart(limits).nearest(first, second)
    assert nearest.gap_m == pytest.approx(0.4)
    assert nearest.direction == pytest.approx((0.6, 0.0, 0.8))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"stop_distance_m": 0.03}, "less than min_distance_m"),
        ({"min_distance_m": -0.01}, "min_distance_m"),
        ({"shapes": {}}, "at least one capsule"),
        ({"shapes": {"hand": {"from_m": [0, 0], "to_m": [0, 0, 0], "radius_m": 0.1}}}, "from_m: expected a list of 3"),
        ({"shapes": {"hand": {"from_m": [0, 0, 0], "to_m": [0, 0, 0], "radius_m": 0.0}}}, "radius_m"),
    ],
)
def test_wrong_numbers_are_refused_by_name(changes, reason):
    values = compose(["task=handover"])["safety"]["apart"] | changes
    with pytest.raises(ConfigError, match=reason):
        build(ApartLimits, values, "safety.apart")
