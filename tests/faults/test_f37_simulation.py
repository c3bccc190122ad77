"""F37: several faults at once, composed by a seed, in one deterministic simulation of actor, link, learner and disks.

A failing seed is printed; STEADYHAND_SIMULATION_SEED=<seed> runs it alone. STEADYHAND_SIMULATION_STEPS says how many
steps there are.
"""

import os
import tempfile
from collections import Counter
from pathlib import Path

import pytest

from steadyhand.transport import log_writer, segment, stored_sessions
from steadyhand.transport.delivery import ReceiverState
from steadyhand.transport.intake import Intake
from steadyhand.transport.log_reader import LogReader
from steadyhand.transport.open_session import OpenSession
from tests.faults.scale import FULL
from tests.faults.simulated_world import ViolationError, World, step

STEPS = int(os.environ.get("STEADYHAND_SIMULATION_STEPS", 100_000 if FULL else 2_500))
WORLD_STEPS = 250  # of one seed
LOOK_EVERY = 10  # steps between two accounts
TWIN_SEEDS = 30
WORK = {"act": 12, "send": 14, "arrive": 14, "acknowledge": 10, "settle": 3, "greet": 8, "sync": 4, "background": 4}
WORK |= {"save": 2, "repair": 2, "silence": 2}
FAULTS = {"disturb": 8, "cut": 1, "jump": 1, "fill": 1, "refuse": 2, "flip": 2}
FAULTS |= {"kill actor": 1, "kill learner": 1, "power actor": 1, "power learner": 1}


def simulate(seed: int, faults: dict[str, int] = FAULTS, steps: int = WORLD_STEPS) -> Counter:
    """Run one world with faults of these weights; return their number. A failure names the seed."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(prefix="world-", dir=memory if memory.is_dir() else None) as folder:
        world = World(Path(folder), seed)
        try:
            for number in range(steps):
                step(world, WORK, faults)
                if number % LOOK_EVERY == 0:
                    world.check()
            world.check()
            world.calm()
        except Exception as error:
            last = ", ".join(world.trace[-8:])
            text = f"STEADYHAND_SIMULATION_SEED={seed}, step {len(world.trace)}: {error!r}; the last steps: {last}"
            raise ViolationError(text) from error
        finally:
            world.close()
        return Counter(world.faults)


def simulate_all(seeds: range, faults: dict[str, int] = FAULTS) -> Counter:
    """Run one world after another; return their faults."""
    found: Counter = Counter()
    for seed in seeds:
        found += simulate(seed, faults)
    return found


def seeds() -> range:
    if chosen := os.environ.get("STEADYHAND_SIMULATION_SEED"):
        return range(int(chosen), int(chosen) + 1)
    return range(max(1, STEPS // WORLD_STEPS))


@pytest.mark.timeout(3500 if FULL else 120)
def test_nothing_is_lost_in_any_world(record_property):
    faults = simulate_all(seeds())
    record_property("steps", len(seeds()) * WORLD_STEPS)
    record_property("injected", faults.total())
    assert len(seeds()) < 5 or faults.keys() >= {*FAULTS, "drop", "double", "swap", "bit on the way", "bit at rest"}


def test_a_seed_gives_the_same_world_again():
    assert simulate(3) == simulate(3)


def no_sync(*_, **__):
    """Do nothing."""


def no_damage(folder, first_seq):
    return []


def durable_at_once(intake):
    for name, session in intake._sessions.items():
        intake._stored.durable[name] = session.writer.next_seq


def first_bad(self, start):
    """Return the number of records before the first that is not whole, as recovery once did."""
    return self.scan(start)[0] if not self.scan(start)[1] else self.scan(start)[1][0]


def all_news(self, name, first, count):
    return range(first, first + count)


def all_sound(self, lo, hi, again=False):
    return hi - lo


# Each with the faults that it is there for.
TWINS = {
    "arriving bytes are not checked": (OpenSession, "_check_sound", no_sync, {"disturb": 20}),
    "numbers are not compared": (ReceiverState, "news", all_news, {"disturb": 30}),
    "durable before the sync": (Intake, "sync", durable_at_once, {"power learner": 4}),
    "names are not synced": (log_writer, "sync_folder", no_sync, {"power actor": 4}),
    "a recovery ends at the first damage": (segment.Segment, "end_of_records", first_bad, {"flip": 8, "kill actor": 2}),
    "damage is not looked for before sending": (LogReader, "sound_run", all_sound, {"flip": 8}),
    "what the actor still has is not checked": (
        stored_sessions,
        "damage_from",
        no_damage,
        {"flip": 8, "kill learner": 4},
    ),
}


@pytest.mark.parametrize("name", TWINS)
def test_a_world_without_a_detector_fails(monkeypatch, name):
    """The twins that must fail; with the detector the same worlds hold."""
    where, what, careless, faults = TWINS[name]
    simulate(0, faults)
    monkeypatch.setattr(where, what, careless)
    with pytest.raises(ViolationError, match="STEADYHAND_SIMULATION_SEED="):
        simulate_all(range(TWIN_SEEDS), faults)
