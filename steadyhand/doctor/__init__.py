"""Checks of a machine and a configuration: what is ready, and how to mend what is not."""

from __future__ import annotations

from steadyhand.doctor.checks import examine
from steadyhand.doctor.finding import Finding, Level, findings_text

__all__ = ["Finding", "Level", "examine", "findings_text"]
