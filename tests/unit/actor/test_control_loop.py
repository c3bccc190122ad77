import numpy as np
import pytest

from steadyhand.actor.action_selector import ActionSelector
from steadyhand.actor.control_loop import INTERRUPTED, NON_FINITE_OBSERVATION, ControlLoop, episode_seed
from steadyhand.actor.env_schema import env_schema
from steadyhand.robot_envs.devices.operator import HOLD
from steadyhand.transport.record import Kind, Phase, valid_starts
from tests.unit.actor.point_env import PERIOD_S, Helper, PointEnv, arbiter


class Harness:
    def __init__(self, env=None, helper=None):
        self.env = env or PointEnv()
        self.records, self.notified = [], 0
        self.loop = ControlLoop(
            self.env, env_schema(self.env), lambda record: self.records.append(record.copy()), self.notify
        )
        self.selector = ActionSelector(helper or Helper(), arbiter())

    def notify(self):
        self.notified += 1

    def run(self, episode_id=3, **kwargs):
        return self.loop.run_episode(episode_id, Phase.TRAIN, self.selector, seed=1, **kwargs)

    def rows(self):
        rows = np.stack(self.records)
        rows["seq"] = np.arange(len(rows))
        return rows


def test_an_episode_to_success():
    harness = Harness()
    summary = harness.run()
    rows = harness.rows()
    assert summary.success
    assert summary.helped
    assert summary.human_steps == summary.steps == len(rows) - 1
    assert summary.episode_return == 1.0
    assert summary.stop_reason == ""
    assert summary.duration_s == pytest.approx(summary.steps * PERIOD_S)
    assert (summary.episode_id, summary.policy_version) == (3, -1)
    assert rows["terminated"].tolist() == [False] * (summary.steps - 1) + [True, False]
    assert rows["reward"][-2] == 1.0
    assert rows["kind"][-1] == Kind.FINAL
    assert valid_starts(rows)[:-1].all()
    assert harness.notified == len(rows)
    assert harness.env.holds == 0


def test_the_records_are_what_happened():
    harness = Harness()
    summary = harness.run()
    rows = harness.rows()
    np.testing.assert_array_equal(rows["action"][:-1], np.stack(harness.env.actions))
    np.testing.assert_array_equal(rows["gated_command"][:-1], rows["observation/position"][1:])
    assert np.diff(rows["stamp_ns"]).tolist() == [round(PERIOD_S * 1e9)] * summary.steps


def test_a_time_out_is_truncated_and_not_terminated():
    harness = Harness(PointEnv(max_steps=3), Helper(lambda step: False))
    summary = harness.run()
    assert (summary.steps, summary.success, summary.helped) == (3, False, False)
    rows = harness.rows()
    assert rows["truncated"].tolist() == [False, False, True, False]
    assert not rows["terminated"].any()
    assert valid_starts(rows)[:3].all()


def test_a_stop_holds_and_its_step_is_not_learnt_from():
    env = PointEnv()
    env.stop_at = 1
    harness = Harness(env, Helper(lambda step: False))
    summary = harness.run()
    assert (summary.steps, summary.stop_reason, summary.success) == (2, "force_limit", False)
    assert env.holds == 1
    rows = harness.rows()
    assert rows["valid"].tolist() == [True, False, False]
    assert rows["truncated"].tolist() == [False, True, False]
    assert not valid_starts(rows)[1:].any()


def test_a_stop_that_the_action_brought_about_is_learnt_from_as_a_failure():
    env = PointEnv()
    env.stop_at, env.stop_is_terminal = 1, True
    harness = Harness(env, Helper(lambda step: False))
    summary = harness.run()
    assert (summary.steps, summary.stop_reason, summary.success) == (2, "force_limit", False)
    assert env.holds == 1
    rows = harness.rows()
    assert rows["terminated"].tolist() == [False, True, False]
    assert valid_starts(rows)[:2].all()
    assert not rows["reward"].any()


def test_a_non_finite_observation_is_never_acted_on():
    env = PointEnv()
    env.nan_at = 1
    harness = Harness(env, Helper(lambda step: False))
    summary = harness.run()
    assert (summary.steps, summary.stop_reason) == (2, NON_FINITE_OBSERVATION)
    assert len(env.actions) == 2
    assert env.holds == 1
    rows = harness.rows()
    assert rows["valid"].tolist() == [True, True, False]
    assert np.isfinite(rows["observation/position"]).all()
    assert valid_starts(rows).tolist() == [True, False, False]


def test_a_non_finite_first_observation_moves_nothing():
    env = PointEnv()
    env.nan_at = -1
    harness = Harness(env)
    summary = harness.run()
    assert (summary.steps, summary.stop_reason) == (0, NON_FINITE_OBSERVATION)
    assert env.actions == []
    assert harness.records == []


