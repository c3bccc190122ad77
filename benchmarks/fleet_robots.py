"""Robots of a fleet in one process: each replays a log at its own rate into a session of its own, over ZeroMQ.

python -m benchmarks.fleet_robots FOLDER SOURCE ADDRESS WEIGHTS_ADDRESS SEGMENT_BYTES NUMBER:RATE_HZ:JOIN_S ...
"""

from __future__ import annotations

import heapq
import sys
import zlib
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.fleet_notes import ACKNOWLEDGED, JOINED, RECORDED, Notes
from benchmarks.peer import answer, wait_for_word
from steadyhand.actor.session_log import open_session
from steadyhand.runtime.build import build
from steadyhand.runtime.clock import MonotonicClock
from steadyhand.runtime.config import compose
from steadyhand.runtime.logging import setup
from steadyhand.transport.config import TransportConfig
from steadyhand.transport.learner_link import LearnerLink
from steadyhand.transport.log import LogReader
from steadyhand.transport.record import Kind
from steadyhand.transport.wire import Hello, Status
from steadyhand.transport.zmq_uplink import ZmqUplink

CLOCK = MonotonicClock()
CONNECT_S, DRAIN_S = 120.0, 120.0
POLL_NS = 5_000_000
WORKERS = 8  # threads in which robots connect, and sync their logs between episodes
OBSERVATION = "observation/"


@dataclass(frozen=True)
class Part:
    """One robot of the process: its number, its rate [Hz], and when it joins after the start [s]."""

    number: int
    rate_hz: float
    join_s: float

    @classmethod
    def of(cls, word: str) -> Part:
        """Return the robot of a word of the command line."""
        number, rate_hz, join_s = word.split(":")
        return cls(int(number), float(rate_hz), float(join_s))

    @property
    def word(self) -> str:
        """The robot as a word of the command line."""
        return f"{self.number}:{self.rate_hz}:{self.join_s}"

    @property
    def actor_id(self) -> str:
        """The robot's name."""
        return f"arm{self.number}"


class NotingUplink(ZmqUplink):
    """An uplink that notes on its own thread when the learner's report of the session changes."""

    def __init__(self, config: TransportConfig, reader: LogReader, notes: Notes) -> None:
        super().__init__(config, reader)
        self._notes, self._noted = notes, (0, 0)

    def _note(self, link: LearnerLink, status: Status | None) -> None:
        super()._note(link, status)
        news = self._progress.next_seq, self._progress.durable_seq
        if news != self._noted:
            self._noted = news
            self._notes.add(CLOCK.now_ns(), *news)


class Source:
    """The log that all robots of a process replay.

    Attributes:
        records: Its records, (n,).
        crcs: CRC-32 of each record's observation.
    """

    def __init__(self, folder: Path) -> None:
        with closing(LogReader(folder)) as reader:
            self.schema, self.records = reader.schema, reader.read(0, len(reader)).copy()
        names = sorted(f"{OBSERVATION}{field.name}" for field in self.schema.observation)
        self.crcs = [_crc(row, names) for row in self.records]
        self.episodes = int(self.records["episode_id"].max()) + 1


def _crc(record: np.void, names: list[str]) -> int:
    crc = 0
    for name in names:
        crc = zlib.crc32(np.ascontiguousarray(record[name]).tobytes(), crc)
    return crc


