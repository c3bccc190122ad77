from contextlib import closing

from steadyhand.transport.scrubber import Scrubber
from tests.integrity.plain_log import flip
from tests.transport_kit import CLOCK, frames, session_id, wait_until

FAST = 1e9


def test_damaged_records_of_every_log_are_reported_round_after_round(tmp_path, monkeypatch):
    monkeypatch.setattr("steadyhand.transport.scrubber.REST_S", 0.01)
    for number in range(2):
        frames(tmp_path / str(number), 25, number)
        flip(tmp_path / str(number), 3 + number)
    found = []
    folders = [tmp_path / "0", tmp_path / "1"]
    with closing(Scrubber(lambda: folders, lambda *one: found.append(one), FAST)) as scrubber:
        wait_until(lambda: scrubber.rounds >= 2)
    assert set(map(str, found)) == {str((session_id(0), [3])), str((session_id(1), [4]))}
    assert len(found) >= 4


def test_a_log_that_cannot_be_read_is_said_once_and_the_others_are_checked(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr("steadyhand.transport.scrubber.REST_S", 0.01)
    frames(tmp_path / "good", 5)
    flip(tmp_path / "good", 2)
    found = []
    folders = [tmp_path / "none", tmp_path / "good"]
    with closing(Scrubber(lambda: folders, lambda *one: found.append(one), FAST)) as scrubber:
        wait_until(lambda: scrubber.rounds >= 3)
    assert caplog.text.count("cannot be checked") == 1
    assert found


def test_it_keeps_its_pace_and_stops_within_a_moment(tmp_path, monkeypatch):
    monkeypatch.setattr("steadyhand.transport.scrubber.REST_S", 0.01)
    size = len(frames(tmp_path, 25)) / 25
    scrubber = Scrubber(lambda: [tmp_path], lambda *one: None, size)  # a record a second
    wait_until(lambda: scrubber._thread.is_alive())
    began_ns = CLOCK.now_ns()
    scrubber.close()
    assert scrubber.rounds == 0
    assert CLOCK.now_ns() - began_ns < 2e9
