"""Bring in, give away and look after recorded data. No step changes a set without a copy of the old one."""

from __future__ import annotations

__all__ = ["EPILOG", "STEPS"]

# A step's module is `steadyhand.data.<name>`, like those of `calibrate`; `import` is a keyword, so its module is
# `steadyhand.data.import_`.
STEPS = {
    "import": "make a demo set of a LeRobot, robomimic or Minari data set, or of SERL transitions",
    "export": "write a demo set or a log as a LeRobot, robomimic or Minari data set",
    "show": "show what a set holds, and what in it would harm training; --plots writes a page",
    "view": "write one episode as a page: frames, and curves with a slider",
    "merge": "join demo sets of one task",
    "split": "split a demo set in two, by episodes",
    "delete": "leave episodes out of a demo set",
    "trim": "cut steps off the ends of an episode",
    "relabel": "mark episodes as success or failure, as the verb `relabel` does",
}

EPILOG = (
    "docs/data.md describes each step and format.\n"
    "example: steadyhand data import pusht_dataset demos/pusht task=gym task.entry_point=my_package.envs:make_env\n"
    "example: steadyhand data export runs/pegs/demos pegs-lerobot --to lerobot\n"
    "example: steadyhand data delete runs/pegs/demos 3,7-9 --out demos/pegs-clean"
)
