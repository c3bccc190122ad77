"""Reference solvers of the hand-eye equation, for `benchmarks.calibration`: kinhec's, and those of OpenCV before 5.

This file runs alone, by an interpreter that has numpy, kinhec and OpenCV 4; a solver whose package is missing is left
out. Standard input has a list of problems, `{robot, board}`: matrices (n, 4, 4) of robot_i and board_in_camera_i with
robot_i X board_i = Y. Standard output has the list of X (4, 4) of each solver; null where it fails.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["main"]

Solver = Callable[[Any, Any], Any]


def _motions(robot: Any, board: Any) -> tuple[Any, Any]:
    first, second = np.triu_indices(len(robot), 1)
    return np.linalg.inv(robot[second]) @ robot[first], board[second] @ np.linalg.inv(board[first])


def _kinhec() -> dict[str, Solver]:
    try:
        from kinhec import solvers
    except ImportError:
        return {}
    forms = {
        f"kinhec {name}": lambda robot, board, form=form: form(*_motions(robot, board))
        for name, form in solvers.AXXB_SOLVERS.items()
    }

    def refined(robot: Any, board: Any) -> Any:
        a, b = _motions(robot, board)
        return solvers.refine_lm(a, b, solvers.park_martin(a, b), loss="huber")

    def ransac(robot: Any, board: Any) -> Any:
        return solvers.ransac_axxb(*_motions(robot, board), np.random.default_rng(0))[0]

    def world(robot: Any, board: Any) -> Any:
        # A_i X = Y B_i with B_i = camera_in_board.
        return solvers.shah(robot, np.linalg.inv(board))[0]

    def world_refined(robot: Any, board: Any) -> Any:
        seen = np.linalg.inv(board)
        return solvers.refine_lm_axyb(robot, seen, *solvers.shah(robot, seen), loss="huber")[0]

    forms |= {"kinhec refine_lm (huber)": refined, "kinhec ransac_axxb": ransac}
    return forms | {"kinhec shah": world, "kinhec refine_lm_axyb (huber)": world_refined}


def _opencv() -> dict[str, Solver]:
    try:
        import cv2
    except ImportError:
        return {}
    if not hasattr(cv2, "calibrateHandEye"):
        return {}

    def solved(robot: Any, board: Any, method: int) -> Any:
        turn, shift = cv2.calibrateHandEye(
            list(robot[:, :3, :3]), list(robot[:, :3, 3]), list(board[:, :3, :3]), list(board[:, :3, 3]), method=method
        )
        found = np.eye(4)
        found[:3, :3], found[:3, 3] = turn, shift.ravel()
        return found

    names = ("TSAI", "PARK", "HORAUD", "ANDREFF", "DANIILIDIS")
    return {
        f"OpenCV {cv2.__version__} {name.lower()}": lambda robot, board, name=name: solved(
            robot, board, getattr(cv2, f"CALIB_HAND_EYE_{name}")
        )
        for name in names
    }


def main() -> int:
    """Solve all problems with all solvers."""
    problems = [(np.array(row["robot"]), np.array(row["board"])) for row in json.load(sys.stdin)]
    answers: dict[str, list[Any]] = {}
    for name, solve in {**_kinhec(), **_opencv()}.items():
        answers[name] = []
        for robot, board in problems:
            try:
                found = np.asarray(solve(robot, board))
                answers[name].append(found.tolist() if np.isfinite(found).all() else None)
            except Exception:  # of any kind that another package may have: it is a failure of this solver alone
                answers[name].append(None)
    json.dump(answers, sys.stdout)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
