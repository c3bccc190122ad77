"""The figures of a run, drawn from its numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from steadyhand.report.chart import Bars, Interval, Line, histogram, interval_chart, line_chart
from steadyhand.report.records import Row, RunRecords

__all__ = ["LEARNING_CURVES", "cycle_times", "headline", "intervention", "learning_curve", "rolling", "success"]

FIRST = 5  # smallest number of episodes for a meaningful rate
LEARNING_CURVES = (
    ("q_mean", "Value", "Mean Q of what was drawn; a reward of 1 at the end keeps it in 0 to 1."),
    ("entropy", "Entropy", "How much the policy still varies its actions, in nats."),
    ("critic_loss", "Critic loss", "Mean squared error of the value against its target."),
    ("true_utd", "Updates per step", "Gradient updates for every control step taken so far."),
)


def headline(summary: Row) -> str:
    """Draw the success of the policy and of the baseline, each with its interval, beside the required rate."""
    rows = []
    for prefix, label, tone in (
        ("", "after practice", "policy"),
        ("start_", "before practice", "baseline"),
        ("bc_", "best clone of the demonstrations", "baseline"),
    ):
        rate = summary.get(f"{prefix}success_rate")
        if rate is not None:
            low, high = summary[f"{prefix}wilson_low"], summary[f"{prefix}wilson_high"]
            rows.append(Interval(f"{label}: {100 * rate:.1f} %", tone, rate, low, high))
    required = summary["required_success"]
    return interval_chart(rows, "Success rate with its 95 % interval", 1.0 if required is None else required)


def success(run: RunRecords, window: int = 20) -> str:
    """Draw the unassisted and the total success rate of the newest episodes against robot minutes."""
    minutes = [row["control_minutes"] for row in run.practice]
    done = [float(row["success"]) for row in run.practice]
    alone = [float(row["success"] and not row["helped"]) for row in run.practice]
    lines = [
        Line("with or without help", "person", rolling(minutes, done, window)),
        Line("without help", "policy", rolling(minutes, alone, window)),
    ]
    baseline = run.evaluations.get("bc", {}).get("success_rate")
    return line_chart(lines, "Success in practice", "robot minutes", True, baseline, "best clone of the demonstrations")


def intervention(run: RunRecords, window: int = 20) -> str:
    """Draw the share of steps in which the person acted, against robot minutes."""
    minutes = [row["control_minutes"] for row in run.practice]
    shares = rolling(
        minutes, [row["human_steps"] for row in run.practice], window, [row["steps"] for row in run.practice]
    )
    line = Line("share of steps by the person", "person", shares, filled=True)
    return line_chart([line], "Share of steps by the person", "robot minutes", percent=True)


def cycle_times(run: RunRecords) -> str:
    """Draw the control time of the policy's successes beside that of the demonstrations."""
    rows = run.evaluations.get("policy", {}).get("rows", ())
    policy = [row["duration_s"] for row in rows if row["success"]]
    series = [Bars("demonstrations", "person", run.demo_cycles_s), Bars("policy", "policy", policy)]
    return histogram(series, "Cycle time", "s of control time per success")


def learning_curve(rows: Sequence[Row], name: str, title: str) -> str:
    """Draw one of the learner's scalars against its updates; "" if it was never written."""
    points = [(float(row["update"]), float(row[name])) for row in rows if _is_number(row.get(name))]
    return line_chart([Line(title, "policy", points)], title, "gradient updates")


def rolling(
    xs: Sequence[float], parts: Sequence[float], window: int, wholes: Sequence[float] | None = None
) -> list[tuple[float, float]]:
    """Return sum(parts) / sum(wholes) over the newest `window` rows at each x, starting with row FIRST.

    Without `wholes` each row counts as 1.
    """
    wholes = wholes or [1.0] * len(parts)
    points = []
    for end in range(FIRST, len(xs) + 1):
        newest = slice(max(0, end - window), end)
        points.append((xs[end - 1], sum(parts[newest]) / max(sum(wholes[newest]), 1.0)))
    return points


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
