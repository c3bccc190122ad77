"""The tables of the calibration's benchmark, and the goals that its results miss."""

from __future__ import annotations

from typing import Any

__all__ = ["OURS", "goals_missed", "markdown"]

OURS = "steadyhand"


def markdown(results: dict[str, Any]) -> str:
    """Return the tables of the documentation."""
    lines = []
    if found := results.get("intrinsics"):
        lines += [
            f"Intrinsics, {found['seeds']} random cameras, {found['views']} rendered views each:",
            "",
            "| quantity | median | largest | goal |",
            "|---|---|---|---|",
            f"| error of the focal length [%] | {_cells(found['focal_percent'], 3)} | {found['goal_percent']} |",
            f"| error of the centre [px] | {_cells(found['centre_px'], 2)} | |",
            "",
        ]
    for row, found in results.get("hand_eye", {}).get("rows", {}).items():
        goal = "" if found["goal_mm"] is None else f"; goal {found['goal_mm']} mm, {found['goal_deg']} deg"
        lines += [
            f"Hand-eye, {row}{goal}:",
            "",
            "| solver | median [mm] | largest [mm] | median [deg] | largest [deg] |",
        ]
        lines += ["|---|---|---|---|---|"]
        for name, solver in found["solvers"].items():
            failed = f" (failed {solver['failed']} times)" if solver["failed"] else ""
            cells = "- | - | - | -" if "mm" not in solver else f"{_cells(solver['mm'], 3)} | {_cells(solver['deg'], 3)}"
            lines.append(f"| {name}{failed} | {cells} |")
        lines.append("")
    if found := results.get("drift"):
        lines += ["Moved camera, arm anywhere, changed light:", ""]
        lines += [
            "| cell of | moved by 3 mm, found | turned by 0.5 deg, found | unmoved, false alarms |",
            "|---|---|---|---|",
        ]
        for task, row in found.items():
            cells = " | ".join(f"{row['found'][move]} of {row['of']}" for move in ("3 mm", "0.5 deg"))
            lines.append(f"| `{task}` | {cells} | {row['false_alarms']} of {row['unmoved']} |")
        lines.append("")
    return "\n".join(lines)


def _cells(summary: dict[str, float], digits: int) -> str:
    return f"{summary['median']:.{digits}f} | {summary['largest']:.{digits}f}"


def goals_missed(results: dict[str, Any]) -> list[str]:
    """Return the goals that are missed, in words."""
    missed = []
    if (found := results.get("intrinsics")) and found["focal_percent"]["largest"] > found["goal_percent"]:
        missed.append(f"intrinsics: {found['focal_percent']['largest']:.3f} %")
    for row, found in results.get("hand_eye", {}).get("rows", {}).items():
        ours = found["solvers"][OURS]
        for unit in ("mm", "deg"):
            largest = ours[unit]["largest"] if not ours["failed"] else float("inf")
            if found[f"goal_{unit}"] is not None and largest > found[f"goal_{unit}"]:
                missed.append(f"hand-eye, {row}: {largest:.3f} {unit}")
            for name, solver in found["solvers"].items():
                if unit in solver and solver[unit]["median"] < ours[unit]["median"]:
                    missed.append(
                        f"hand-eye, {row}: {name} has a median of {solver[unit]['median']:.4f} {unit}, "
                        f"{OURS} {ours[unit]['median']:.4f}"
                    )
    for task, row in results.get("drift", {}).items():
        wrong = [move for move, count in row["found"].items() if count < 0.95 * row["of"]]
        if wrong or row["false_alarms"]:
            missed.append(f"drift, {task}: {row}")
    return missed
