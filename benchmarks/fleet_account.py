"""The account of a fleet: what each robot noted, against the learner's log, by a reader apart from the product."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Iterator, Set
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.fleet_notes import ACKNOWLEDGED, JOINED, RECORDED, read_notes
from benchmarks.fleet_robots import OBSERVATION, Part
from tests.integrity.plain_log import PlainRecord, places

__all__ = ["Fate", "Share", "Window", "account", "behind", "fairness", "percentile"]

NS_PER_S = 1e9


@dataclass(frozen=True)
class Fate:
    """The fate of a robot's records.

    Attributes:
        sent: Records that the robot has appended to its own log.
        stored: Sound records in the learner's log.
        lost: Appended, and neither in the learner's log nor in the robot's own.
        waiting: Appended, and at the end still in the robot's own log alone.
        doubled: In the learner's log more than once.
        out_of_order: In the learner's log behind a later one.
        wrong: In the learner's log with other bytes, a wrong checksum or a wrong number.
        unnoted: In the learner's log, appended at the moment of a kill, before the robot could note it.
    """

    sent: int
    stored: int
    lost: int
    waiting: int
    doubled: int
    out_of_order: int
    wrong: int
    unnoted: int

    @property
    def faults(self) -> int:
        """The number of records that exactly-once delivery in order rules out."""
        return self.lost + self.doubled + self.out_of_order + self.wrong

    def __add__(self, other: Fate) -> Fate:
        pairs = zip(asdict(self).values(), asdict(other).values(), strict=True)
        return Fate(*(mine + others for mine, others in pairs))


@dataclass(frozen=True)
class Window:
    """The time of a measurement [ns], and the times at which robots were killed, by number."""

    begin_ns: int
    end_ns: int
    kills_ns: dict[int, int]


@dataclass(frozen=True)
class Share:
    """The share of its own rate that a robot got through, and its delay.

    Attributes:
        part: The robot.
        killed: Whether it was killed once.
        of_rate: Records in the learner's log by the end of the window, as a share of those due at the robot's rate.
        behind_s: Age of the oldest record that was not in the learner's log at the end of the window [s].
        accepted_s: Time from its wish to join until the learner had accepted it [s]; NaN = never.
        acknowledged_ms: Time from the append of each record until the robot knew that the learner has it [ms], (n,).
        durable_ms: The same until the robot knew that the learner's disk has it [ms], (n,).
        fate: The account of its records.
    """

    part: Part
    killed: bool
    of_rate: float
    behind_s: float
    accepted_s: float
    acknowledged_ms: NDArray[np.float64]
    durable_ms: NDArray[np.float64]
    fate: Fate

    def to_json(self) -> dict[str, Any]:
        """Return the robot's row."""
        return {
            "actor": self.part.actor_id,
            "rate_hz": self.part.rate_hz,
            "joined_s": self.part.join_s,
            "killed": self.killed,
            **asdict(self.fate),
            "acknowledged_p50_ms": percentile(self.acknowledged_ms, 50),
            "acknowledged_p99_ms": percentile(self.acknowledged_ms, 99),
            "durable_p50_ms": percentile(self.durable_ms, 50),
            "durable_p99_ms": percentile(self.durable_ms, 99),
            "accepted_s": round(self.accepted_s, 3) if np.isfinite(self.accepted_s) else None,
            "share_of_rate": round(self.of_rate, 4),
            "behind_s": round(self.behind_s, 3),
        }


