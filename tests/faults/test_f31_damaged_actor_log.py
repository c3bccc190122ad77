"""F31: bytes of an actor's log change on its disk. Every other record arrives, and both sides say which one did not.

The account is taken by a reader that shares no code with the product.
"""

import re
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from steadyhand.transport import segment
from steadyhand.transport.local_uplink import LocalUplink
from steadyhand.transport.log import LogReader
from steadyhand.transport.zmq_server import ZmqServer
from steadyhand.transport.zmq_uplink import ZmqUplink
from tests.integrity.plain_log import LOST, flip, header, read_log
from tests.transport_kit import CONFIG, hello, intake_in, reaching, session_id, wait_until, write_episode, writer_in

EPISODES, STEPS = 20, 49  # with its last observation an episode has 50 records
COUNT = EPISODES * (STEPS + 1)
BAD = 456


class Link:
    """A learner, and an actor that connects to it over sockets or in one process."""

    def __init__(self, folder: Path, kind: str, stack: ExitStack) -> None:
        self.folder, self.kind, self.stack = folder, kind, stack
        self.intake = stack.enter_context(closing(intake_in(folder / "learner")))
        if kind == "zmq":
            self.server = stack.enter_context(closing(ZmqServer(self.intake, CONFIG)))

    @property
    def stored(self) -> Path:
        return self.folder / "learner" / session_id(0)

    def connect(self) -> ZmqUplink | LocalUplink:
        with closing(LogReader(self.folder / "actor")) as reader:
            if self.kind == "zmq":
                uplink = ZmqUplink(reaching(CONFIG, self.server), reader)
            else:
                uplink = LocalUplink(self.intake, reader)
        self.stack.enter_context(closing(uplink))
        uplink.connect(hello(), 10.0)
        return uplink


@pytest.fixture(params=["local", "zmq"])
def link(request, tmp_path) -> Iterator[Link]:
    with ExitStack() as stack:
        yield Link(tmp_path, request.param, stack)


def record_run(folder: Path) -> list[bytes]:
    """Write the episodes; return the records as they were written."""
    with closing(writer_in(folder, segment_bytes=1 << 16)) as writer:  # about 300 records
        for episode in range(EPISODES):
            write_episode(writer, 0, episode, STEPS)
    return [one.raw for one in read_log(folder)]


@pytest.mark.parametrize("bad", [[BAD], [0], [COUNT - 1], [BAD, BAD + 1, BAD + 30], list(range(300, 340))], ids=str)
def test_all_but_the_damaged_records_arrive(link, bad, caplog, record_property):
    written = record_run(link.folder / "actor")
    for seq in bad:
        flip(link.folder / "actor", seq)
    uplink = link.connect()
    wait_until(lambda: uplink.progress().next_seq == COUNT)
    wait_until(lambda: uplink.progress().quarantined == len(bad))
    stored = read_log(link.stored)
    assert [one.seq for one in stored] == list(range(COUNT))
    assert all(one.sound for one in stored)
    record_property("sound_records_lost", sum(one.raw != written[one.seq] for one in stored if one.seq not in bad))
    assert [one.seq for one in stored if one.raw != written[one.seq]] == bad
    for seq in bad:
        assert (stored[seq].kind, stored[seq].valid) == (LOST, False)
        assert (stored[seq].number("episode_id"), stored[seq].number("step_index")) == divmod(seq, STEPS + 1)
    episode, step = divmod(bad[0], STEPS + 1)
    where = f"session {session_id(0)}, seq {bad[0]}"
    for side, line in (("actor", "damaged in this machine's log"), ("learner", "missing in its actor's log")):
        said = [text for text in caplog.messages if line in text]
        assert re.match(rf"{where}( to \d+)?, episode {episode}, step {step}: ", said[0]), (side, said)


