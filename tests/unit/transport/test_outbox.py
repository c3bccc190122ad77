from collections import deque
from dataclasses import replace

import msgspec
import pytest

from steadyhand.transport import log_folder
from steadyhand.transport.outbox import Outbox, Rejected
from steadyhand.transport.run_identity import Identity
from steadyhand.transport.wire import Accept, Lost, Records, Reject, Status
from tests.integrity.plain_log import flip
from tests.transport_kit import CONFIG, hello, record, session_id, writer_in

STATUS = Status(0, 0, -1, "")


def accept(next_seq: int) -> Accept:
    return Accept({}, 0, next_seq, STATUS)


def log_of(folder, count: int, **options):
    writer = writer_in(folder, **options)
    for step in range(count):
        writer.append(record(step=step))
    writer.sync()
    return writer


def drain(outbox: Outbox) -> list[range]:
    """Return the sent ranges, with every frame acknowledged at once."""
    sent = []
    while (batch := outbox.next_frame()) is not None:
        records, frame = batch
        assert len(frame) == records.count * outbox._reader.dtype.itemsize
        sent.append(range(records.first_seq, records.first_seq + records.count))
        outbox.on_ack(sent[-1].stop)
    return sent


def test_frames_continue_from_where_the_learner_is_and_are_bounded(tmp_path):
    log_of(tmp_path, 35)
    outbox = Outbox(tmp_path, CONFIG)
    outbox.introduce(hello())
    outbox.admit(accept(4))
    sent = drain(outbox)
    assert [seq for span in sent for seq in span] == list(range(4, 35))
    assert max(map(len, sent)) <= CONFIG.window_records // 4


def test_the_window_stops_it_until_something_is_acknowledged(tmp_path):
    log_of(tmp_path, 60, segment_bytes=1 << 16)
    outbox = Outbox(tmp_path, CONFIG)
    outbox.admit(accept(0))
    while outbox.next_frame() is not None:
        pass
    assert outbox.sender.under_way == CONFIG.window_records
    outbox.on_ack(8)
    assert outbox.next_frame()[0].first_seq == CONFIG.window_records


def arrived_shares(folder, rates: list[int], rounds: int = 40) -> list[float]:
    """Return the share of each actor's records that a learner takes which is too slow for a message a record.

    The learner takes one message of each actor in turn, as a ROUTER hands them out.
    """
    logs = [writer_in(folder / str(rate), segment_bytes=1 << 20) for rate in rates]
    boxes, queues = [Outbox(log.folder, CONFIG) for log in logs], [deque() for _ in rates]
    for box in boxes:
        box.admit(accept(0))
    for _ in range(rounds):
        for log, box, queue, rate in zip(logs, boxes, queues, rates, strict=True):
            for _ in range(rate):  # each is announced at once
                log.append(record(step=log.next_seq))
                box.look()
                while (batch := box.next_frame()) is not None:
                    queue.append(batch[0])
            if queue:
                message = queue.popleft()
                box.on_ack(message.first_seq + message.count)
    shares = [box.sender.acked / log.next_seq for box, log in zip(boxes, logs, strict=True)]
    for log, box in zip(logs, boxes, strict=True):
        box.close()
        log.close()
    return shares


def test_a_learner_that_is_behind_gets_the_same_share_of_every_actor_s_records(tmp_path, monkeypatch):
    shares = arrived_shares(tmp_path / "fair", [1, 3])
    assert min(shares) / max(shares) > 0.85
    # The twin: a message for each record, as many as the window has room for.
    monkeypatch.setattr("steadyhand.transport.outbox.FRAMES_PER_WINDOW", CONFIG.window_records)
    shares = arrived_shares(tmp_path / "unfair", [1, 3])
    assert min(shares) / max(shares) < 0.5


def test_what_was_appended_is_found_after_a_look(tmp_path):
    writer = log_of(tmp_path, 0)
    outbox = Outbox(tmp_path, CONFIG)
    outbox.admit(accept(0))
    assert outbox.next_frame() is None
    writer.append(record())
    outbox.look()
    assert outbox.next_frame()[0].count == 1


def test_a_hole_is_reported_only_when_all_before_it_has_arrived(tmp_path):
    log_of(tmp_path, 35).close()
    log_folder.paths(tmp_path)[1][1].unlink()
    outbox = Outbox(tmp_path, CONFIG)
    outbox.admit(accept(0))
    while outbox.next_frame() is not None:
        pass
    assert outbox.sender.sent == 10
    assert outbox.hole_end is None
    outbox.on_ack(10)
    assert outbox.next_frame() is None
    assert outbox.hole_end == 20
    assert outbox.introduce(hello()).first_seq == 20
    outbox.admit(accept(20))
    assert [seq for span in drain(outbox) for seq in span] == list(range(20, 35))


