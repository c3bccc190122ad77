"""F34: a link that breaks a thousand times. The number of open files stays flat on both sides."""

import os
from contextlib import closing

import numpy as np
import pytest

from steadyhand.transport import mapped_segment
from steadyhand.transport.local_uplink import LocalUplink
from steadyhand.transport.log import LogReader
from tests.faults.scale import FULL
from tests.transport_kit import hello, intake_in, record, session_id, writer_in

OUTAGES = 1000 if FULL else 100


def files() -> int:
    return len(os.listdir("/proc/self/fd"))


def break_often(tmp_path, outages: int) -> int:
    """Deliver a record, close the session, open it again ...; return the growth of the open files."""
    intake = intake_in(tmp_path / "learner")
    writer = writer_in(tmp_path / "actor", segment_bytes=1 << 20)
    with closing(LogReader(writer.folder)) as reader:
        uplink = LocalUplink(intake, reader)
    uplink.connect(hello(), 1.0)
    before = None
    for step in range(outages):
        writer.append(record(step=step))
        uplink.notify()
        for one in intake.readers():
            one.refresh()
        intake.bye(session_id(0))
        before = before or (files() if step == 10 else None)
    (stored,) = intake.readers()
    assert stored.refresh() == outages
    assert stored.gather(np.arange(outages), "step_index").tolist() == list(range(outages))
    grown = files() - before
    uplink.close()
    intake.close()
    writer.close()
    return grown


@pytest.mark.timeout(600)
def test_the_number_of_open_files_is_flat(tmp_path, record_property):
    grown = break_often(tmp_path, OUTAGES)
    record_property("files", grown)
    assert grown <= 2


def test_with_mappings_that_keep_their_files_it_would_grow(tmp_path, monkeypatch):
    real, kept = mapped_segment.map_file, []

    def keeping(fd):
        kept.append(os.dup(fd))
        return real(fd)

    monkeypatch.setattr(mapped_segment, "map_file", keeping)
    try:
        assert break_often(tmp_path, 16) > 15
    finally:
        for fd in kept:
            os.close(fd)
