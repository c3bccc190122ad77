from dataclasses import replace

import pytest

from steadyhand.runtime.calibration_settings import CalibrationSettings
from tests.settings_kit import shipped

SETTINGS = shipped(CalibrationSettings, "calibration")


@pytest.mark.parametrize(
    ("part", "change", "expected"),
    [
        ("board", {"squares_y": 2}, "squares_y: expected a number within"),
        ("board", {"marker_m": 0.025}, "marker_m: expected less than square_m=0.025"),
        ("board", {"square_m": -1.0}, "square_m: expected a number above 0"),
        ("pictures", {"min_views": 3}, "min_views: expected at least 4"),
        ("pictures", {"outlier_ratio": 1.0}, "outlier_ratio: expected a number above 1"),
        ("hand_eye", {"min_poses": 3}, "min_poses: expected at least 4"),
        ("hand_eye", {"max_outlier_share": 0.5}, "max_outlier_share: expected a number within"),
        ("hand_eye", {"robot_position_std_m": 0.0}, "robot_position_std_m: expected a number above 0"),
        ("drift", {"min_likeness": 2.0}, "min_likeness: expected a number within"),
        ("drift", {"search_px": 1}, "search_px: expected at least 4"),
    ],
)
def test_impossible_numbers_are_refused(part, change, expected):
    with pytest.raises(ValueError, match=expected):
        replace(getattr(SETTINGS, part), **change)
