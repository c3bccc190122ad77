"""The benchmark's own judgement: a goal that is missed, and a solver that is better, are named."""

from copy import deepcopy

import pytest

from benchmarks.calibration_tables import OURS, goals_missed, markdown


def solver(mm, deg, failed=0):
    return {"mm": {"median": mm, "largest": 2 * mm}, "deg": {"median": deg, "largest": 2 * deg}, "failed": failed}


RESULTS = {
    "intrinsics": {
        "seeds": 2,
        "views": 20,
        "focal_percent": {"median": 0.02, "largest": 0.06},
        "centre_px": {"median": 0.1, "largest": 0.2},
        "goal_percent": 0.3,
    },
    "hand_eye": {
        "rows": {
            "noise": {"goal_mm": 1.5, "goal_deg": 0.3, "solvers": {OURS: solver(0.1, 0.02), "other": solver(1, 1)}}
        }
    },
    "drift": {"reach": {"found": {"3 mm": 20, "0.5 deg": 19}, "of": 20, "false_alarms": 0, "unmoved": 50}},
}


def changed(change):
    results = deepcopy(RESULTS)
    change(results)
    return results


def test_reached_goals_are_not_named_and_the_tables_have_all_rows():
    assert goals_missed(RESULTS) == []
    text = markdown(RESULTS)
    assert "| error of the focal length [%] | 0.020 | 0.060 | 0.3 |" in text
    assert "| other | 1.000 | 2.000 | 1.000 | 2.000 |" in text
    assert "| `reach` | 20 of 20 | 19 of 20 | 0 of 50 |" in text


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda r: r["intrinsics"]["focal_percent"].update(largest=0.4), "intrinsics: 0.400 %"),
        (lambda r: r["hand_eye"]["rows"]["noise"].update(goal_mm=0.15), "hand-eye, noise: 0.200 mm"),
        (
            lambda r: r["hand_eye"]["rows"]["noise"]["solvers"].update(other=solver(0.05, 1)),
            "other has a median of 0.05",
        ),
        (lambda r: r["hand_eye"]["rows"]["noise"]["solvers"].update({OURS: solver(0.1, 0.02, 1)}), "inf mm"),
        (lambda r: r["drift"]["reach"]["found"].update({"3 mm": 18}), "drift, reach"),
        (lambda r: r["drift"]["reach"].update(false_alarms=1), "drift, reach"),
    ],
)
def test_a_missed_goal_is_named(change, expected):
    assert any(expected in line for line in goals_missed(changed(change)))
