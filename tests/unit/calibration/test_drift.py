import numpy as np
import pytest

from steadyhand.calibration.drift import edge_points, find_drift, points_at, stable_points
from steadyhand.runtime.calibration_file import CalibrationError
from tests.board_kit import SETTINGS

cv2 = pytest.importorskip("cv2")

WANTED = SETTINGS.drift


def scene(seed=0):
    """Return a picture of rectangles on a table (240, 320, 3)."""
    rng = np.random.default_rng(seed)
    picture = np.full((240, 320, 3), 140, np.uint8)
    for _ in range(25):
        corners = rng.uniform([0, 0], [320, 240], (1, 2)) + rng.uniform(-35, 35, (4, 2))
        cv2.fillConvexPoly(picture, cv2.convexHull(corners.astype(np.int32)), tuple(map(int, rng.integers(0, 255, 3))))
    return picture


def moved(picture, dx=0.0, dy=0.0, turn_deg=0.0):
    matrix = cv2.getRotationMatrix2D((160, 120), turn_deg, 1.0)
    matrix[:, 2] += (dx, dy)
    return cv2.warpAffine(picture, matrix, (320, 240), borderMode=cv2.BORDER_REPLICATE)


def relit(picture, gain=0.7, gamma=1.2):
    shadow = np.linspace(0.6, 1.0, 320)[None, :, None]
    return np.clip(255.0 * (picture / 255.0 * shadow) ** gamma * gain, 0, 255).astype(np.uint8)


def noisy(picture, seed=0):
    return np.clip(picture + np.random.default_rng(seed).normal(0, 2, picture.shape), 0, 255).astype(np.uint8)


def with_arm(picture, column):
    """Return the picture with an arm: a striped bar across it."""
    covered = picture.copy()
    covered[:, column : column + 50] = 200
    covered[::12, column : column + 50] = 30
    return covered


@pytest.mark.parametrize("motion", [{"dx": 2.0}, {"dy": -1.5}, {"turn_deg": 1.0}, {"dx": -7.0, "dy": 5.0}])
def test_a_moved_camera_is_found_under_other_light(motion):
    drift = find_drift(edge_points(scene(), WANTED), noisy(relit(moved(scene(), **motion))), WANTED)
    assert drift.moved
    if "turn_deg" not in motion:
        assert drift.motion_px == pytest.approx(np.hypot(motion.get("dx", 0.0), motion.get("dy", 0.0)), rel=0.1)


@pytest.mark.parametrize("seed", range(5))
def test_other_light_and_an_arm_elsewhere_are_no_motion(seed):
    reference = edge_points(with_arm(scene(seed), 40), WANTED)
    drift = find_drift(reference, noisy(relit(with_arm(scene(seed), 160)), seed), WANTED)
    assert not drift.moved
    assert drift.motion_px < 0.2


def test_points_on_the_arm_are_not_stable():
    reference = edge_points(with_arm(scene(), 40), WANTED)
    stable = stable_points(reference, with_arm(scene(), 160), WANTED)
    on_arm = (reference.places[:, 0] > 44) & (reference.places[:, 0] < 86)
    assert stable[on_arm].mean() < 0.1
    clear = (reference.places[:, 0] < 30) | ((reference.places[:, 0] > 100) & (reference.places[:, 0] < 140))
    assert stable[clear].mean() > 0.9


def test_an_arm_that_creeps_is_taken_for_motion_unless_it_is_left_out():
    """The twin: it is the choice of stable points that keeps an arm from looking like a moved camera."""
    empty = np.full((240, 320, 3), 140, np.uint8)
    empty[100:140:8] = 60
    first, second, third = (with_arm(empty, 100), with_arm(empty, 160), with_arm(moved(empty), 104))
    everything = edge_points(first, WANTED)
    chosen = everything.chosen(stable_points(everything, second, WANTED))
    assert not find_drift(chosen, third, WANTED).moved
    assert len(chosen.places) < len(everything.places)


def test_another_scene_is_refused_rather_than_judged():
    with pytest.raises(CalibrationError, match=r"at least 60 edge points .* the camera was moved far"):
        find_drift(edge_points(scene(0), WANTED), scene(9), WANTED)


def test_points_at_kept_places_are_the_same_points():
    points = edge_points(scene(), WANTED)
    again = points_at(scene(), points.places)
    assert again.normals == pytest.approx(points.normals)
    assert again.patches == pytest.approx(points.patches)
    assert len(points.places) <= WANTED.edges