def test_a_trimmed_log_introduces_itself_with_its_oldest_record(tmp_path):
    log_of(tmp_path, 35, trim=True).forget(25)
    assert Outbox(tmp_path, CONFIG).introduce(hello()).first_seq == 20


def test_acknowledged_segments_can_be_asked_for_again_after_a_new_hello(tmp_path):
    log_of(tmp_path, 25)
    outbox = Outbox(tmp_path, CONFIG)
    outbox.admit(accept(0))
    drain(outbox)
    outbox.introduce(hello())
    outbox.admit(accept(0))  # another learner, with an empty folder
    assert [seq for span in drain(outbox) for seq in span] == list(range(25))


def test_a_learner_that_knows_more_than_the_log_is_not_believed(tmp_path):
    log_of(tmp_path, 5)
    outbox = Outbox(tmp_path, CONFIG)
    with pytest.raises(Rejected, match="up to seq 9, this log only up to 5"):
        outbox.admit(accept(9))


def test_a_rejection_carries_its_reasons(tmp_path):
    log_of(tmp_path, 1)
    with pytest.raises(Rejected) as caught:
        Outbox(tmp_path, CONFIG).admit(Reject(["a", "b"]))
    assert caught.value.reasons == ["a", "b"]


def test_the_hello_of_another_session_and_a_record_too_large_are_refused(tmp_path):
    log_of(tmp_path, 1)
    with pytest.raises(ValueError, match=session_id(0)):
        Outbox(tmp_path, CONFIG).check(hello(1))
    with pytest.raises(ValueError, match="max_frame_bytes"):
        Outbox(tmp_path, replace(CONFIG, max_frame_bytes=10))


def test_what_a_learner_says_cannot_write_on_the_terminal():
    rejected = Rejected(["fine", "\x1b[2J\nforged " + "x" * 10_000])
    assert rejected.reasons[0] == "fine"
    assert str(rejected).isprintable()
    assert len(str(rejected)) < 300


def test_an_accepted_session_belongs_to_that_learner_s_run(tmp_path):
    writer_in(tmp_path).close()
    outbox = Outbox(tmp_path, CONFIG)
    learner = Identity("pegs", "ab" * 16, "tasks:Peg", "fr3")
    mine = msgspec.structs.replace(hello(), identity=Identity(robot="fr3", joints=7))
    assert outbox.introduce(mine).identity.run_id == ""
    outbox.admit(Accept({}, 0, 0, STATUS, identity=learner))
    assert outbox.introduce(mine).identity == Identity("pegs", "ab" * 16, "", "fr3", 7)
    own = msgspec.structs.replace(hello(), identity=Identity("pegs", "cd" * 16))
    assert outbox.introduce(own).identity == own.identity  # a run of its own is never given up
    outbox.close()


def test_an_answer_is_one_message_that_the_learner_takes(tmp_path):
    log_of(tmp_path, 95).close()
    for index in (2, 3, 4):
        log_folder.paths(tmp_path)[index][1].unlink()
    flip(tmp_path, 12)
    outbox = Outbox(tmp_path, CONFIG)
    outbox.admit(accept(95))
    most = CONFIG.window_records // 4
    assert outbox.answer(0, 1000)[0] == Records(0, most)
    message, frame = outbox.answer(10, 3)
    assert (message, len(frame)) == (Records(10, 2), 2 * outbox._reader.dtype.itemsize)
    assert outbox.answer(12, 5) == (Lost(12, 1, 0, 12), None)
    assert outbox.answer(20, 1000)[0] == Lost(20, most, 0, 0)
    assert outbox.answer(45, 1000)[0] == Lost(45, 5, 0, 0)
    assert outbox.answer(93, 1000)[0] == Records(93, 2)
    assert outbox.answer(95, 3)[0] == Lost(95, 3, 0, 0)
    outbox.close()


def test_what_the_learner_holds_can_be_asked_for_while_the_file_is_there(tmp_path):
    log_of(tmp_path, 25)
    outbox = Outbox(tmp_path, CONFIG)
    outbox.admit(accept(25))
    outbox.on_durable(25)
    assert outbox.answer(3, 2)[0] == Records(3, 2)
    outbox.close()


def test_a_damaged_record_is_not_sent_and_reported_once(tmp_path, caplog):
    log_of(tmp_path, 25).close()
    flip(tmp_path, 7)
    outbox = Outbox(tmp_path, CONFIG)
    for _ in range(2):
        outbox.admit(accept(0))
        messages = []
        while (batch := outbox.next_frame()) is not None:
            messages.append(batch[0])
            outbox.on_ack(batch[0].first_seq + batch[0].count)
        assert [one for one in messages if isinstance(one, Lost)] == [Lost(7, 1, 0, 7)]
        assert sum(one.count for one in messages) == 25
    assert caplog.text.count("seq 7, episode 0, step 7: the record is damaged") == 1
    outbox.close()
