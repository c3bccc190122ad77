"""Every valid start's next observation is the one that followed it on the robot, whatever happened on the way.

The account is taken twice: by the product's reader, and by one that shares no code with it.
"""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from steadyhand.transport import log_folder
from steadyhand.transport.log import LogReader, LogWriter
from steadyhand.transport.record import Kind, valid_starts
from steadyhand.transport.uplink import Uplink
from steadyhand.transport.zmq_server import ZmqServer
from steadyhand.transport.zmq_uplink import ZmqUplink
from tests.integrity.plain_log import STEP, read_log
from tests.transport_kit import (
    CONFIG,
    code,
    connected_config,
    hello,
    intake_in,
    record,
    session_id,
    wait_until,
    write_episode,
    writer_in,
)


class Run:
    """A learner with its folder, and the robot's sessions one after another."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.server: ZmqServer | None = None
        self.start_learner()
        self.actor_config = connected_config(self.server)
        self.uplink: Uplink | None = None
        self.writer: LogWriter | None = None
        self.session = 0

    def start_learner(self) -> None:
        config = CONFIG if self.server is None else self.actor_config
        self.server = ZmqServer(intake_in(self.folder / "learner"), config)

    def restart_learner(self) -> None:
        self.server.close()  # the intake is not closed: its logs stay as a kill leaves them
        self.start_learner()

    def start_session(self, number: int, resume: bool = False) -> None:
        self.session = number
        self.writer = writer_in(self.actor_log, number)
        if not resume:
            assert self.writer.next_seq == 0
        self.uplink = ZmqUplink(self.actor_config, LogReader(self.actor_log))
        self.uplink.connect(hello(number), 10.0)

    def end_session(self) -> None:
        wait_until(lambda: self.uplink.progress().next_seq == self.writer.next_seq)
        self.uplink.close()

    @property
    def actor_log(self) -> Path:
        return self.folder / f"actor{self.session}"

    def episode(self, number: int, steps: int, ending: str = "terminated") -> None:
        write_episode(self.writer, self.session, number, steps, ending)
        self.uplink.notify()

    def close(self) -> None:
        self.server.close()
        self.server.intake.close()


@pytest.fixture
def run(tmp_path) -> Iterator[Run]:
    run = Run(tmp_path)
    yield run
    run.close()


def columns_of(reader: LogReader) -> dict[str, np.ndarray]:
    reader.refresh()
    rows = np.arange(len(reader))
    return {name: reader.gather(rows, name) for name in ("seq", "episode_id", "step_index", "kind", "valid")}


def wrong_successors(reader: LogReader, session: int, starts: np.ndarray) -> int:
    """Return how many of rows `starts` are not followed by the next step of their own episode."""
    columns = columns_of(reader)
    states = reader.gather(starts + 1, "observation/state")
    frames = reader.gather(starts + 1, "observation/wrist")
    wrong = 0
    for start, state, frame in zip(starts, states, frames, strict=True):
        expected = code(session, int(columns["episode_id"][start]), int(columns["step_index"][start]) + 1)
        wrong += not (np.array_equal(state, expected[0]) and np.array_equal(frame, expected[1]))
    return wrong


def plain_starts(folder: Path, session: int) -> int:
    """Return how many records start a transition, after a check that each successor is the robot's."""
    count, records = 0, read_log(folder)
    assert all(one.sound for one in records)
    for one, after in pairwise(records):
        episode, step = one.number("episode_id"), one.number("step_index")
        follows = (after.seq, after.number("episode_id"), after.number("step_index")) == (
            one.seq + 1,
            episode,
            step + 1,
        )
        if follows and one.kind == STEP and one.valid and after.valid:
            count += 1
            state, frame = code(session, episode, step + 1)
            assert after.columns["observation/state"] == state.tobytes()
            assert after.columns["observation/wrist"] == frame.tobytes()
    return count


def check(reader: LogReader, session: int) -> int:
    """Assert that every valid start is followed by its own successor; return how many starts there are."""
    starts = np.nonzero(valid_starts(columns_of(reader)))[0]
    assert wrong_successors(reader, session, starts) == 0
    assert len(starts) == plain_starts(reader.folder, session)
    return len(starts)


