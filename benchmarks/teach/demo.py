"""Teach the insertion through the operator's page and a SpaceMouse alone: record, practise with corrections, evaluate.

    python -m benchmarks.teach.demo [--practice-s 840] [--episodes 100] [group=option key=value ...]

The verbs of the product run as their own processes, as in terminals, in real time, with a page and `device=spacemouse`.
The person (`benchmarks/teach/person.py`) is one more process with a browser, an emulated SpaceMouse behind the real
spacenavd, and eyes. Nothing in the product corrects by itself. Pictures of the page, the report and the figures
(`teach_demo.json`) stay in the run's folder. The exit status is 0 if the policy reaches the required success in time.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.command import Command, started
from benchmarks.machine import machine_line
from benchmarks.teach.desk import BrowserPage, SpaceMouseHand
from benchmarks.teach.person import Habits, Person
from benchmarks.teach.sight import PORT_VARIABLE, SeenFr3, Sight
from benchmarks.teach.skill import InsertionSkill, SkillConfig
from steadyhand.job import new_job, quoted, seed_for
from steadyhand.robot_envs.experts.expert import ActionScale
from steadyhand.runtime.clock import MonotonicClock
from steadyhand.runtime.config import compose
from steadyhand.runtime.run_folder import atomic_write_json
from steadyhand.subprocesses import free_addresses
from steadyhand.terminal import duration_text, say, table_text
from steadyhand.transport.demo_set import read_manifest
from tests.spacenav_kit import Cap, Daemon
from tests.web_kit import Browser

__all__ = ["main"]

TASK = ("task=peg_insert", "camera=wrist_side", f"robot.entry_point={SeenFr3.__module__}:{SeenFr3.__name__}")
CONSOLE = ("device=spacemouse", "actor.web.enabled=true", "actor.web.port=0")
RECORDING = ("demo.demos=10", "demo.dialogue.countdown_s=1")
REQUIRED, LIMIT_MIN = 0.85, 25.0
PICTURE_S = {"record": 20.0, "act": 90.0, "eval": 20.0}  # after the beginning of a stage


class Lesson:
    """The whole lesson, stage by stage.

    Args:
        run: Folder of the run.
        words: Overrides of every verb.
        desk: The person's browser, cap and eyes.
        seed: Of the person.
    """

    def __init__(self, run: Path, words: Sequence[str], desk: tuple[Browser, Cap, Sight], seed: int) -> None:
        self._run, self._words, self._seed = run, tuple(words), seed
        self._browser, self._cap, self._sight = desk
        self._config = compose(list(self._words))
        self._clock = MonotonicClock()
        self.wall_s: dict[str, float] = {}
        self.deeds: dict[str, dict[str, int]] = {}

    def record(self) -> None:
        """Record the demonstrations."""
        with self._command("record", *RECORDING) as record:
            self._attend(record, Person.demonstrate)

    def practise(self, longest_s: float) -> str:
        """Train with corrections; return the last line of the actor."""
        address, weights_address = free_addresses(2)
        link = (f"transport.address={address}", f"transport.weights_address={weights_address}")
        with self._command("learn", *link) as learner, self._command("act", *link, _wall(longest_s)) as actor:
            self._attend(actor, Person.correct)
            learner.end()
            return actor.output.strip().splitlines()[-1]

    def evaluate(self, episodes: int) -> dict[str, Any]:
        """Evaluate the policy, with the person's hands off; return the result."""
        path = self._run / "evaluation.json"
        with self._command("eval", f"episodes={episodes}", "--json", str(path)) as evaluation:
            self._attend(evaluation, Person.watch)
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return found

    def report(self) -> None:
        """Write the run's report."""
        with started("report", self._words[-2:], self._run) as report:
            report.check()

    def _attend(self, command: Command, do: Callable[[Person, threading.Event], None]) -> None:
        began_ns = self._clock.now_ns()
        page = BrowserPage(self._browser, command.page_address())
        drive = self._config["task"]["drive"]
        scale, rng = ActionScale(drive["action_scale_m"], drive["action_scale_rad"]), np.random.default_rng(self._seed)
        skill = InsertionSkill(SkillConfig(), scale, drive["control_period_s"], rng)
        hand = SpaceMouseHand(self._cap, self._config["device"]["mapping"])
        person = Person(Habits(), skill, self._sight, hand, page, self._seed)
        picture = self._run / f"page_{command.verb}.png"
        timer = threading.Timer(PICTURE_S[command.verb], page.keep_picture, (picture,))
        timer.start()
        try:
            do(person, command.is_over)
        finally:
            timer.cancel()
        command.check()
        self.wall_s[command.verb] = (self._clock.now_ns() - began_ns) / 1e9
        self.deeds[command.verb] = dict(person.counts)
        say(f"{command.verb}: {duration_text(self.wall_s[command.verb])}; {_deeds_text(person.counts)}")

    def _command(self, verb: str, *more: str) -> AbstractContextManager[Command]:
        return started(verb, [*self._words, *more], self._run, **{PORT_VARIABLE: str(self._sight.port)})


