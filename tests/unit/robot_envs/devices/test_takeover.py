"""From a hand on a SpaceMouse to the log: the real daemon, a real control loop, and what may befall the device."""

import math
import signal

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces

from steadyhand.actor.action_selector import ActionSelector, Explorer
from steadyhand.actor.arbiter import Arbiter
from steadyhand.actor.authority import AT_ONCE
from steadyhand.actor.control_loop import ControlLoop
from steadyhand.actor.env_schema import env_schema
from steadyhand.robot_envs.devices.make import find_input, make_person
from steadyhand.robot_envs.devices.spacemouse import SpaceMouse
from steadyhand.runtime.clock import MonotonicClock
from steadyhand.runtime.config import compose
from steadyhand.transport.log import LogReader, LogWriter
from steadyhand.transport.record import Phase, valid_starts
from tests.spacenav_kit import Cap, needs_spacenavd
from tests.transport_kit import wait_until

pytestmark = [pytest.mark.realtime, pytest.mark.slow]

PERIOD_S = 0.05
SPEED = 0.01  # of the tool for an action of 1, a step
FORWARD = (0, 0, 350, 0, 0, 0)
PUSHED = [1, 0, 0, 0, 0, 0]


class ToolEnv(gymnasium.Env):
    """A tool that goes where it is told, in real time."""

    def __init__(self, steps: int) -> None:
        self.observation_space = spaces.Dict({"position": spaces.Box(-9.0, 9.0, (6,), np.float32)})
        self.action_space = spaces.Box(-1.0, 1.0, (6,), np.float32)
        self.field_specs, self.command_size, self.reward_terms = {"position": ("m", "base", ())}, 6, ()
        self.control_period_s, self.clock, self.lockstep = PERIOD_S, MonotonicClock(), False
        self._length = steps

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self._position, self.steps = np.zeros(6, np.float32), 0
        return {"position": self._position.copy()}, {}

    def step(self, action):
        self._position = self._position + SPEED * action
        self.clock.sleep_until(self.clock.now_ns() + round(PERIOD_S * 1e9))
        self.steps += 1
        info = {"gated_command": self._position, "success": False}
        return {"position": self._position.copy()}, 0.0, False, self.steps >= self._length, info


class Bench:
    """An episode with a script: what the person does before which step."""

    def __init__(self, folder, daemon, max_age_s=0.15):
        values = compose(["device=spacemouse"])["device"]
        values |= {"socket": str(daemon.socket), "retry_s": 0.02, "max_age_s": max_age_s}
        self.person = make_person(values, action_size=6)
        # A second pair of eyes on the same daemon: it knows when a push has arrived.
        self.observer = SpaceMouse(find_input(values | {"max_age_s": 60.0}).settings)
        self.observer.connect()
        self.folder = folder / "log"

    def run(self, steps, script):
        env = ToolEnv(steps)
        writer = LogWriter(self.folder, env_schema(env), "arm", "0" * 32, 1 << 20)
        selector = ActionSelector(
            self.person, Arbiter(np.zeros(6, np.bool_), AT_ONCE, PERIOD_S), explorer=Explorer(6, 0.5, seed=1)
        )
        loop = ControlLoop(env, env_schema(env), writer.append)

        def may_step():
            script.get(env.steps, lambda: None)()
            return True

        self.summary = loop.run_episode(0, Phase.TRAIN, selector, seed=0, may_step=may_step)
        writer.close()
        reader = LogReader(self.folder)
        return reader.read(0, len(reader))

    def sees_push(self):
        wait_until(lambda: self.observer.poll().twist[0, 0] > 0.9)

    def sees_rest(self):
        wait_until(lambda: self.observer.poll().age_s == 0.0 and not self.observer.poll().engaged[0])

    def sees_loss(self):
        wait_until(lambda: math.isinf(self.observer.poll().age_s))

    def close(self):
        self.person.close()
        self.observer.close()


@pytest.fixture
def bench(tmp_path, daemon, cap):
    bench = Bench(tmp_path, daemon)
    yield bench
    bench.close()


def moved(rows):
    """Return which steps moved the tool."""
    return np.abs(np.diff(rows["observation/position"], axis=0)).max(axis=1) > 0


def do(*parts):
    return lambda: [part() for part in parts]


