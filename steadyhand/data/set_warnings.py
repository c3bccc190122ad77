"""One line for each thing in a set that would harm training."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from steadyhand.data.quality import SetQuality

__all__ = ["warning_lines"]

MOST_SATURATED = 0.2  # share of steps at a limit
MOST_FROZEN = 5  # equal frames in a row while the robot moves; a slow camera repeats fewer
LONGEST = 10.0  # times the median length
PERIOD_TOLERANCE = 0.1  # share by which the measured period may differ
MOST_SHOWN = 8  # numbers in one line


def warning_lines(quality: SetQuality) -> list[str]:
    """Return the warnings, the gravest first; none for a set that is fit."""
    return list(_lines(quality))


def _lines(quality: SetQuality) -> Iterator[str]:
    episodes = quality.episodes
    if not episodes:
        yield "the set has no episode"
        return
    if broken := [one.episode_id for one in episodes if one.not_finite]:
        steps = sum(one.not_finite for one in episodes)
        yield f"NaN or infinity in {steps} steps of episodes {_numbers(broken)}; leave them out: `data delete`"
    if not any(one.success for one in episodes):
        yield "no episode is marked as a success, so none is imitated; mark them: `data relabel`"
    for axis in quality.stuck:
        yield (
            f"action axis {axis} is always {quality.actions[0, axis]:g}; a policy learns nothing else for it. "
            "Check the mapping of the action, or the device"
        )
    for axis, share in enumerate(quality.saturated):
        if share > MOST_SATURATED:
            yield (
                f"action axis {axis} is at its limit in {100 * share:.0f} % of the steps; "
                "record with a larger action scale, or import with a wider --action-range"
            )
    for name in sorted({name for one in episodes for name in one.frozen}):
        if frozen := [one.episode_id for one in episodes if one.frozen[name] >= MOST_FROZEN]:
            longest = max(one.frozen[name] for one in episodes)
            yield (
                f"{name} shows the same frame for up to {longest} steps while the robot moves, "
                f"in episodes {_numbers(frozen)}; check the camera's rate, and leave them out: `data delete`"
            )
    yield from _period_lines(quality)
    yield from _length_lines(quality)
    seen: dict[str, list[int]] = {}
    for one in episodes:
        seen.setdefault(one.digest, []).append(one.episode_id)
    for same in seen.values():
        if len(same) > 1:
            yield f"episodes {_numbers(same)} are the same recording; keep one of them: `data delete`"


def _period_lines(quality: SetQuality) -> Iterator[str]:
    wanted = quality.schema.control_period_s
    measured = [one.period_s for one in quality.episodes if np.isfinite(one.period_s) and one.period_s > 0.0]
    if measured and abs(float(np.median(measured)) - wanted) > PERIOD_TOLERANCE * wanted:
        yield (
            f"the control period is {wanted:g} s, and the median time between steps is {np.median(measured):.3g} s; "
            "the recording loop was late, or the set is of another period"
        )


def _length_lines(quality: SetQuality) -> Iterator[str]:
    median = float(np.median([one.steps for one in quality.episodes]))
    for one in quality.episodes:
        if one.steps >= LONGEST * median and len(quality.episodes) > 2:
            yield (
                f"episode {one.episode_id} has {one.steps} steps, and the median is {median:g}; it outweighs the "
                "others. Cut it or leave it out: `data trim`, `data delete`"
            )


def _numbers(ids: list[int]) -> str:
    more = f" and {len(ids) - MOST_SHOWN} more" if len(ids) > MOST_SHOWN else ""
    return ", ".join(map(str, ids[:MOST_SHOWN])) + more
