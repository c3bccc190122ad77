"""Checks of a machine and a configuration, with a fix for each problem."""

from __future__ import annotations

from steadyhand.doctor.checks import examine
from steadyhand.doctor.finding import Finding, Level, findings_text

__all__ = ["Finding", "Level", "examine", "findings_text"]
