"""F25: Ctrl-C at any point, in either process. It ends in order and soon, and nothing is lost."""

import signal
import time

import pytest

from steadyhand.runtime.crashpoint import INTERRUPTED, POINTS
from tests.faults.crash_world import DEADLINE_S, CrashWorld
from tests.faults.scale import FULL, spread

POINTS_OF = {side: [name for name, sides in POINTS.items() if side in sides] for side in ("actor", "learner")}
ONCE = ("session.opened", "epoch.counted", "intake.opened", "checkpoint.")  # a start passes them once, or not often
BUDGET_S = 2.0
BUSY_S = 30.0  # what a busy machine may add

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800 if FULL else 240)]


@pytest.fixture
def world(tmp_path):
    world = CrashWorld(tmp_path)
    yield world
    world.close()


def exit_s(world: CrashWorld, role: str, point: str) -> float:
    """Interrupt `role` at `point`; return how long it then took to end, with status 0."""
    log = world.run.path / f"{role}.log"
    before = log.read_bytes().count(INTERRUPTED) if log.exists() else 0
    child = world.start(role, f"{point}!" if point.startswith(ONCE) else f"{point}@2!")
    world.wait_for(f"{role} at {point}", lambda: log.read_bytes().count(INTERRUPTED) > before)
    began = time.monotonic()
    world.wait_for(f"{role} to end", lambda: child.poll() is not None)
    took_s = time.monotonic() - began
    assert world.children.pop(role).returncode == 0, f"{point}: {child.returncode}\n{world.tail()}"
    return took_s


@pytest.mark.parametrize("role", ["actor", "learner"])
def test_it_ends_with_0_and_in_time_wherever_it_is_interrupted(world, role, record_property):
    other = "learner" if role == "actor" else "actor"
    world.start("learner")
    if role == "learner":
        world.start("actor")
        world.wait_for("practice", lambda: world.env_steps() > 40)
        child = world.children.pop("learner")
        child.send_signal(signal.SIGINT)
        assert child.wait(DEADLINE_S) == 0
    for point in spread(POINTS_OF[role], 2):
        took_s = exit_s(world, role, point)
        record_property("exit_s", took_s)
        assert took_s <= BUDGET_S + BUSY_S
        assert world.children[other].poll() is None
    world.end()
    account = world.account()
    record_property("records", account.records)
    record_property("lost_steps", account.lost_steps)
    assert account.lost_steps == 0


def test_a_second_ctrl_c_ends_it_at_once_and_what_was_recorded_is_there(world, record_property):
    world.start("learner")
    actor = world.start("actor")
    world.wait_for("practice", lambda: world.env_steps() > 40)
    for _ in range(2):
        actor.send_signal(signal.SIGINT)
    world.wait_for("the actor to end", lambda: actor.poll() is not None)
    del world.children["actor"]
    world.end()
    assert world.account().lost_steps <= 1


def test_a_process_that_ignores_it_would_be_seen(world):
    world.start("learner")
    child = world.start("actor")
    world.wait_for("practice", lambda: world.env_steps() > 40)
    child.send_signal(signal.SIGSTOP)  # it can no longer hear
    child.send_signal(signal.SIGINT)
    began = time.monotonic()
    world.wait_for("a moment", lambda: time.monotonic() > began + 1.0)
    assert child.poll() is None
    child.send_signal(signal.SIGCONT)
    assert child.wait(DEADLINE_S) == 0
    del world.children["actor"]
