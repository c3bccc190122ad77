"""The check of the learner's GPU."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from steadyhand.doctor.finding import Finding, broken, note, ok

__all__ = ["CHECKS"]

DRIVER = Path("/proc/driver/nvidia/version")


def check_gpu(config: Mapping[str, Any]) -> Finding:
    """Check for a GPU, a driver, and a torch build that supports both."""
    wanted = str(config["learner"]["device"])
    if torch.cuda.is_available():
        facts = torch.cuda.get_device_properties(0)
        return ok("gpu", f"{facts.name}, {facts.total_memory / 2**30:.0f} GiB, CUDA {torch.version.cuda}")
    if DRIVER.exists() and torch.version.cuda is None:
        found, mend = f"torch {torch.__version__} knows no CUDA", "build the environment with COMPUTE=cuda"
    elif torch.version.cuda is not None:
        found, mend = f"torch knows CUDA {torch.version.cuda}, but there is no GPU or no driver", "install the driver"
    else:
        found, mend = "none", "put a learner that reads frames on a machine with a GPU"
    if wanted == "cuda":
        return broken("gpu", f"{found}, and learner.device=cuda needs one", f"{mend}, or give learner.device=auto")
    return note("gpu", f"{found}; the learner computes on the CPU", mend)


CHECKS = (check_gpu,)