def account(part: Part, robot: Path, log: Path, window: Window) -> Share:
    """Return the account of one robot, once it has ended.

    Args:
        part: The robot.
        robot: Its folder.
        log: The folder of its session in the learner's run.
        window: The measurement.
    """
    noted = read_notes(robot, RECORDED)
    kept = {one.number("stamp_ns") for own in (robot / "outbox").glob("*/") for one in places(own) if one.sound}
    stamps, fate = _stored(noted, kept, log)
    joined = read_notes(robot, JOINED)[:, 0]
    acknowledged = read_notes(robot, ACKNOWLEDGED)
    killed_ns = window.kills_ns.get(part.number)
    lived_s = sum(_lives_s(joined, killed_ns, window.end_ns))
    in_time = acknowledged[acknowledged[:, 0] <= window.end_ns]
    known = int(in_time[:, 1].max(initial=0))
    waiting = stamps[known:]
    waiting = waiting[waiting <= window.end_ns]
    return Share(
        part,
        killed_ns is not None,
        known / (part.rate_hz * lived_s) if lived_s > 0.0 else 0.0,
        float(window.end_ns - waiting[0]) / NS_PER_S if waiting.size else 0.0,
        joined[0] / NS_PER_S - window.begin_ns / NS_PER_S - part.join_s if joined.size else float("nan"),
        _delays_ms(stamps, acknowledged[:, 0], acknowledged[:, 1]),
        _delays_ms(stamps, acknowledged[:, 0], acknowledged[:, 2]),
        fate,
    )


def fairness(shares: list[Share]) -> float:
    """Return the smallest share of a robot's own rate over the largest; robots that were killed do not count."""
    found = [share.of_rate for share in shares if not share.killed]
    return min(found) / max(found) if found and max(found) > 0.0 else 0.0


def behind(shares: list[Share], limit_s: float, least_share: float) -> list[str]:
    """Return the robots that fell behind: by more than `limit_s`, or below `least_share` of their own rate."""
    found = [share for share in shares if share.behind_s > limit_s or share.of_rate < least_share]
    return [share.part.actor_id for share in found if not share.killed or share.behind_s > limit_s]


def percentile(values: NDArray[np.float64], percent: float) -> float | None:
    """Return a percentile with one decimal; None without values."""
    return round(float(np.percentile(values, percent)), 1) if values.size else None


def _stored(noted: NDArray[np.int64], kept: Set[int], log: Path) -> tuple[NDArray[np.int64], Fate]:
    """Return the stamps of the learner's records in order, (n,), and the account; `kept` are those that wait."""
    crc_of = {int(stamp): int(crc) for stamp, crc in noted}
    stamps, wrong = [], 0
    for place, record in enumerate(places(log)):
        sound = record.sound and record.seq == place
        stamp = record.number("stamp_ns")
        stamps.append(stamp)
        wrong += not sound or (stamp in crc_of and _crc(record) != crc_of[stamp])
    times = Counter(stamps)
    order = np.array(stamps, np.int64)
    missing = crc_of.keys() - times.keys()
    unnoted = sum(stamp not in crc_of for stamp in times)
    doubled = len(stamps) - len(times)
    late = int(np.count_nonzero(np.diff(order) < 0))
    return order, Fate(
        len(noted) + unnoted, len(stamps), len(missing - kept), len(missing & kept), doubled, late, wrong, unnoted
    )


def _crc(record: PlainRecord) -> int:
    crc = 0
    for name in sorted(name for name in record.columns if name.startswith(OBSERVATION)):
        crc = zlib.crc32(record.columns[name], crc)
    return crc


def _delays_ms(stamps: NDArray[np.int64], now: NDArray[np.int64], ends: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the time from each stamp to the first report that covers its record [ms], for the covered ones."""
    reports = np.searchsorted(np.maximum.accumulate(ends), np.arange(len(stamps)), side="right")
    covered = reports < len(now)
    return (now[reports[covered]] - stamps[covered]) / 1e6


def _lives_s(joined: NDArray[np.int64], killed_ns: int | None, end_ns: int) -> Iterator[float]:
    """Yield the time [s] of each life of a robot within the window."""
    for begin_ns in joined.tolist():
        was_killed = killed_ns is not None and begin_ns < killed_ns
        yield max(0.0, ((killed_ns if was_killed else end_ns) or 0) - begin_ns) / NS_PER_S
