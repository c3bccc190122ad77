"""A fleet of replayed robots on one learner, over ZeroMQ from logs on the disk: arrival, delay and fairness.

    python -m benchmarks.fleet [--robots 64] [--rate 10] [--seconds 60] [--no-frames] [--ceiling 16,64] [OVERRIDE ...]

Robot i records at 1, 0.5, 1.5 and 1 times the rate, in turn. A few join late, and a few are killed and started again.
The account is taken by a reader that shares no code with the product. The last rows look for the ceiling: the largest
fleet in which no robot falls behind. OVERRIDE is a setting of the learner.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import numpy as np

from benchmarks.fleet_account import Fate, Share, Window, account, behind, fairness, percentile
from benchmarks.fleet_robots import Part
from benchmarks.fleet_table import write_table
from benchmarks.machine import machine_line
from benchmarks.measure import CLOCK
from benchmarks.options import options_and_overrides
from benchmarks.peer import Peer
from benchmarks.process_use import ProcessUse, process_use
from benchmarks.recording import make_schema, write_log
from steadyhand.runtime.run_folder import RunFolder
from steadyhand.terminal import say

RESULTS = Path(__file__).resolve().parent / "results"
WORK = Path("runs") / "bench-fleet"
RATES = (1.0, 0.5, 1.5, 1.0)  # of the robots in turn, times --rate
SIDE = 64  # pixels of a square image
PRACTICE, SOURCE = 2_000, 204  # records of the learner's own log, and of the log that the robots replay
SEGMENT_BYTES = 1 << 24
BEHIND_S, LEAST_SHARE = 2.0, 0.9
SETTLE_S = 1.0  # before the memory at the start is read
DOWN_S = 1.0  # between a kill and the new start
NS_PER_S = 1_000_000_000


@dataclass(frozen=True)
class Fleet:
    """One fleet.

    Attributes:
        robots: Number of robots.
        rate_hz: The rate [Hz] that `RATES` multiplies.
        seconds: Length of the measurement [s].
        frames: Whether records have two images.
        late: Number of robots that join while the others record.
        killed: Number of robots that are killed once, and started again.
        per_process: Robots that share a process, except those that are killed.
        alone_s: Time that the learner trains alone [s].
    """

    robots: int
    rate_hz: float
    seconds: float
    frames: bool
    late: int
    killed: int
    per_process: int
    alone_s: float
    seed: int

    def __post_init__(self) -> None:
        if not 0 <= self.late + self.killed <= self.robots or self.robots < 1:
            raise ValueError(
                f"--robots: expected at least one, and at least as many as late and killed ones together, "
                f"found {self.robots}, {self.late} and {self.killed}"
            )
        if min(self.rate_hz, self.seconds, self.per_process) <= 0:
            raise ValueError("--rate, --seconds, --per-process: expected more than 0")

    def parts(self) -> list[Part]:
        """Return the robots; the last ones are killed, and those before them join late."""
        draw = np.random.default_rng(self.seed)
        first_late = self.robots - self.killed - self.late
        late = range(first_late, self.robots - self.killed)
        joins = {number: float(draw.uniform(0.1, 0.4) * self.seconds) for number in late}
        return [
            Part(number, self.rate_hz * RATES[number % len(RATES)], round(joins.get(number, 0.0), 3))
            for number in range(self.robots)
        ]

    def processes(self) -> list[list[Part]]:
        """Return the robots of each process."""
        parts = self.parts()
        shared = parts[: self.robots - self.killed]
        groups = [shared[first : first + self.per_process] for first in range(0, len(shared), self.per_process)]
        return [*groups, *([part] for part in parts[len(shared) :])]


def measure(fleet: Fleet, folder: Path, overrides: Sequence[str] = ()) -> dict[str, Any]:
    """Run one fleet below `folder`, and return its row."""
    schema = make_schema(2 if fleet.frames else 0, SIDE)
    run = RunFolder(folder, "run")
    write_log(run.log, schema, PRACTICE, SEGMENT_BYTES)
    source = write_log(folder / "source", schema, SOURCE, SEGMENT_BYTES)
    with ExitStack() as stack:
        learner = stack.enter_context(Peer("benchmarks.fleet_learner", [run.path, SEGMENT_BYTES, *overrides]))
        where = learner.answer()
        link = [where["address"], where["weights_address"], SEGMENT_BYTES]
        alone = _train_alone(learner, fleet.alone_s)

        def start(parts: Sequence[Part]) -> Peer:
            words = [folder / "robots", source, *link, *(part.word for part in parts)]
            return stack.enter_context(Peer("benchmarks.fleet_robots", words))

        groups = fleet.processes()
        peers = [start(parts) for parts in groups]
        spares = {place: start(groups[place]) for place in range(len(groups) - fleet.killed, len(groups))}
        for peer in (*peers, *spares.values()):
            peer.answer()  # the program is loaded
        sessions: dict[str, str] = {}
        for peer in peers:
            peer.tell()
        for peer in peers:
            sessions |= peer.answer()["sessions"]
        learner.tell()  # ends the stretch before
        learner.answer()
        begin_ns = CLOCK.now_ns()
        end_ns = begin_ns + round(fleet.seconds * NS_PER_S)
        for peer in peers:
            peer.tell(str(end_ns))
        _sleep(SETTLE_S)
        at_start = process_use(learner.pid), _sum(peers)
        kills_ns = _kill_some(fleet, peers, spares, end_ns)
        _sleep_until(end_ns - round(0.2 * NS_PER_S))
        at_end = process_use(learner.pid), _sum(peers)
        failures = [failure for peer in peers for failure in peer.answer()["failures"]]
        learner.tell()
        beside = learner.answer()
        for peer in peers:
            peer.answer()  # everything is delivered
            peer.close()
    window = Window(begin_ns, end_ns, kills_ns)
    shares = [
        account(part, folder / "robots" / part.actor_id, run.log / sessions[str(part.number)], window)
        for part in fleet.parts()
    ]
    return _row(fleet, shares, alone, beside, at_start, at_end, failures)


def _train_alone(learner: Peer, alone_s: float) -> dict[str, Any]:
    learner.tell()
    _sleep(alone_s)
    learner.tell()
    return learner.answer()


def _kill_some(fleet: Fleet, peers: list[Peer], spares: Mapping[int, Peer], end_ns: int) -> dict[int, int]:
    """Kill a robot at each of the drawn moments, let its spare go on, and return when each was killed, by number."""
    draw = np.random.default_rng(fleet.seed + 1)
    begin_ns = end_ns - round(fleet.seconds * NS_PER_S)
    moments = sorted(draw.uniform(0.3, 0.6, fleet.killed).tolist())
    killed_ns: dict[int, int] = {}
    for count, (moment, place) in enumerate(zip(moments, spares, strict=True)):
        _sleep_until(begin_ns + round(moment * fleet.seconds * NS_PER_S))
        peers[place].kill()
        killed_ns[fleet.robots - fleet.killed + count] = CLOCK.now_ns()
        _sleep(min(DOWN_S, 0.05 * fleet.seconds))
        peers[place] = spares[place]
        peers[place].tell()
        peers[place].answer()
        peers[place].tell(str(end_ns))
    return killed_ns


def _row(
    fleet: Fleet,
    shares: list[Share],
    alone: dict[str, Any],
    beside: dict[str, Any],
    at_start: tuple[ProcessUse, ProcessUse],
    at_end: tuple[ProcessUse, ProcessUse],
    failures: list[str],
) -> dict[str, Any]:
    steady = [share for share in shares if not share.killed]
    total = sum((share.fate for share in shares), Fate(0, 0, 0, 0, 0, 0, 0, 0))
    known, durable = (
        np.concatenate([np.zeros(0), *(getattr(share, name) for share in steady)])
        for name in ("acknowledged_ms", "durable_ms")
    )
    learner_s = at_end[0].cpu_s - at_start[0].cpu_s
    return {
        "robots": fleet.robots,
        "rate_hz": fleet.rate_hz,
        "seconds": fleet.seconds,
        "frames": fleet.frames,
        "late": fleet.late,
        "killed": fleet.killed,
        "per_process": fleet.per_process,
        **{name: getattr(total, name) for name in Fate.__dataclass_fields__},
        "faults": total.faults,
        "records_s": round(total.stored / fleet.seconds, 1),
        "acknowledged_p50_ms": percentile(known, 50),
        "acknowledged_p99_ms": percentile(known, 99),
        "durable_p50_ms": percentile(durable, 50),
        "durable_p99_ms": percentile(durable, 99),
        "fairness": round(fairness(shares), 4),
        "smallest_share": round(min((share.of_rate for share in steady), default=0.0), 4),
        "behind": behind(shares, BEHIND_S, LEAST_SHARE),
        "slowest_accept_s": _slowest(shares),
        "never_accepted": sum(not np.isfinite(share.accepted_s) for share in shares),
        "most_behind_s": round(max(share.behind_s for share in shares), 3),
        "updates_s_alone": round(alone["updates"] / alone["elapsed_s"], 1),
        "updates_s_beside": round(beside["updates"] / beside["elapsed_s"], 1),
        "learner_cores": round(learner_s / fleet.seconds, 3),
        "refused": beside["refused"],
        "quarantined": beside["quarantined"],
        "failures": failures,
        "learner_start": at_start[0].to_json(),
        "learner_end": at_end[0].to_json(),
        "robots_start": at_start[1].to_json(),
        "robots_end": at_end[1].to_json(),
        "load": round(os.getloadavg()[0], 1),
        "actors": [share.to_json() for share in shares],
    }


def _slowest(shares: Sequence[Share]) -> float | None:
    found = [share.accepted_s for share in shares if np.isfinite(share.accepted_s)]
    return round(max(found), 3) if found else None


def _sum(peers: Sequence[Peer]) -> ProcessUse:
    return sum((process_use(peer.pid) for peer in peers), ProcessUse(0.0, 0, 0, 0.0))


def _sleep(seconds: float) -> None:
    CLOCK.sleep_until(CLOCK.now_ns() + round(seconds * NS_PER_S))


def _sleep_until(at_ns: int) -> None:
    CLOCK.sleep_until(max(at_ns, CLOCK.now_ns()))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the fleet and the search for the ceiling; return 1 if a record was lost, doubled, wrong or out of order."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.fleet",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--robots", type=int, default=64, help="how many (%(default)s)")
    parser.add_argument("--rate", type=float, default=10.0, help="control rate [Hz] (%(default)s)")
    parser.add_argument("--seconds", type=float, default=60.0, help="of the measurement (%(default)s)")
    parser.add_argument("--no-frames", action="store_true", help="without the two images of 64x64 pixels")
    parser.add_argument("--late", type=int, default=3, help="robots that join late (%(default)s)")
    parser.add_argument("--killed", type=int, default=3, help="robots that are killed once (%(default)s)")
    parser.add_argument("--per-process", type=int, default=16, help="robots that share a process (%(default)s)")
    parser.add_argument("--alone", type=float, default=15.0, help="seconds that the learner trains alone (%(default)s)")
    parser.add_argument("--ceiling", default="16,32,48,64", help='fleets of the search, "" for none (%(default)s)')
    parser.add_argument("--ceiling-seconds", type=float, default=20.0, help="of each of them (%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the moments of joins and kills (%(default)s)")
    parser.add_argument("--note", default="", help="a line of the table, such as the other load of the machine")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder of fleet.json and fleet.md")
    parser.add_argument("--work", type=Path, default=WORK, help="folder of the logs, which are deleted (%(default)s)")
    options, overrides = options_and_overrides(parser, arguments)
    frames, per_process = not options.no_frames, options.per_process
    common = (options.rate, options.seconds, frames, options.late, options.killed, per_process, options.alone)
    try:
        fleets = [Fleet(options.robots, *common, options.seed)]
        for word in filter(None, options.ceiling.split(",")):
            short = (options.rate, options.ceiling_seconds, frames, 0, 0, per_process, min(3.0, options.alone))
            fleets.append(Fleet(int(word), *short, options.seed))
    except ValueError as error:
        parser.error(str(error))
    rows: list[dict[str, Any]] = []
    for fleet in fleets:
        if len(rows) > 1 and rows[-1]["behind"]:  # a larger fleet cannot keep up either
            break
        options.work.mkdir(parents=True, exist_ok=True)
        folder = Path(mkdtemp(prefix="fleet-", dir=options.work))
        try:
            rows.append(measure(fleet, folder.resolve(), overrides))
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        row = rows[-1]
        say(f"{row['robots']} robots: {row['stored']} records, {row['faults']} faults, behind: {len(row['behind'])}")
    head = {"machine": machine_line(), "note": options.note, "overrides": list(overrides)}
    say(f"\n{write_table(options.results, head, rows)}")
    return int(any(row["faults"] or row["failures"] for row in rows))


if __name__ == "__main__":
    sys.exit(main())
