"""Checks of time: the machine's clock, and the wake-up latency of a process."""

from __future__ import annotations

import ctypes
import os
import resource
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from steadyhand.doctor.environment import is_mock
from steadyhand.doctor.finding import Finding, note, ok
from steadyhand.runtime.clock import MonotonicClock, utc_text, wall_time_ns

__all__ = ["CHECKS"]

EARLIEST_NS = 1_704_067_200_000_000_000  # start of 2024, before this software: a clock without a battery starts in 1970
UNSYNCHRONISED = 5  # return value of adjtimex while no time service keeps the clock
TIMEX_BYTES = 256  # struct timex is 208 bytes on 64-bit Linux
SLEEPS, SLEEP_NS = 50, 1_000_000
LATE_MS = 5.0
REALTIME_PRIORITY = 80
REALTIME_KERNEL = Path("/sys/kernel/realtime")


def check_clock(config: Mapping[str, Any]) -> Finding | None:
    """Check that a time service keeps the wall clock, which dates logs of several machines. Control never reads it."""
    if sys.platform != "linux":
        return None
    if wall_time_ns() < EARLIEST_NS:
        found = f"it says {utc_text(wall_time_ns())}"
        return note("clock", found, "sudo timedatectl set-ntp true: runs and evaluations are listed by their dates")
    state = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.create_string_buffer(TIMEX_BYTES))
    if state == UNSYNCHRONISED:
        return note("clock", "no time service keeps it", "sudo timedatectl set-ntp true, on every machine of the cell")
    return ok("clock", "kept by a time service") if state >= 0 else None


def check_punctuality(config: Mapping[str, Any]) -> Finding:
    """Measure the wake-up latency of a sleeping process."""
    clock, late_ns = MonotonicClock(), []
    for _ in range(SLEEPS):
        due_ns = clock.now_ns() + SLEEP_NS
        clock.sleep_until(due_ns)
        late_ns.append(clock.now_ns() - due_ns)
    late_ms = max(late_ns) / 1e6
    found = f"woken {late_ms:.2f} ms late at most, of {SLEEPS} short sleeps"
    if late_ms < LATE_MS:
        return ok("punctuality", found)
    return note("punctuality", found, "end what else computes here, and set the CPU governor to performance")


def check_rtprio(config: Mapping[str, Any]) -> Finding:
    """Check that a controller on this machine may request real-time priority."""
    limit = resource.getrlimit(resource.RLIMIT_RTPRIO)[1]
    limit = REALTIME_PRIORITY if limit == resource.RLIM_INFINITY or os.geteuid() == 0 else limit
    if limit >= REALTIME_PRIORITY:
        return ok("rtprio", "allowed")
    if is_mock(config):
        return ok("rtprio", f"{limit}; the mock robot needs none")
    mend = "add `@realtime - rtprio 99` to /etc/security/limits.conf, join that group, and log in again"
    return note("rtprio", f"at most {limit}, a controller on this machine wants {REALTIME_PRIORITY}", mend)


def check_kernel(config: Mapping[str, Any]) -> Finding | None:
    """Check for a real-time kernel, if this machine may drive a real arm."""
    if is_mock(config) or config["task"].get("kind") == "gym":
        return None
    if REALTIME_KERNEL.exists() and REALTIME_KERNEL.read_text().strip() == "1":
        return ok("kernel", f"{os.uname().release}, real-time")
    mend = "install a PREEMPT_RT kernel if the vendor's driver runs on this machine"
    return note("kernel", f"{os.uname().release}, not real-time", mend)


CHECKS = (check_clock, check_punctuality, check_rtprio, check_kernel)
