import os
from collections import namedtuple
from dataclasses import replace

import pytest

from steadyhand import storage
from steadyhand.runtime.build import ConfigError
from steadyhand.runtime.run_folder import RunFolder
from steadyhand.transport.ack_file import note_acknowledged
from steadyhand.transport.record import record_dtype
from tests.transport_kit import CONFIG, SCHEMA, session_id, write_episode, writer_in

SIZE = record_dtype(SCHEMA).itemsize
Usage = namedtuple("Usage", "free")


@pytest.fixture
def free(monkeypatch):
    def set_free(count):
        monkeypatch.setattr(storage.shutil, "disk_usage", lambda path: Usage(count))

    return set_free


def test_a_forecast_counts_every_copy_and_what_may_wait(tmp_path, free):
    free(10**9)
    one, two = (storage.forecast(SCHEMA, 1000, CONFIG, tmp_path, copies) for copies in (1, 2))
    spare = 4 * CONFIG.segment_bytes
    assert (one.record_bytes, one.free_bytes) == (SIZE, 10**9)
    assert one.needed_bytes == two.needed_bytes == 2000 * SIZE + spare
    bounded = storage.forecast(SCHEMA, 1000, replace(CONFIG, quota_bytes=10 * SIZE), tmp_path, 1)
    assert bounded.needed_bytes == 1010 * SIZE + spare
    with_features = storage.forecast(SCHEMA, 1000, CONFIG, tmp_path, 1, feature_bytes=500)
    assert with_features.needed_bytes == one.needed_bytes + 500_000


def test_a_run_that_does_not_fit_is_refused_by_a_line_with_the_numbers(tmp_path, free):
    needed = storage.forecast(SCHEMA, 1000, CONFIG, tmp_path).needed_bytes
    keep = replace(CONFIG, min_free_bytes=1000)
    free(needed + 1000)
    storage.check_room(storage.forecast(SCHEMA, 1000, keep, tmp_path), keep, tmp_path)
    free(needed + 999)
    with pytest.raises(ConfigError, match=r"1000 steps of .* kB need .* GB are free.*min_free_bytes.*runs prune"):
        storage.check_room(storage.forecast(SCHEMA, 1000, keep, tmp_path), keep, tmp_path)


def test_what_waits_in_the_actor_s_log_is_counted_over_its_sessions(tmp_path):
    run = RunFolder(tmp_path, "run")
    assert storage.waiting_records(run) == 0
    for number in (1, 2):
        writer = writer_in(run.log / storage.FORMER_OUTBOX / f"{number:032x}", number)
        write_episode(writer, number, 0, 9)
        writer.close()
    note_acknowledged(writer.folder, 4)
    assert storage.waiting_records(run) == 10 + 6


@pytest.mark.parametrize(
    ("address", "local"),
    [("tcp://127.0.0.1:5555", True), ("tcp://localhost:1", True), ("tcp://[::1]:1", True), ("tcp://10.0.0.1:1", False)],
)
def test_a_learner_on_this_machine_shares_the_disk(address, local):
    assert storage.is_local(address) == local


@pytest.fixture
def former(tmp_path):
    """A run as an earlier release left it: logs of two actors, and the rows of the newer one."""
    run = RunFolder(tmp_path, "run")
    for number, name in ((1, "leg"), (2, "arm")):
        writer = writer_in(run.log / storage.FORMER_OUTBOX / session_id(number), number, actor_id=name)
        write_episode(writer, number, 0, 9)
        writer.close()
        os.utime(writer.folder, ns=(number * 10**9, number * 10**9))
    (run.metrics / storage.FORMER_METRICS).write_text('{"env_steps": 9}\n', encoding="utf-8")
    return run


def test_what_an_earlier_release_kept_of_an_actor_comes_into_its_folder(former):
    arm = former.actor("arm")
    waiting = storage.waiting_records(former)
    for _ in range(2):  # again at the next start
        storage.bring_over(former, arm, "host")
        assert [path.name for path in arm.outbox.iterdir()] == [session_id(2)]
        assert arm.metrics.read_text(encoding="utf-8") == '{"env_steps": 9}\n'
    assert [path.name for path in (former.log / storage.FORMER_OUTBOX).iterdir()] == [session_id(1)]
    assert storage.waiting_records(former) == waiting == 20
    leg = former.actor("leg")
    storage.bring_over(former, leg, "host")
    assert not leg.metrics.exists()  # the rows were not its own
    assert not (former.log / storage.FORMER_OUTBOX).exists()


def test_rows_of_a_run_whose_logs_are_gone_are_those_of_this_machine(tmp_path):
    run = RunFolder(tmp_path, "run")
    (run.metrics / storage.FORMER_METRICS).write_text("{}\n", encoding="utf-8")
    storage.bring_over(run, run.actor("arm"), "host")
    assert (run.metrics / storage.FORMER_METRICS).exists()
    storage.bring_over(run, run.actor("host"), "host")
    assert run.actor("host").metrics.exists()


def test_what_waits_is_counted_over_the_actors(tmp_path):
    run = RunFolder(tmp_path, "run")
    for number, name in ((1, "left"), (2, "right")):
        writer = writer_in(run.actor(name).outbox / session_id(number), number, actor_id=name)
        write_episode(writer, number, 0, 9)
        writer.close()
    note_acknowledged(writer.folder, 4)
    assert storage.waiting_records(run) == 10 + 6