@needs_spacenavd
def test_a_push_on_the_cap_becomes_an_intervention_in_the_log(bench, cap):
    script = {5: do(lambda: cap.push(FORWARD), bench.sees_push), 12: do(cap.let_go, bench.sees_rest)}
    rows = bench.run(20, script)
    steps = rows[:-1]
    human = steps["has_human"]
    # The two connections may be served a step apart.
    assert not human[:5].any()
    assert human[6:12].all()
    assert not human[13:].any()
    np.testing.assert_array_equal(steps["action"][human], steps["human_action"][human])
    assert steps["human_action"][6:12] == pytest.approx(np.tile(PUSHED, (6, 1)), abs=0.02)
    np.testing.assert_array_equal(steps["action"][~human], steps["policy_action"][~human])
    assert (steps["policy_action"] != 0).any(axis=1).all()
    assert bench.summary.human_steps == human.sum()
    assert valid_starts(rows)[:-1].all()


def lose_by_plug(bench, daemon, cap):
    """The dead line says nothing, and the daemon neither: only silence tells."""
    cap.unplug()


def lose_by_removal(bench, daemon, cap):
    daemon.configure(None)
    daemon.signal(signal.SIGHUP)
    bench.sees_loss()


def lose_by_crash(bench, daemon, cap):
    daemon.kill()
    bench.sees_loss()


def lose_by_hanging(bench, daemon, cap):
    daemon.signal(signal.SIGSTOP)


# Silence is noticed after max_age_s = 3 periods; what is told at once, in the next step.
LOSSES = [(lose_by_plug, 4), (lose_by_removal, 2), (lose_by_crash, 2), (lose_by_hanging, 4)]


@needs_spacenavd
@pytest.mark.parametrize(("lose", "periods"), LOSSES, ids=lambda value: getattr(value, "__name__", None))
def test_a_device_that_is_lost_in_a_takeover_holds_the_robot(bench, daemon, cap, lose, periods):
    script = {3: do(lambda: cap.push(FORWARD), bench.sees_push), 8: lambda: lose(bench, daemon, cap)}
    rows = bench.run(24, script)
    steps = rows[:-1]
    held_from = 8 + periods
    assert steps["has_human"][4:8].all()
    assert not steps["has_human"][held_from:].any()
    assert not steps["action"][held_from:].any()
    assert not steps["human_action"][held_from:].any()
    assert not moved(rows)[held_from:].any()
    assert (steps["policy_action"][held_from:] != 0).any(axis=1).all()  # the policy would have gone on
    travelled = np.abs(rows["observation/position"][-1] - rows["observation/position"][8]).max()
    assert travelled <= periods * SPEED * 1.01


@needs_spacenavd
def test_without_a_limit_on_age_a_frozen_device_drives_on(tmp_path, daemon, cap):
    """The same loss with the detector switched off: the test above can fail."""
    bench = Bench(tmp_path, daemon, max_age_s=60.0)
    rows = bench.run(24, {3: do(lambda: cap.push(FORWARD), bench.sees_push), 8: cap.unplug})
    assert moved(rows)[12:].all()
    bench.close()


@needs_spacenavd
def test_only_a_new_push_ends_the_hold(bench, daemon, cap):
    other = Cap()

    def come_back():
        daemon.start(other)
        bench.sees_rest()

    script = {
        3: do(lambda: cap.push(FORWARD), bench.sees_push),
        6: do(daemon.kill, bench.sees_loss),
        10: come_back,
        16: do(lambda: other.push(FORWARD), bench.sees_push),
        20: do(other.let_go, bench.sees_rest),
    }
    rows = bench.run(26, script)
    daemon.kill()
    other.unplug()
    steps, moves = rows[:-1], moved(rows)
    assert not moves[7:16].any()  # lost, and back at rest: nobody's word that the policy may go on
    assert not steps["has_human"][7:16].any()
    assert steps["has_human"][17:20].all()
    assert not steps["has_human"][21:].any()
    np.testing.assert_array_equal(steps["action"][21:], steps["policy_action"][21:])


@needs_spacenavd
def test_the_gripper_is_the_seventh_entry(daemon, cap):
    values = compose(["device=spacemouse"])["device"] | {"socket": str(daemon.socket)}
    person = make_person(values, action_size=7)
    wait_until(lambda: person.act({}, {}, None) is None and person.reading.neutral)
    cap.buttons(0)
    wait_until(lambda: person.act({}, {}, None) is not None)
    assert person.act({}, {}, None) == pytest.approx([0, 0, 0, 0, 0, 0, -1])
    person.close()
