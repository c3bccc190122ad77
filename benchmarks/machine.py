"""The machine that a benchmark ran on, in one line."""

from __future__ import annotations

import os
import platform
from pathlib import Path

__all__ = ["machine_line"]


def machine_line() -> str:
    """Return processor, cores, system and Python."""
    cpu_info = Path("/proc/cpuinfo")
    models = []
    if cpu_info.exists():
        lines = cpu_info.read_text(encoding="utf-8").splitlines()
        models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    model = models[0] if models else platform.processor() or platform.machine()
    return f"{model}, {cores} cores, {platform.system()} {platform.release()}, Python {platform.python_version()}"
