"""The tables of `benchmarks.fleet`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from steadyhand.runtime.run_folder import atomic_write_bytes, atomic_write_json
from steadyhand.terminal import table_text

__all__ = ["ceiling_text", "write_table"]

HEAD = (
    "robots",
    "s",
    "sent",
    "stored",
    "waiting",
    "lost",
    "doubled",
    "order",
    "wrong",
    "known p50",
    "p99",
    "durable p50",
    "p99",
)
PACE = (
    "robots",
    "accepted [s]",
    "records/s",
    "fairness",
    "least",
    "behind",
    "updates/s alone",
    "beside",
    "cores",
    "load",
)
USE = ("process", "when", "RSS [MB]", "descriptors", "threads")
ACTOR = ("robot", "Hz", "", "sent", "lost", "doubled", "known p50", "p99", "durable p50", "p99", "share", "behind")


def write_table(results: Path, head: dict[str, Any], rows: Sequence[dict[str, Any]]) -> str:
    """Write `fleet.json` and `fleet.md`, and return the text.

    Args:
        results: Their folder.
        head: The machine, a note on its load, and the learner's settings.
        rows: The measured fleet, then those of the search for the ceiling.
    """
    first = rows[0]
    lines = [line for line in (head["machine"], head["note"], " ".join(head["overrides"])) if line]
    what = "two cameras of 64x64 pixels" if first["frames"] else "no images"
    text = "\n".join(
        (
            *lines,
            f"\nRobots replay a log of {what} at {first['rate_hz']:g} Hz on average over ZeroMQ; the learner trains.",
            f"In the first row {first['late']} join late and {first['killed']} are killed and started again.\n",
            "Times [ms] from the append to the robot's knowledge that the learner has it, and its disk; without killed",
            f"robots.\n\n{table_text(HEAD, [_account_cells(row) for row in rows])}\n",
            "Accepted: the longest wait for the answer to a HELLO. Share of a robot's own rate that arrived in time:",
            "smallest over largest (fairness), and the smallest.",
            f"Cores: processor time of the learner.\n\n{table_text(PACE, [_pace_cells(row) for row in rows])}\n",
            f"{ceiling_text(rows[1:])}\n",
            f"Processes of the first row.\n\n{table_text(USE, _use_rows(first))}\n",
            f"Robots of the first row.\n\n{table_text(ACTOR, [_actor_cells(actor) for actor in first['actors']])}\n",
        )
    )
    results.mkdir(parents=True, exist_ok=True)
    atomic_write_json(results / "fleet.json", {**head, "rows": list(rows)})
    atomic_write_bytes(results / "fleet.md", f"# Fleet\n\n```\n{text}```\n".encode())
    return text


def ceiling_text(rows: Sequence[dict[str, Any]]) -> str:
    """Return a line on the largest fleet in which no robot falls behind."""
    if not rows:
        return "Ceiling: not looked for."
    kept = [row["robots"] for row in rows if not row["behind"]]
    failed = [row for row in rows if row["behind"]]
    if not kept:
        return f"Ceiling: below {rows[0]['robots']} robots, of which {len(rows[0]['behind'])} fall behind."
    line = f"Ceiling: no robot falls behind up to {max(kept)} robots"
    if not failed:
        return f"{line}, the largest fleet that was tried."
    return f"{line}; of {failed[0]['robots']} robots {len(failed[0]['behind'])} do."


def _account_cells(row: dict[str, Any]) -> tuple[object, ...]:
    counts = [f"{row[name]:,}" for name in ("sent", "stored", "waiting", "lost", "doubled", "out_of_order", "wrong")]
    return (row["robots"], f"{row['seconds']:g}", *counts, *_times(row))


def _times(row: dict[str, Any]) -> list[str]:
    names = ("acknowledged_p50_ms", "acknowledged_p99_ms", "durable_p50_ms", "durable_p99_ms")
    return ["-" if row[name] is None else f"{row[name]:g}" for name in names]


def _pace_cells(row: dict[str, Any]) -> tuple[object, ...]:
    slowest = "-" if row["slowest_accept_s"] is None else f"{row['slowest_accept_s']:.2f}"
    return (
        row["robots"],
        slowest if not row["never_accepted"] else f"{slowest}, {row['never_accepted']} never",
        f"{row['records_s']:g}",
        f"{row['fairness']:.3f}",
        f"{row['smallest_share']:.3f}",
        len(row["behind"]),
        f"{row['updates_s_alone']:g}",
        f"{row['updates_s_beside']:g}",
        f"{row['learner_cores']:.2f}",
        f"{row['load']:g}",
    )


def _use_rows(row: dict[str, Any]) -> list[tuple[object, ...]]:
    return [
        (who, when, *(f"{row[f'{who}_{when}'][name]:g}" for name in ("rss_mb", "descriptors", "threads")))
        for who in ("learner", "robots")
        for when in ("start", "end")
    ]


def _actor_cells(actor: dict[str, Any]) -> tuple[object, ...]:
    what = "killed" if actor["killed"] else f"joined after {actor['joined_s']:.0f} s" if actor["joined_s"] else ""
    counts = [actor[name] for name in ("sent", "lost", "doubled")]
    share, late = f"{actor['share_of_rate']:.3f}", f"{actor['behind_s']:.2f} s"
    return (actor["actor"], f"{actor['rate_hz']:g}", what, *counts, *_times(actor), share, late)