def test_an_interruption_keeps_what_was_learnt():
    harness = Harness(PointEnv(), Helper(lambda step: False))
    allowed = iter([True, True, False])
    summary = harness.run(may_step=lambda: next(allowed))
    assert (summary.steps, summary.stop_reason) == (2, INTERRUPTED)
    assert harness.env.holds == 1
    rows = harness.rows()
    assert rows["kind"].tolist() == [Kind.STEP, Kind.STEP, Kind.FINAL]
    assert valid_starts(rows).tolist() == [True, True, False]
    assert not rows["truncated"].any()


def test_an_interruption_before_the_first_step_records_nothing():
    harness = Harness()
    assert harness.run(may_step=lambda: False).steps == 0
    assert harness.records == []


def test_the_robot_holds_when_the_log_fails():
    env = PointEnv()

    def append(record):
        raise OSError(28, "No space left on device")

    loop = ControlLoop(env, env_schema(env), append)
    with pytest.raises(OSError, match="No space left"):
        loop.run_episode(0, Phase.TRAIN, ActionSelector(Helper(), arbiter()))
    assert env.holds == 1
    assert not loop.has_human


def test_who_is_in_control_is_visible_during_the_episode():
    harness = Harness(helper=Helper(lambda step: step == 0))
    seen = []
    allowed = iter([True, True, False])

    def may_step():
        seen.append(harness.loop.has_human)
        return next(allowed)

    harness.run(may_step=may_step)
    assert seen == [False, True, False]


def test_a_step_in_which_the_operator_holds_is_nobodys():
    class Frozen(Helper):
        def act(self, observation, info, policy_action):
            wish = super().act(observation, info, policy_action)
            return HOLD if 2 <= self.step <= 3 else wish

    harness = Harness(PointEnv(max_steps=4), Frozen(lambda step: step != 3))
    seen = []
    summary = harness.run(may_step=lambda: seen.append(harness.loop.holds) or True)
    rows = harness.rows()
    assert rows["has_human"].tolist() == [True, False, False, False, False]
    assert summary.human_steps == 1
    for field in ("action", "human_action"):
        assert not rows[field][1:].any()
    assert not np.stack(harness.env.actions)[1:].any()
    assert valid_starts(rows)[:-1].all()
    assert seen == [False, False, True, True]


def test_periods_are_control_time_and_lateness_is_counted():
    harness = Harness(PointEnv(max_steps=5), Helper(lambda step: False))
    harness.run()
    assert harness.loop.period.percentiles() == (100.0, 100.0, 100.0)
    assert harness.loop.period.count == harness.loop.compute.count == 5
    assert harness.loop.overruns == 0
    harness.run(may_step=lambda: harness.env.clock.advance_ns(60_000_000) or True)
    assert harness.loop.overruns == 5


def test_an_environment_that_reports_overruns_is_believed():
    class Late(PointEnv):
        def step(self, action):
            *rest, info = super().step(action)
            return *rest, info | {"overrun": self._steps == 2}

    harness = Harness(Late(max_steps=4), Helper(lambda step: False))
    harness.run()
    assert harness.loop.overruns == 1


def test_without_a_clock_time_passes_by_steps():
    class Timeless(PointEnv):
        def __init__(self):
            super().__init__(max_steps=5)
            self._hidden, self.clock = self.clock, None

        def step(self, action):
            self.clock, result = self._hidden, None
            result = super().step(action)
            self.clock = None
            return result

    harness = Harness(Timeless(), Helper(lambda step: False))
    assert harness.run().duration_s == pytest.approx(0.5)
    assert harness.loop.period.percentiles().max_ms == 100.0


def test_frames_are_recorded_as_they_were_seen():
    harness = Harness(PointEnv(max_steps=3, frames=True), Helper(lambda step: False))
    harness.run()
    assert harness.rows()["observation/camera"][:, 4, 4, 1].tolist() == [0, 1, 2, 3]


def test_seeds_differ_between_phases_and_episodes():
    seeds = {episode_seed(seed, phase, index) for seed in range(3) for phase in Phase for index in range(20)}
    assert len(seeds) == 3 * 3 * 20
    assert episode_seed(0, Phase.EVAL, 4) == episode_seed(0, Phase.EVAL, 4)


class SlowReset(PointEnv):
    """An environment whose reset takes 3 s, and whose arm presses with 5 N, then 9 N, then 7 N."""

    def reset(self, **kwargs):
        self.forces = iter([5.0, 9.0, 7.0])
        self.clock.advance_ns(3_000_000_000)
        return super().reset(**kwargs)

    def step(self, action):
        *rest, info = super().step(action)
        return *rest, info | {"force_n": next(self.forces)}


def test_the_reset_and_the_peak_force_are_in_the_summary():
    summary = Harness(SlowReset(max_steps=3), Helper(lambda step: False)).run()
    assert summary.reset_s == 3.0
    assert summary.duration_s == pytest.approx(3 * PERIOD_S)
    assert summary.peak_force_n == 9.0
    assert Harness().run().peak_force_n is None