def test_whole_episodes_with_scattered_interventions_and_time_outs(run):
    run.start_session(1)
    run.episode(0, 30)
    run.episode(1, 25, "truncated")
    run.episode(2, 1)
    run.end_session()
    (reader,) = run.server.intake.readers()
    assert check(reader, 1) == 30 + 25 + 1
    # The last step before a time-out has a true next observation too: the final record.
    kind, truncated = reader.gather(np.arange(len(reader)), "kind"), reader.gather(np.arange(len(reader)), "truncated")
    assert kind[np.nonzero(truncated)[0] + 1].tolist() == [Kind.FINAL]
    # Interventions are not contiguous, and each one's next observation is right all the same.
    human = reader.gather(np.arange(len(reader)), "has_human")
    assert np.count_nonzero(np.diff(np.nonzero(human)[0]) > 1) > 5


def test_a_crash_without_a_final_record_costs_one_start_and_nothing_else(run):
    run.start_session(1)
    run.episode(0, 12)
    run.episode(1, 9, "crash")
    run.end_session()  # the process is gone; its log had already been sent
    run.start_session(2)
    run.episode(0, 10)
    run.end_session()
    first, second = run.server.intake.readers()
    assert check(first, 1) == 12 + 8
    assert check(second, 2) == 10


def test_the_same_session_resumed_after_a_crash_does_not_join_two_episodes(run):
    run.start_session(1)
    run.episode(0, 9, "crash")
    run.end_session()
    run.start_session(1, resume=True)
    run.episode(1, 9)
    run.end_session()
    (reader,) = run.server.intake.readers()
    assert check(reader, 1) == 8 + 9


@pytest.mark.parametrize("side", ["actor", "learner"])
def test_a_deleted_segment_loses_its_records_and_no_other_s_successor(run, side):
    run.start_session(1)
    if side == "actor":
        run.uplink.close()
        for episode in range(4):
            write_episode(run.writer, 1, episode, 11)
        run.writer.sync()
        log_folder.paths(run.actor_log)[2][1].unlink()
        run.uplink = ZmqUplink(run.actor_config, LogReader(run.actor_log))
        run.uplink.connect(hello(1), 10.0)
    else:
        for episode in range(4):
            run.episode(episode, 11)
    run.end_session()
    if side == "learner":
        run.server.intake.sync()
        log_folder.paths(run.server.intake.folder / session_id(1))[2][1].unlink()
    reader = LogReader(run.server.intake.folder / session_id(1))
    assert len(reader) == 48 - 10
    # Records 20 to 29 are gone. Of 44 starts, 10 less the final record among them, and record 19, whose successor
    # went with them.
    assert check(reader, 1) == 44 - 9 - 1
    assert 20 not in reader.gather(np.arange(len(reader)), "seq")


def test_a_learner_that_restarts_in_the_middle_of_an_episode(run):
    run.start_session(1)
    for step in range(40):
        run.writer.append(record(1, 0, step))
        run.uplink.notify()
        if step in (13, 27):
            run.restart_learner()
    run.end_session()
    (reader,) = run.server.intake.readers()
    assert check(reader, 1) == 39


def test_records_that_are_not_valid_start_nothing_and_follow_nothing(run):
    run.start_session(1)
    for step in range(20):
        run.writer.append(record(1, 0, step, valid=step not in (5, 6, 11)))
    run.uplink.notify()
    run.end_session()
    (reader,) = run.server.intake.readers()
    assert check(reader, 1) == 19 - 3 - 2


def test_the_check_finds_wrong_successors_where_starts_are_taken_without_looking(run):
    run.start_session(1)
    run.episode(0, 9, "crash")
    run.episode(1, 5)
    run.end_session()
    (reader,) = run.server.intake.readers()
    steps = np.nonzero(columns_of(reader)["kind"] == Kind.STEP)[0]
    assert wrong_successors(reader, 1, steps) == 1
    assert check(reader, 1) == len(steps) - 1
