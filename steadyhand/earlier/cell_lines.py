"""Lines of the account about the cell: cameras, calibration, tool."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from steadyhand.earlier.line import DIFFERS, FITS, REFUSED, UNKNOWN, Line, joined
from steadyhand.earlier.run import EarlierRun
from steadyhand.job import Job
from steadyhand.learner.saved_policy import SavedPolicy
from steadyhand.runtime.calibration_file import days_since
from steadyhand.transport.schema import Schema

__all__ = ["calibration_line", "cameras_line", "tool_line"]

PICTURE = ("height", "width", "crop")  # settings of a view that change what a pixel shows
TOOL = ("extent", "extents", "scene.tool", "scene.tools")  # of the task


def cameras_line(job: Job, earlier: EarlierRun, schema: Schema | None) -> Line:
    """Compare the views. Other pixels are refused where the policy reads them."""
    old, new = (_views(config) for config in (earlier.config, job.settings.composed))
    read = None
    if earlier.checkpoint is not None:
        spec = SavedPolicy.from_files(earlier.checkpoint.files).spec
        read = {item.key for item in spec.inputs if item.is_frame}
    if not old and not new:
        return Line("cameras", FITS, "none")
    if read is not None and not read:
        return Line("cameras", FITS, "the policy reads none")
    if not new:
        return Line("cameras", UNKNOWN, "none configured here; the learner compares the pictures of the first actor")
    changes = list(_changes(old, new))
    pixels = [key for key, _, _ in changes if any(part in PICTURE for part in key.split("."))]
    told = _told(changes)
    if [key for key in pixels if read is None or key.partition(".")[0] in read]:
        return Line("cameras", REFUSED, f"{told}; give the earlier run's views, or start without it")
    if changes:
        return Line("cameras", DIFFERS, f"{told}; compare the pictures, and evaluate before practice")
    return Line("cameras", FITS, ", ".join(sorted(new)))


def calibration_line(job: Job, earlier: EarlierRun) -> Line:
    """Compare the calibration files that gave settings, with their age."""
    then = {str(one["kind"]): one for one in _used(earlier.config)}
    now = {one.kind: one for one in job.settings.calibration.used}
    if not then and not now:
        return Line("calibration", FITS, "no file then, none now")
    told = []
    for kind in dict.fromkeys([*then, *now]):
        if kind not in now:
            told.append(f"{kind} of {_age(str(then[kind]['made']))} then, none now")
        elif kind not in then:
            told.append(f"{kind} new, {_age(now[kind].made)} old")
        elif then[kind]["sha256"] != now[kind].sha256:
            told.append(f"{kind} measured anew, {_age(now[kind].made)} old, then {_age(str(then[kind]['made']))}")
    ages = ", ".join(f"{kind} {_age(one.made)} old" for kind, one in now.items())
    if told:
        return Line(
            "calibration",
            DIFFERS,
            f"{joined(told)}; poses may have moved between the records, so evaluate before practice",
        )
    return Line("calibration", FITS, f"the same files: {ages}; `steadyhand calibrate check` finds a moved camera")


def tool_line(job: Job, earlier: EarlierRun) -> Line:
    """Compare the extent of tool and held part, and the calibration of the tool."""
    then, now = (_tool(task) for task in (earlier.config.get("task") or {}, job.settings.composed["task"]))
    changes = list(_changes(then, now))
    files = [
        {str(one["kind"]): str(one["sha256"]) for one in used}.get("tool", "")
        for used in (_used(earlier.config), [vars(one) for one in job.settings.calibration.used])
    ]
    told = [_told(changes)] if changes else []
    if files[0] != files[1]:
        told.append("another calibration of the tool")
    if told:
        return Line(
            "tool",
            DIFFERS,
            f"{'; '.join(told)}; the safety limits are those of the new tool, watch the first episodes",
        )
    return Line("tool", FITS, "the same extent and the same calibration of the tool")


def _views(config: Mapping[str, Any]) -> dict[str, Any]:
    return dict((config.get("camera") or {}).get("views") or {})


def _used(config: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return list((config.get("calibration") or {}).get("used") or ())


def _tool(task: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in TOOL:
        outer, _, inner = name.partition(".")
        value = (task.get(outer) or {}).get(inner) if inner else task.get(outer)
        if value is not None:
            found[name] = value
    return found


def _changes(then: Any, now: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Yield each value that differs: its dotted key, the earlier value and the present one; None = missing."""
    if isinstance(then, Mapping) and isinstance(now, Mapping):
        for key in dict.fromkeys([*then, *now]):
            yield from _changes(then.get(key), now.get(key), f"{path}.{key}" if path else str(key))
    elif _plain(then) != _plain(now):
        yield path, _plain(then), _plain(now)


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _told(changes: list[tuple[str, Any, Any]]) -> str:
    return joined([f"{key} {then} then, {now} now" for key, then, now in changes])


def _age(made: str) -> str:
    return f"{max(0.0, days_since(made)):.0f} days"
