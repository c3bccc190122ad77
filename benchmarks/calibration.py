"""Accuracy of the camera calibration on rendered truth, beside other solvers on the same data.

    python -m benchmarks.calibration [--seeds 20] [--peer PYTHON] [--parts intrinsics,hand_eye,drift]

Writes `benchmarks/results/calibration.json` and the tables of `docs/calibration.md`; omitted parts stay unchanged.
`--peer` is an interpreter with kinhec and OpenCV 4 (OpenCV 5 has no hand-eye solvers). Exits 1 if a goal is missed.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.board_renderer import BoardRenderer
from benchmarks.calibration_scene import hand_eye_scene, random_camera, spread_views
from benchmarks.calibration_tables import OURS, goals_missed, markdown
from benchmarks.drift_scene import DriftScene
from benchmarks.machine import machine_line
from steadyhand.calibration.axxb import CLOSED_FORMS, relative_motions
from steadyhand.calibration.board import BoardError, Corners, corner_points, find_corners
from steadyhand.calibration.board_pose import board_poses
from steadyhand.calibration.drift import find_drift
from steadyhand.calibration.hand_eye import calibrate_hand_eye
from steadyhand.calibration.intrinsics import calibrate_intrinsics
from steadyhand.calibration.reference import reference_points
from steadyhand.calibration.rotations import (
    Rigid,
    angle_of,
    inverse,
    matrix_from_rotvec,
    pose_from_rigid,
    rigid_from_pose,
)
from steadyhand.robot_envs.frames import Array
from steadyhand.runtime.build import build
from steadyhand.runtime.calibration_file import CalibrationError
from steadyhand.runtime.calibration_settings import CalibrationSettings
from steadyhand.runtime.config import compose
from steadyhand.runtime.run_folder import atomic_write_json
from steadyhand.terminal import say

__all__ = ["main"]

ROOT = Path(__file__).resolve().parents[1]
FILE = ROOT / "benchmarks" / "results" / "calibration.json"
DOCS = ROOT / "docs" / "calibration.md"
START, END = "<!-- results -->\n", "<!-- end of results -->\n"
VIEWS = 20
# Noise of a corner [px], share of outlier poses, noise of the robot's pose [m], [rad], goals [mm], [deg].
NOISES = {
    "no noise": (0.0, 0.0, 0.0, 0.0, 0.5, 0.1),
    "0.5 px, 10 % outlier poses": (0.5, 0.1, 0.0, 0.0, 1.5, 0.3),
    "0.2 px, robot 0.2 mm and 0.5 mrad": (0.2, 0.0, 2e-4, 5e-4, None, None),
}
OUTLIER_M, OUTLIER_RAD = 0.03, 0.1  # standard deviation of an outlier pose, per axis
PARTS = ("intrinsics", "hand_eye", "drift")
DRIFT_TASKS, REFERENCES, NULLS = ("pick_place", "peg_insert"), 5, 50
MOVED_M, MOVED_RAD = 0.003, np.radians(0.5)


def intrinsics(settings: CalibrationSettings, seeds: int) -> dict[str, Any]:
    """Return the errors of the focal length and of the centre over random cameras."""
    focal, focal_z, centre = [], [], []
    for seed in range(seeds):
        rng = np.random.default_rng(seed)
        camera = random_camera(rng)
        shown = _rendered(
            settings, BoardRenderer(settings.board, camera), spread_views(rng, settings.board, camera, VIEWS)
        )
        found = calibrate_intrinsics(settings.board, [view for view in shown if view is not None], settings.pictures)
        error = found.camera.vector - camera.vector
        focal.append(100.0 * float(np.abs(error[:2] / camera.vector[:2]).max()))
        focal_z.append(float(np.abs(error[:2] / found.std[:2]).max()))
        centre.append(float(np.linalg.norm(error[2:4])))
        say(f"intrinsics {seed}: {focal[-1]:.3f} %")
    return {
        "seeds": seeds,
        "views": VIEWS,
        "focal_percent": _summary(focal),
        "centre_px": _summary(centre),
        "largest_error_in_deviations": max(focal_z),
        "goal_percent": 0.3,
    }


def hand_eye(settings: CalibrationSettings, seeds: int, peer: str | None) -> dict[str, Any]:
    """Return the errors of all solvers for each kind of noise."""
    scenes = [_scene(settings, seed) for seed in range(seeds)]
    results: dict[str, Any] = {"seeds": seeds, "views": VIEWS, "rows": {}}
    for row, noise in NOISES.items():
        errors: dict[str, list[Any]] = {OURS: []}
        errors |= {f"{OURS} {name}, closed form alone": [] for name in CLOSED_FORMS}
        problems, truths = [], []
        for seed, (camera, eye, shown, poses) in enumerate(scenes):
            rng = np.random.default_rng([seed, len(row)])
            shown, measured = _disturbed(rng, shown, poses, noise)
            robot, seen = rigid_from_pose(measured), board_poses(shown, corner_points(settings.board), camera)
            for name, form in CLOSED_FORMS.items():
                errors[f"{OURS} {name}, closed form alone"].append(_error(form(*relative_motions(robot, seen)), eye))
            try:
                found = calibrate_hand_eye(settings.board, shown, measured, camera, "tool", settings.hand_eye)
                errors[OURS].append(_error(rigid_from_pose(found.camera), eye))
            except CalibrationError as error:
                say(f"{row}, seed {seed}: {error}")
                errors[OURS].append(None)
            problems.append({"robot": _matrices(robot), "board": _matrices(seen)})
            truths.append(eye)
        for name, answers in _peers(peer, problems).items():
            errors[name] = [
                None if answer is None else _error((np.array(answer)[:3, :3], np.array(answer)[:3, 3]), truth)
                for answer, truth in zip(answers, truths, strict=True)
            ]
        results["rows"][row] = {
            "goal_mm": noise[4],
            "goal_deg": noise[5],
            "solvers": {name: _solver(found) for name, found in errors.items()},
        }
        say(f"hand-eye, {row}: {results['rows'][row]['solvers'][OURS]}")
    return results


def drift(settings: CalibrationSettings, seeds: int) -> dict[str, Any]:
    """Return detections of moved cameras, and false alarms under changed light, with the arm anywhere."""
    rows = {}
    for task in DRIFT_TASKS:
        rng = np.random.default_rng(0)
        moves = {"3 mm": 0, "0.5 deg": 0}
        false = 0
        with DriftScene(task) as scene:
            points = reference_points([scene.picture(rng, light=False) for _ in range(REFERENCES)], settings.drift)

            def moved(**motion: Array) -> bool:
                try:
                    return find_drift(points, scene.picture(rng, **motion), settings.drift).moved  # noqa: B023
                except CalibrationError:
                    return True

            for _ in range(NULLS):
                false += moved()
            for _ in range(seeds):
                axis = rng.normal(size=3)
                axis /= np.linalg.norm(axis)
                moves["3 mm"] += moved(shift=MOVED_M * axis)
                moves["0.5 deg"] += moved(turn=MOVED_RAD * axis)
        rows[task] = {"found": moves, "of": seeds, "false_alarms": false, "unmoved": NULLS}
        say(f"drift, {task}: {rows[task]}")
    return rows


def _scene(settings: CalibrationSettings, seed: int) -> Any:
    """Return camera, camera_in_tool, the rendered pictures' corners, and the TCP's poses."""
    rng = np.random.default_rng(100 + seed)
    camera = random_camera(rng)
    eye, _, views, poses = hand_eye_scene(rng, settings.board, camera, VIEWS, "tool")
    shown = _rendered(settings, BoardRenderer(settings.board, camera), views)
    kept = [number for number, view in enumerate(shown) if view is not None]
    return camera, eye, [shown[number] for number in kept], poses[kept]


def _rendered(settings: CalibrationSettings, renderer: BoardRenderer, views: Sequence[Rigid]) -> list[Corners | None]:
    shown: list[Corners | None] = []
    for view in views:
        try:
            wanted = settings.pictures
            shown.append(find_corners(settings.board, renderer.render(view), wanted.max_edge_px, wanted.min_corners))
        except BoardError:
            shown.append(None)
    return shown


def _disturbed(rng: np.random.Generator, shown: Sequence[Corners], poses: Array, noise: Any) -> Any:
    """Return corners and poses with noise, and some poses that are wrong."""
    corner_px, share, robot_m, robot_rad = noise[:4]
    shown = [replace(view, pixels=view.pixels + rng.normal(0.0, corner_px, view.pixels.shape)) for view in shown]
    turn, shift = rigid_from_pose(poses)
    shift = shift + rng.normal(0.0, robot_m, shift.shape)
    turn = turn @ matrix_from_rotvec(rng.normal(0.0, robot_rad, shift.shape))
    for number in rng.choice(len(poses), round(share * len(poses)), replace=False):
        shift[number] += rng.normal(0.0, OUTLIER_M, 3)
        turn[number] = turn[number] @ matrix_from_rotvec(rng.normal(0.0, OUTLIER_RAD, 3))
    return shown, pose_from_rigid((turn, shift))


def _matrices(rigid: Rigid) -> Any:
    matrices = np.tile(np.eye(4), (len(rigid[0]), 1, 1))
    matrices[:, :3, :3], matrices[:, :3, 3] = rigid
    return matrices.tolist()


def _error(found: Rigid, truth: Rigid) -> tuple[float, float]:
    """Return the error [mm] and [deg]."""
    apart = 1e3 * float(np.linalg.norm(found[1] - truth[1]))
    return apart, float(np.degrees(angle_of(inverse(truth)[0] @ found[0])))


def _solver(errors: Sequence[tuple[float, float] | None]) -> dict[str, Any]:
    solved = np.array([error for error in errors if error is not None])
    failed = len(errors) - len(solved)
    if len(solved) == 0:
        return {"failed": failed}
    return {"mm": _summary(solved[:, 0]), "deg": _summary(solved[:, 1]), "failed": failed}


def _peers(peer: str | None, problems: list[Any]) -> dict[str, Any]:
    if peer is None:
        return {}
    script = Path(__file__).with_name("hand_eye_peer.py")
    done = subprocess.run(
        [peer, str(script)], input=json.dumps(problems), capture_output=True, text=True, timeout=1800, check=True
    )
    answers: dict[str, Any] = json.loads(done.stdout)
    return answers


def _summary(values: Any) -> dict[str, float]:
    return {"median": float(np.median(values)), "largest": float(np.max(values))}


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, write the results, and say which goals are missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--peer", help="interpreter with kinhec and OpenCV 4")
    parser.add_argument("--parts", default=",".join(PARTS))
    options = parser.parse_args(argv)
    settings = build(CalibrationSettings, compose([])["calibration"], "calibration")
    results = json.loads(FILE.read_text(encoding="utf-8")) if FILE.exists() else {}
    results["machine"] = machine_line()
    parts = options.parts.split(",")
    if "intrinsics" in parts:
        results["intrinsics"] = intrinsics(settings, options.seeds)
    if "hand_eye" in parts:
        results["hand_eye"] = hand_eye(settings, options.seeds, options.peer)
    if "drift" in parts:
        results["drift"] = drift(settings, options.seeds)
    missed = goals_missed(results)
    results["missed"] = missed
    atomic_write_json(FILE, results)
    if DOCS.exists() and START in (text := DOCS.read_text(encoding="utf-8")):
        before, rest = text.split(START, 1)
        DOCS.write_text(f"{before}{START}\n{markdown(results)}{END}{rest.split(END, 1)[1]}", encoding="utf-8")
    for line in missed:
        say(f"missed: {line}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
