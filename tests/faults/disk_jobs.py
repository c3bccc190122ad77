"""Everything that the product writes, as jobs by name."""

from __future__ import annotations

from tests.faults.file_jobs import CalibrationJob, CheckpointJob, DemoJob, LabelJob, RunJob
from tests.faults.log_jobs import LinkJob, LogJob

JOBS = {
    "log": LogJob(),
    "link": LinkJob(),
    "checkpoint": CheckpointJob(),
    "labels": LabelJob(),
    "calibration": CalibrationJob(),
    "demos": DemoJob(),
    "run": RunJob(),
}