def main(argv: Sequence[str] | None = None) -> int:
    """Run the lesson, and print and keep the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--practice-s", type=float, default=840.0, help="wall time of practice [s]")
    parser.add_argument("--episodes", type=int, default=100, help="episodes of the evaluation")
    options, overrides = parser.parse_known_args(argv)
    clock = MonotonicClock()
    began_ns, load = clock.now_ns(), os.getloadavg()[0]
    with ExitStack() as closing:
        folder = Path(closing.enter_context(tempfile.TemporaryDirectory(prefix="teach-")))
        job = closing.enter_context(new_job(["run_root=runs/teach-demo", *TASK, *overrides]))
        job.write_manifest()
        run, seed = job.run.path, seed_for(job.seed, "person")
        say(f"teach-demo: {run}")
        sight, cap, daemon = Sight(), Cap(), Daemon(folder / "spacenav")
        for end in (sight.close, cap.unplug, daemon.kill):
            closing.callback(end)
        daemon.start(cap)
        browser = Browser(folder / "profile")
        closing.callback(browser.close)
        words = [*TASK, *CONSOLE, f"device.socket={daemon.socket}", *overrides]
        words += [f"run_root={quoted(run.parent.absolute())}", f"run_name={run.name}"]
        lesson = Lesson(run, words, (browser, cap, sight), seed)
        lesson.record()
        practice = lesson.practise(options.practice_s)
        say(practice)
        result = lesson.evaluate(options.episodes)
        minutes = (clock.now_ns() - began_ns) / 60e9
        lesson.report()
        demos = read_manifest(job.run.demos)
        facts = {
            "machine": machine_line(),
            "load_average": [load, os.getloadavg()[0]],
            "minutes": minutes,
            "wall_s": lesson.wall_s,
            "deeds": lesson.deeds,
            "demonstrations": {"kept": demos.successes, "attempts": demos.episodes, "steps": demos.steps},
            "practice": practice,
            "evaluation": {key: value for key, value in result.items() if key != "rows"},
        }
        atomic_write_json(run / "teach_demo.json", facts)
    say(_table(facts))
    return 0 if result["success_rate"] >= REQUIRED and minutes <= LIMIT_MIN else 1


def _wall(longest_s: float) -> str:
    return f"actor.max_wall_s={longest_s}"


def _deeds_text(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items())) or "nothing pressed"


def _table(facts: dict[str, Any]) -> str:
    demos, result = facts["demonstrations"], facts["evaluation"]
    low, high = (100 * result[name] for name in ("wilson_low", "wilson_high"))
    interval = f"(95 % interval {low:.1f} to {high:.1f} %)"
    rows = [
        ("demonstrations", f"{demos['kept']} of {demos['attempts']} attempts, {demos['steps']} steps"),
        ("unassisted success", f"{result['successes']} of {result['episodes']} {interval}"),
        ("from the start to the end of the evaluation", f"{facts['minutes']:.1f} min, limit {LIMIT_MIN:.0f} min"),
    ]
    return table_text(("", ""), rows)


if __name__ == "__main__":
    raise SystemExit(main())
