import os
import threading

import pytest

from benchmarks.process_use import ProcessUse, process_use


def test_a_file_a_thread_and_memory_are_seen():
    before, done = process_use(os.getpid()), threading.Event()
    thread = threading.Thread(target=done.wait)
    thread.start()
    held = bytearray(b"x" * 50_000_000)
    with open(os.devnull) as file:
        after = process_use(os.getpid())
        assert not file.closed
    done.set()
    thread.join()
    assert after.descriptors == before.descriptors + 1
    assert after.threads == before.threads + 1
    assert after.rss_mb - before.rss_mb > 30.0
    assert len(held) == 50_000_000
    assert after.cpu_s >= before.cpu_s > 0.0


def test_uses_add_up_and_a_process_that_is_gone_has_none():
    assert ProcessUse(1.0, 2, 3, 4.0) + ProcessUse(1.0, 2, 3, 4.0) == ProcessUse(2.0, 4, 6, 8.0)
    with pytest.raises(FileNotFoundError):
        process_use(2**22 + 1)
