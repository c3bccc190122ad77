"""The CPU load of the watchdog and of the actor's end of the topics, at several rates of the robot's state.

    python -m benchmarks.ros_state [--before FOLDER] [--turns 3] [--seconds 10]

Pose, twist, joints and wrench each come at that rate. `--before` names an unpacked checkout of another commit, which is
measured in turns with this one. The share of a core is the user and system time of the whole process, including the
middleware's threads, divided by the elapsed time. The actor reads and commands at the control rate; it has no policy
and no cameras. Figures are meaningful only on a quiet machine: with a load average above the number of cores, processes
had to wait.
"""

from __future__ import annotations

import argparse
import itertools
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.machine import machine_line
from steadyhand.runtime.clock import MonotonicClock
from steadyhand.runtime.run_folder import atomic_write_json

ROOT = Path(__file__).resolve().parents[1]
FILE = ROOT / "benchmarks" / "results" / "ros_state.json"
RATES_HZ = (100, 500, 1000)
SPARE_S = 5.0
FIRST_DOMAIN = 120
TARGET = 40.0  # % of a core, actor and watchdog together
CLOCK = MonotonicClock()


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print a table, and write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--before", type=Path)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=10.0)
    given = parser.parse_args(arguments)
    roots = {"now": ROOT} | ({"before": given.before.resolve()} if given.before else {})
    domains = itertools.count(FIRST_DOMAIN)  # a new domain excludes remains of the previous measurement
    found: dict[tuple[str, int], list[dict[str, float]]] = {}
    for rate in RATES_HZ:
        for turn in range(given.turns):
            for name, root in roots.items():
                figures = measure(root, rate, given.seconds, next(domains))
                found.setdefault((name, rate), []).append(figures)
                print(name, rate, "Hz, turn", turn + 1, figures, flush=True)
    rows = [{"code": name, "rate_hz": rate} | middle(turns) for (name, rate), turns in found.items()]
    atomic_write_json(
        FILE, {"machine": machine_line(), "target_percent": TARGET, "seconds": given.seconds, "rows": rows}
    )
    for row in rows:
        print(row)
    return 0


def measure(root: Path, rate_hz: int, seconds: float, domain: int) -> dict[str, float]:
    """Return the shares of a core [%], the actual rate [Hz], and the age of the state when read [ms]."""
    peers = ROOT / "ros2_ws" / "src" / "actor" / "test" / "state_peers.py"
    arguments = ["--ros-args", "-p", "task:=reach"]
    with (
        process(root, domain, "-m", "actor_ros.watchdog_node", *arguments) as watchdog,
        process(root, domain, str(peers), "robot", str(rate_hz)) as robot,
        process(root, domain, str(peers), "actor", str(seconds + SPARE_S)) as actor,
    ):
        require(actor, "connected")
        began_ns, before = CLOCK.now_ns(), [cpu_s(each.pid) for each in (watchdog, actor)]
        CLOCK.sleep_until(began_ns + round(seconds * 1e9))
        passed_s = (CLOCK.now_ns() - began_ns) * 1e-9
        after = [cpu_s(each.pid) for each in (watchdog, actor)]
        shares = [100.0 * (late - early) / passed_s for early, late in zip(before, after, strict=True)]
        p50, p99, silent = require(actor, "age ").split()[1:]
        if silent != "-":
            raise RuntimeError(f"expected state at {rate_hz} Hz, found {silent} silent; the machine is too busy")
        robot.send_signal(signal.SIGINT)
        reached = float(require(robot, "rate ").split()[1])
    return {
        "watchdog_percent": shares[0],
        "actor_percent": shares[1],
        "together_percent": sum(shares),
        "reached_hz": reached,
        "age_p50_ms": float(p50),
        "age_p99_ms": float(p99),
        "load_average": os.getloadavg()[0],
    }


@contextmanager
def process(root: Path, domain: int, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Run a program of a checkout, and kill it when the context ends."""
    path = [root / "ros2_ws" / "src" / "actor", root]
    network = {"ROS_DOMAIN_ID": str(domain), "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST"}
    environment = os.environ | network | {"PYTHONPATH": os.pathsep.join(map(str, path))}
    child = subprocess.Popen([sys.executable, *arguments], cwd=root, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        yield child
    finally:
        child.kill()
        child.wait()


def require(child: subprocess.Popen[str], start: str) -> str:
    """Return the first output line that begins with `start`. Raises RuntimeError if the process ends without one."""
    assert child.stdout is not None
    for line in child.stdout:
        if line.startswith(start):
            return line
    raise RuntimeError(f"{child.args}: expected a line {start!r}, found none; look at what it says")


def cpu_s(pid: int) -> float:
    """Return the user and system time of a process so far [s]."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def middle(turns: Sequence[dict[str, float]]) -> dict[str, Any]:
    """Return the median of each figure, and the shares of each turn."""
    found = {name: round(median(turn[name] for turn in turns), 2) for name in turns[0]}
    return found | {"together_percent_of_turns": [round(turn["together_percent"], 1) for turn in turns]}


if __name__ == "__main__":
    sys.exit(main())
