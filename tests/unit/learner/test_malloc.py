import subprocess
import sys

import pytest

FAULTS = """
import resource, sys
import torch
from steadyhand.learner.malloc import keep_freed_memory
torch.set_num_threads(1)
if sys.argv[1] == "keep" and not keep_freed_memory():
    sys.exit(77)
def work():
    for _ in range(50):
        torch.zeros(2, 256, 256) + torch.zeros(2, 256, 256)
work()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
work()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def test_arrays_that_come_and_go_cost_no_fresh_pages():
    done = subprocess.run([sys.executable, "-c", FAULTS, "keep"], capture_output=True, text=True, timeout=60)
    if done.returncode == 77:
        pytest.skip("this C library has no mallopt")
    assert int(done.stdout) < 50, done.stderr
