"""Check a log or a demo set for damage, and repair it from another copy."""

from __future__ import annotations

__all__ = ["EPILOG", "STEPS"]

# A step's module is `steadyhand.log.<name>`; like a verb's, it is imported only when asked for.
STEPS = {
    "check": "read every checksum and list the damaged, missing and lost records: episodes, steps, bytes",
    "repair": "renew headers, copy damaged records from another copy, quarantine the rest",
}

EPILOG = (
    "Learners repair their own logs while the actor still has the records; this is for logs at rest.\n"
    "docs/damaged-logs.md describes what is checked.\n"
    "example: steadyhand log check runs/pegs"
)