def test_without_the_check_before_sending_those_behind_it_never_arrive(link, monkeypatch):
    record_run(link.folder / "actor")
    flip(link.folder / "actor", BAD)
    monkeypatch.setattr(LogReader, "sound_run", lambda self, lo, hi, again=False: hi - lo)
    uplink = link.connect()
    for _ in range(3):
        uplink.notify()
    before = BAD // CONFIG.window_records * CONFIG.window_records
    wait_until(lambda: before <= uplink.progress().next_seq <= BAD)
    with pytest.raises(AssertionError, match="not within"):
        wait_until(lambda: uplink.progress().next_seq > BAD, 1.0)


def test_a_record_damaged_between_two_attempts_to_send_it(tmp_path, monkeypatch):
    """The reader has checked it already; the learner refuses it; it is checked again before it is sent again."""
    with ExitStack() as stack:
        link = Link(tmp_path, "zmq", stack)
        record_run(link.folder / "actor")
        real, done = LogReader.frame, []

        def frame(self, lo, hi):
            if not done and lo <= BAD < hi:
                done.append(flip(link.folder / "actor", BAD))
            return real(self, lo, hi)

        monkeypatch.setattr(LogReader, "frame", frame)
        uplink = link.connect()
        wait_until(lambda: uplink.progress().next_seq == COUNT)
        assert [one.seq for one in read_log(link.stored) if one.kind == LOST] == [BAD]


@pytest.mark.parametrize("bad", [[3], [3, 4, 5], [7, 20]])
def test_a_crash_after_the_last_sync_with_a_damaged_record_costs_that_record(link, bad):
    """The writer is let go of as a kill does; 30 records are in the page cache only."""
    writer = writer_in(link.folder / "actor", segment_bytes=1 << 16)
    write_episode(writer, 0, 0, 10)
    writer.sync()
    write_episode(writer, 0, 1, 29)
    for seq in bad:
        flip(link.folder / "actor", 11 + seq)
    again = writer_in(link.folder / "actor", segment_bytes=1 << 16)
    assert again.next_seq == 41
    write_episode(again, 0, 2, 5)
    uplink = link.connect()
    wait_until(lambda: uplink.progress().next_seq == again.next_seq == 47)
    stored = read_log(link.stored)
    assert [one.seq for one in stored if one.kind == LOST] == [11 + seq for seq in bad]
    assert [one.seq for one in stored] == list(range(47))
    again.close()


@pytest.mark.parametrize("place", [0, 8, 12, 16, 30, 41, 44, 48, 52, 56, 59, 60, 99])
@pytest.mark.parametrize("sealed", [True, False])
def test_one_bit_in_any_field_of_header_or_mark_costs_no_record(tmp_path, place, sealed):
    folder = tmp_path / "actor"
    writer = writer_in(folder)
    for episode in range(3):
        write_episode(writer, 0, episode, 10)
    writer.sync()
    if sealed:
        writer.close()
    for path in folder.glob("*.segment"):
        with path.open("r+b") as file:
            file.seek(place)
            byte = file.read(1)[0]
            file.seek(place)
            file.write(bytes([byte ^ 16]))
    assert len(LogReader(folder)) == 33
    again = writer_in(folder)
    assert again.next_seq == 33
    again.close()
    assert [one.seq for one in read_log(folder)] == list(range(33))
    assert all(header(path.read_bytes()) for path in folder.glob("*.segment"))


def test_a_mark_that_is_believed_without_a_checksum_would_cost_records(tmp_path, monkeypatch):
    folder = tmp_path / "actor"
    with closing(writer_in(folder)) as writer:
        write_episode(writer, 0, 0, 28)

    def believe(fd, head):
        value = int.from_bytes(segment.os.pread(fd, 8, head.place), "little", signed=True)
        return (value, True) if value >= 0 else (-1 - value, False)

    monkeypatch.setattr(segment, "read_mark", believe)
    path = sorted(folder.glob("*.segment"))[0]
    with path.open("r+b") as file:
        file.seek(48)
        file.write(bytes([10 ^ 2]))
    assert len(LogReader(folder)) == 27
