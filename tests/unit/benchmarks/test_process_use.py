import subprocess
import sys

import pytest

from benchmarks.process_use import ProcessUse, process_use

# In a process of its own: threads and memory of other tests come and go in this one.
GROWING = """
import os, threading
print("small", flush=True)
input()
threading.Thread(target=threading.Event().wait, daemon=True).start()
held, file = b"x" * 50_000_000, open(os.devnull)
print("large", flush=True)
input()
"""


def test_a_file_a_thread_and_memory_are_seen():
    command = [sys.executable, "-c", GROWING]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout.readline() == "small\n"
        before = process_use(child.pid)
        print(file=child.stdin, flush=True)
        assert child.stdout.readline() == "large\n"
        after = process_use(child.pid)
        print(file=child.stdin, flush=True)
    assert after.descriptors == before.descriptors + 1
    assert after.threads == before.threads + 1
    assert after.rss_mb - before.rss_mb > 30.0
    assert after.cpu_s >= before.cpu_s > 0.0


def test_uses_add_up_and_a_process_that_is_gone_has_none():
    assert ProcessUse(1.0, 2, 3, 4.0) + ProcessUse(1.0, 2, 3, 4.0) == ProcessUse(2.0, 4, 6, 8.0)
    with pytest.raises(FileNotFoundError):
        process_use(2**22 + 1)
