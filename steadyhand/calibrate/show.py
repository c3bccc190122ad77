"""List calibration files: kind, device, age, the settings that each gives, and how well it fits."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from steadyhand.runtime.calibration_file import CalibrationError, read_calibration
from steadyhand.settings import check_overrides
from steadyhand.terminal import say, table_text

__all__ = ["EPILOG", "add_options", "run"]

EPILOG = "Exits 1 if a file is damaged or was edited.\nexample: steadyhand calibrate show calibrations"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the argument for files and folders."""
    parser.add_argument("paths", metavar="PATH", nargs="+", type=Path, help="a calibration file, or a folder of them")


def run(options: argparse.Namespace, overrides: Sequence[str]) -> int:
    """Print one row for each file."""
    check_overrides(overrides, "calibrate show", ())
    rows, bad = [], 0
    for path in _files(options.paths):
        try:
            found = read_calibration(path)
        except CalibrationError as error:
            rows.append([path.name, "-", "-", "-", "-", str(error).removeprefix(f"{path}: ")])
            bad += 1
            continue
        gives = ", ".join(found.sets) or "-"
        rows.append([path.name, found.kind, found.device, f"{found.age_days:.1f}", gives, _numbers(found.residuals)])
    say(table_text(["file", "kind", "device", "age [days]", "gives", "residuals"], rows))
    return 1 if bad else 0


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        if not path.exists():
            raise CalibrationError(f"{path}: expected a calibration file or a folder of them, found nothing there")
        yield from sorted(path.glob("*.yaml")) if path.is_dir() else [path]


def _numbers(residuals: Mapping[str, Any]) -> str:
    shown = (f"{key} {value:.3g}" if isinstance(value, float) else f"{key} {value}" for key, value in residuals.items())
    return ", ".join(shown) or "-"