class Robot:
    """One replayed robot, which goes on with its session when it was killed before."""

    def __init__(self, part: Part, folder: Path, source: Source, config: TransportConfig, stack: ExitStack) -> None:
        self.part, self._source = part, source
        self.session = open_session(folder / "outbox", source.schema, part.actor_id, config.segment_bytes, trim=True)
        stack.enter_context(closing(self.session.writer))
        recorded, acknowledged, joined = (Notes(folder, one) for one in (RECORDED, ACKNOWLEDGED, JOINED))
        self._recorded, self._joined = recorded, joined
        for notes in (recorded, acknowledged, joined):
            stack.enter_context(closing(notes))
        reader = stack.enter_context(closing(LogReader(self.session.folder)))
        self.uplink = stack.enter_context(closing(NotingUplink(config, reader, acknowledged)))
        self.waits_for: Future[None] | None = None
        self._row: NDArray[np.void] = np.zeros((), source.records.dtype)

    def join(self) -> None:
        """Connect to the learner."""
        schema, session_id = self._source.schema, self.session.session_id
        self.uplink.connect(Hello.of(schema, self.part.actor_id, session_id), CONNECT_S)
        self._joined.add(CLOCK.now_ns())

    def record(self) -> bool:
        """Append the next record of the source; return whether an episode ended."""
        source, seq = self._source, self.session.writer.next_seq
        lap, place = divmod(seq, len(source.records))
        row = self._row
        row[()] = source.records[place]
        row["episode_id"] += lap * source.episodes
        row["stamp_ns"] = stamp_ns = CLOCK.now_ns()
        self.session.append(row)
        self.uplink.notify()
        self._recorded.add(stamp_ns, source.crcs[place])
        return bool(row["kind"] == Kind.FINAL)

    def settle(self) -> None:
        """Sync, and forget what the learner holds, as an actor does between episodes."""
        self.session.settle(self.uplink.progress().durable_seq)

    @property
    def delivered(self) -> bool:
        """True if the learner's disk has everything."""
        return self.uplink.progress().durable_seq >= self.session.writer.next_seq


def replay(robots: list[Robot], end_ns: int) -> None:
    """Let every robot join, and record at its rate until `end_ns`. A robot that is late skips no record."""
    began_ns = CLOCK.now_ns()
    due = [(began_ns + round(1e9 * robot.part.join_s), index) for index, robot in enumerate(robots)]
    heapq.heapify(due)
    with ThreadPoolExecutor(WORKERS) as pool:
        while due and due[0][0] < end_ns:
            at_ns, index = heapq.heappop(due)
            CLOCK.sleep_until(at_ns)
            robot = robots[index]
            if robot.waits_for is None:
                robot.waits_for = pool.submit(robot.join)
            if not robot.waits_for.done():
                heapq.heappush(due, (CLOCK.now_ns() + POLL_NS, index))
                continue
            robot.waits_for.result()
            if robot.record():
                robot.waits_for = pool.submit(robot.settle)
            now_ns, period_ns = CLOCK.now_ns(), round(1e9 / robot.part.rate_hz)
            # As a control loop: after a delay of more than a period it begins a new rhythm instead of a burst.
            heapq.heappush(due, (at_ns + period_ns if now_ns - at_ns < period_ns else now_ns, index))


def drain(robots: list[Robot]) -> None:
    """Wait until the learner's disk has every record, or for `DRAIN_S`."""
    deadline_ns = CLOCK.now_ns() + round(1e9 * DRAIN_S)
    while CLOCK.now_ns() < deadline_ns and not all(robot.delivered for robot in robots):
        CLOCK.sleep_until(CLOCK.now_ns() + POLL_NS)


def main(folder: Path, source: Path, config: TransportConfig, parts: list[Part]) -> None:
    """Report the steps of a life, each on request: the program is loaded, the robots are there, all is delivered.

    The second request brings the end of the measurement [ns].
    """
    setup("error")
    played = Source(source)
    answer(loaded=True)
    if not wait_for_word():
        return
    with ExitStack() as stack:
        robots = []
        for part in parts:
            place = folder / part.actor_id
            place.mkdir(parents=True, exist_ok=True)
            robots.append(Robot(part, place, played, config, stack))
        answer(sessions={robot.part.number: robot.session.session_id for robot in robots})
        end_ns = int(sys.stdin.readline() or 0)
        replay(robots, end_ns)
        answer(failures=[str(robot.uplink.failure) for robot in robots if robot.uplink.failure])
        drain(robots)
        answer(recorded={robot.part.number: robot.session.writer.next_seq for robot in robots})


if __name__ == "__main__":
    place, played_log, address, weights_address, segment_bytes, *words = sys.argv[1:]
    link = build(TransportConfig, compose([])["transport"], "transport")
    link = replace(link, address=address, weights_address=weights_address, segment_bytes=int(segment_bytes))
    main(Path(place), Path(played_log), link, [Part.of(word) for word in words])
