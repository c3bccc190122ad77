"""Application of calibration files to a composed configuration."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, ListConfig, OmegaConf, open_dict

from steadyhand.runtime.calibration_file import Calibration, CalibrationError, read_calibration

__all__ = ["apply_calibrations"]

FILES, MAX_AGE, USED = "calibration.files", "calibration.max_age_days", "calibration.used"


def apply_calibrations(composed: DictConfig, given: Sequence[str], own: Path | None) -> None:
    """Set what the files of `calibration.files` give, and list them in `calibration.used`, which manifests keep.

    Args:
        composed: The composed configuration, not yet resolved; changed in place.
        given: Keys that the user's overrides set. A file that gives one of them is refused: which one holds would be
            unclear.
        own: The user's configuration folder; relative paths are looked up there, then in the working folder.

    Raises:
        CalibrationError: A file cannot be read, belongs to another device, or gives a setting that is set already.
    """
    names, max_age_days = OmegaConf.select(composed, FILES), OmegaConf.select(composed, MAX_AGE)
    if not isinstance(names, ListConfig) or not isinstance(max_age_days, (int, float)):
        return  # building the group says what is wrong
    used: list[dict[str, str]] = []
    setter: dict[str, str] = {}
    for name in names:
        path = _located(str(name), own)
        calibration = read_calibration(path, max_age_days=max_age_days)
        _check_owner(composed, calibration, path)
        for key, value in calibration.sets.items():
            if clash := next((other for other in given if _overlap(key, other)), None):
                raise CalibrationError(f"{clash}: {path} gives this setting; remove the override or the file")
            if key in setter:
                raise CalibrationError(f"{key}: expected one file that gives it, found {setter[key]} and {path}")
            setter[key] = str(path)
            _set(composed, key, value, path)
        used.append(
            {"file": str(path), "kind": calibration.kind, "made": calibration.made, "sha256": calibration.digest}
        )
    if used:
        OmegaConf.update(composed, USED, used, merge=False)


def _located(name: str, own: Path | None) -> Path:
    path = Path(name).expanduser()
    return own / path if own is not None and not path.is_absolute() and (own / path).exists() else path


def _check_owner(composed: DictConfig, calibration: Calibration, path: Path) -> None:
    for key, expected in calibration.belongs_to.items():
        found = OmegaConf.select(composed, key)
        if found != expected:
            raise CalibrationError(
                f"{path}: made with {key}={expected}, found {key}={'null' if found is None else found}; "
                f"calibrate this {calibration.kind.replace('_', '-')} again"
            )


def _set(composed: DictConfig, key: str, value: Any, path: Path) -> None:
    parent, _, name = key.rpartition(".")
    node = OmegaConf.select(composed, parent) if parent else composed
    if not isinstance(node, DictConfig):
        raise CalibrationError(f"{path}: gives {key}, which this configuration does not have")
    with open_dict(node):
        OmegaConf.update(node, name, value, merge=False)


def _overlap(key: str, other: str) -> bool:
    """Return whether one of two keys is the other, or contains it."""
    return key == other or key.startswith(f"{other}.") or other.startswith(f"{key}.")
