import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
CODE = """
import atexit, logging, sys, threading, time
from steadyhand.runtime.leave import leave
logging.basicConfig(stream=sys.stdout, level=logging.INFO)
atexit.register(time.sleep, 60)
threading.Thread(target=time.sleep, args=(60,)).start()
logging.info("the last line")
print("and one that is not flushed", end="")
leave(3)
"""


def test_it_ends_at_once_with_the_status_and_loses_no_line():
    done = subprocess.run([sys.executable, "-c", CODE], cwd=ROOT, capture_output=True, text=True, timeout=30)
    assert done.returncode == 3
    assert done.stdout.endswith("the last line\nand one that is not flushed")
