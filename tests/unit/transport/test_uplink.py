import errno
import os

import numpy as np
import pytest

from steadyhand.transport.local_uplink import LocalUplink
from steadyhand.transport.log import LogReader
from steadyhand.transport.uplink import Behind, Progress, WeightsBox
from steadyhand.transport.weights import Weights, encode
from steadyhand.transport.wire import Status
from tests.transport_kit import hello, intake_in, record, session_id, write_episode, writer_in


def weights(epoch: int, version: int) -> bytes:
    return encode(Weights(epoch, version, {"w": np.full(3, version, np.float32)}))


def test_the_box_keeps_the_newest_and_gives_it_once():
    box = WeightsBox()
    assert box.take() is None
    box.put(weights(1, 1))
    box.put(weights(1, 3))
    box.put(weights(1, 2))
    box.put(weights(0, 9))
    box.put(b"junk")
    assert box.take().policy_version == 3
    assert box.take() is None
    assert box.ignored == 3
    box.put(weights(1, 3))
    assert box.take() is None
    box.put(weights(2, 0))
    assert box.take().learner_epoch == 2


def test_progress_is_what_the_status_says():
    assert Progress.of(True, 5, Status(9, 2, 40, "train", 4)) == Progress(True, 5, 4, 9, 2, 40, "train")


def test_a_local_record_is_stored_when_notify_returns(tmp_path):
    intake = intake_in(tmp_path / "learner")
    writer = writer_in(tmp_path / "actor")
    uplink = LocalUplink(intake, LogReader(tmp_path / "actor"))
    uplink.connect(hello(), 1.0)
    for step in range(25):
        writer.append(record(step=step))
        uplink.notify()
        assert intake.next_seq(session_id(0)) == uplink.progress().next_seq == step + 1


def test_notify_before_connect_does_nothing(tmp_path):
    writer_in(tmp_path / "actor")
    uplink = LocalUplink(intake_in(tmp_path / "learner"), LogReader(tmp_path / "actor"))
    uplink.notify()
    assert uplink.progress() == Progress()
    uplink.close()


def test_the_learner_s_full_disk_only_disconnects(tmp_path, monkeypatch):
    intake = intake_in(tmp_path / "learner")
    writer = writer_in(tmp_path / "actor")
    uplink = LocalUplink(intake, LogReader(tmp_path / "actor"))
    uplink.connect(hello(), 1.0)
    writer.append(record())
    real = os.pwritev

    def full(fd, parts, offset):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "pwritev", full)
    uplink.notify()
    assert not uplink.progress().connected
    monkeypatch.setattr(os, "pwritev", real)
    uplink.notify()
    assert uplink.progress().connected
    assert intake.next_seq(session_id(0)) == 1


def test_a_session_that_expired_is_introduced_again(tmp_path):
    intake = intake_in(tmp_path / "learner")
    writer = writer_in(tmp_path / "actor")
    uplink = LocalUplink(intake, LogReader(tmp_path / "actor"))
    uplink.connect(hello(), 1.0)
    intake.bye(session_id(0))
    writer.append(record())
    uplink.notify()
    assert intake.next_seq(session_id(0)) == 1


def test_a_log_that_has_lost_its_end_goes_on_behind_what_the_learner_holds(tmp_path):
    intake = intake_in(tmp_path / "learner")
    writer = writer_in(tmp_path / "whole")
    uplink = LocalUplink(intake, LogReader(writer.folder))
    write_episode(writer, 0, 0, 11)
    uplink.connect(hello(), 1.0)
    uplink.close()
    writer.close()
    writer = writer_in(tmp_path / "cut")  # the same session after a power cut
    write_episode(writer, 0, 0, 6, "crash")
    uplink = LocalUplink(intake, LogReader(writer.folder))
    with pytest.raises(Behind, match="up to seq 12, this log only up to 6") as behind:
        uplink.connect(hello(), 1.0)
    writer.skip_to(behind.value.next_seq)
    write_episode(writer, 0, 1, 4)
    uplink.connect(hello(), 1.0)
    uplink.close()
    writer.close()
    (reader,) = intake.readers()
    reader.refresh()
    assert reader.gather(np.arange(len(reader)), "seq").tolist() == list(range(17))
    assert reader.gather(np.arange(len(reader)), "episode_id").tolist() == [0] * 12 + [1] * 5
