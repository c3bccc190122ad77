"""A day of bad luck: kills, full disks, clock jumps, cut links, flipped bits and junk, composed by a seed.

    python -m benchmarks.bad_luck [--steps 864000] [--minutes M] [--faults 40] [--seed 0]

A day of 10 Hz has 864,000 steps. They run in the deterministic simulation of F37, world by world, with the product's
own session, outbox, messages, intake, logs and checkpoints; --minutes ends it earlier, and the table has the steps that
were made. Real processes then live through --faults faults. The accounts are taken by readers that share no code with
the product. A failure names its seed.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.day_processes import live_for_real
from benchmarks.day_world import Tally, live
from benchmarks.machine import machine_line
from benchmarks.measure import CLOCK
from steadyhand.runtime.run_folder import atomic_write_bytes, atomic_write_json
from steadyhand.terminal import duration_text, say, table_text

__all__ = ["main", "write_table"]

RESULTS = Path(__file__).resolve().parent / "results"
DAY_STEPS = 864_000  # of a robot at 10 Hz
WORLD_STEPS = 500  # of one world: it reads its logs again and again, so longer ones take more time a step
TOLD_EVERY = 50  # worlds between two lines
SECONDS_NS = 1_000_000_000
COUNTS = ("recorded", "stored", "quarantined", "lost", "doubled", "out_of_order", "wrong", "misnamed")


def simulate(steps: int, seed: int, limit_s: float | None) -> tuple[Tally, float]:
    """Return the account of worlds of `steps` steps in all, or of as many as `limit_s` allows, and the time [s]."""
    found, began_ns, worlds = Tally(), CLOCK.now_ns(), 0
    while found.recorded < steps:
        elapsed_s = (CLOCK.now_ns() - began_ns) / SECONDS_NS
        if limit_s is not None and elapsed_s >= limit_s:
            break
        found += live(seed + worlds, min(WORLD_STEPS, steps - found.recorded))
        worlds += 1
        if worlds % TOLD_EVERY == 0:
            say(f"{found.recorded:,} steps, {found.faults.total():,} faults, {found.violations} violations")
    return found, (CLOCK.now_ns() - began_ns) / SECONDS_NS


def write_table(results: Path, head: dict[str, Any], simulated: dict[str, Any], real: dict[str, Any] | None) -> str:
    """Write `bad_luck.json` and `bad_luck.md`, and return the text.

    Args:
        results: Their folder.
        head: The machine, a note on its load, the seed, and the steps of a world and of the day.
        simulated: The account of the simulation, with its `seconds`.
        real: The account of the real processes; None = they did not run.
    """
    account = [(name.replace("_", " "), f"{simulated[name]:,}", "-") for name in COUNTS]
    faults = dict(simulated["faults"])
    seconds, hurt = duration_text(simulated["seconds"]), dict.fromkeys(faults, 0)
    if real is not None:
        said = {"recorded": f"{real['records']:,}", "stored": f"{real['records']:,}"}
        said |= dict.fromkeys(("lost", "doubled", "out of order", "wrong"), "0")
        account = [(name, value, said.get(name, "-")) for name, value, _ in account]
        account.append(("open steps at kills of the actor", "-", f"{real['open_steps']:,}"))
        hurt |= real["faults"]
    account.append(("wall time", seconds, "-" if real is None else duration_text(real["seconds"])))
    kinds = [(kind, f"{faults.get(kind, 0):,}", f"{hurt[kind]:,}") for kind in sorted(hurt)]
    part = f"{simulated['recorded']:,} of {head['wanted_steps']:,} steps"
    text = "\n".join(
        (
            *(line for line in (head["machine"], head["note"]) if line),
            f"\nSimulation: {part}, in worlds of {head['world_steps']:,}, seeds from {head['seed']}. Actor, link,",
            "learner and two disks in one thread under a fake clock, with the product's own code. Processes: a real",
            "actor and learner over ZeroMQ; full disks, clock jumps and flipped bits are in the simulation alone.\n",
            f"{table_text(('records', 'simulation', 'processes'), account)}\n",
            f"{table_text(('fault', 'simulation', 'processes'), kinds)}\n",
            "Quarantined: the last sound copy had a flipped bit. `steadyhand log check` names each of them.\n",
        )
    )
    results.mkdir(parents=True, exist_ok=True)
    atomic_write_json(results / "bad_luck.json", {**head, "simulation": simulated, "processes": real})
    atomic_write_bytes(results / "bad_luck.md", f"# A day of bad luck\n\n```\n{text}```\n".encode())
    return text


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the day, and print the table; return 1 if a record was lost, doubled, wrong, misnamed or out of order."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.bad_luck",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--steps", type=int, default=DAY_STEPS, help="of the simulation (%(default)s)")
    parser.add_argument("--minutes", type=float, help="end the simulation earlier")
    parser.add_argument("--faults", type=int, default=40, help="of the real processes, 0 for none (%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the first world (%(default)s)")
    parser.add_argument("--note", default="", help="a line of the table, such as the other load of the machine")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder of bad_luck.json and bad_luck.md")
    options = parser.parse_args(arguments)
    if options.steps < 1 or options.faults < 0:
        parser.error(f"--steps, --faults: expected at least 1 and 0, found {options.steps} and {options.faults}")
    logging.disable(logging.CRITICAL)  # the product says every loss, of which there are thousands here
    limit_s = None if options.minutes is None else 60.0 * options.minutes
    found, seconds = simulate(options.steps, options.seed, limit_s)
    head = {"machine": machine_line(), "note": options.note, "seed": options.seed, "wanted_steps": options.steps}
    head["world_steps"] = WORLD_STEPS
    head["load"] = round(os.getloadavg()[0], 1)
    simulated = {**found.to_json(), "seconds": round(seconds, 1)}
    text = write_table(options.results, head, simulated, None)  # stays if the other part fails
    if options.faults:
        say("the simulation is done; real processes begin")
        text = write_table(options.results, head, simulated, live_for_real(options.faults, options.seed).to_json())
    say(f"\n{text}")
    return int(found.violations > 0)


if __name__ == "__main__":
    sys.exit(main())
