import dataclasses
import errno
import os
from types import SimpleNamespace

import numpy as np
import pytest

from steadyhand.actor.config import ExplorationConfig, GraduationConfig
from steadyhand.actor.policy_runner import PolicyRunner
from steadyhand.policies import PolicySpecError
from steadyhand.transport.ack_file import read_acknowledged
from steadyhand.transport.log import LogReader
from steadyhand.transport.record import Kind
from steadyhand.transport.weights import encode
from tests.unit.actor.point_env import Helper, PointEnv
from tests.unit.actor.policy_kit import walking_runner
from tests.unit.actor.training_kit import CONFIG, LINK, Run


def test_practice_ends_after_enough_steps(tmp_path):
    run = Run(tmp_path)
    run.status.updates = 300
    summary = run()
    rows = run.metrics()
    assert summary.end_reason == "max_env_steps"
    assert 100 <= summary.env_steps < 120
    assert summary.env_steps == sum(row["steps"] for row in rows) == rows[-1]["env_steps"]
    assert summary.episodes == len(rows)
    assert summary.utd_ratio == pytest.approx(300 / summary.env_steps)
    assert summary.control_minutes == pytest.approx(summary.env_steps * 0.1 / 60)
    assert summary.intervention_share_last50 == 0.0
    assert summary.policy_version == 1
    assert run.env.holds >= 1


def test_every_record_is_with_the_learner_at_the_end(tmp_path):
    run = Run(tmp_path)
    summary = run()
    stored = LogReader(tmp_path / "learner" / run.session.session_id)
    assert stored.frame(0, len(stored)) == run.log().tobytes()
    assert len(stored) == summary.env_steps + summary.episodes


def test_metrics_have_a_row_per_episode(tmp_path):
    run = Run(tmp_path, operator=Helper(lambda step: step % 2 == 0))
    summary = run()
    row = run.metrics()[0]
    assert row["helped"] is True
    assert row["human_steps"] == (row["steps"] + 1) // 2
    assert row["policy_age_s"] == 0.0
    assert {"success", "updates", "utd_ratio", "policy_version", "stop_reason", "control_minutes"} <= row.keys()
    assert 0.4 < summary.intervention_share_last50 < 0.7


def test_nothing_moves_before_the_first_weights(tmp_path):
    def idle(run):
        assert run.env.seeds == []
        if len(run.waits) == 5:
            run.publish(1)

    run = Run(tmp_path, idle=idle, weights=0)
    assert run().episodes > 0
    assert run.waits == ["the first weights (learner: train)"] * 5
    assert (run.log()["policy_version"] == 1).all()


def test_exploration_fills_in_and_ends(tmp_path):
    config = dataclasses.replace(CONFIG, exploration=ExplorationConfig(30, 0.25))
    run = Run(tmp_path, config, idle=lambda run: run.publish(1), weights=0)
    run()
    rows = run.log()
    explored = rows[(rows["policy_version"] == -1) & (rows["kind"] == Kind.STEP)]
    assert 30 <= len(explored) < 50
    assert np.abs(explored["action"]).max() <= 0.25
    assert run.metrics()[0]["policy_age_s"] is None


def test_a_real_robot_neither_explores_nor_waits_for_the_learner(tmp_path):
    def idle(run):
        assert run.env.seeds == []
        run.publish(1)

    config = dataclasses.replace(CONFIG, lockstep=True, exploration=ExplorationConfig(30, 0.5))
    run = Run(tmp_path, config, idle=idle, weights=0)
    run.env.lockstep = False
    run.training = run.make_training(config)
    run.status.allowed = 0
    assert run().env_steps >= 100
    assert (run.log()["policy_version"] == 1).all()


@pytest.mark.parametrize("quiet_every", [0, 1, 3])
def test_every_nth_episode_acts_without_noise(tmp_path, monkeypatch, quiet_every):
    run = Run(tmp_path, dataclasses.replace(CONFIG, quiet_every=quiet_every))
    act, quiet = PolicyRunner.act, {}

    def watched(runner, deterministic):
        quiet.setdefault(len(run.env.seeds) - 1, set()).add(deterministic)
        return act(runner, deterministic)

    monkeypatch.setattr(PolicyRunner, "act", watched)
    run()
    assert len(quiet) >= 4
    assert all(flags == {quiet_every > 0 and episode % quiet_every == 0} for episode, flags in quiet.items())


def test_lockstep_never_runs_ahead_of_what_is_allowed(tmp_path):
    def idle(run):
        steps = (run.log()["kind"] == Kind.STEP).sum()
        assert steps == run.status.allowed
        run.status.allowed += 7

    run = Run(tmp_path, dataclasses.replace(CONFIG, lockstep=True), idle=idle)
    run.status.allowed = 7
    summary = run()
    assert summary.env_steps <= run.status.allowed
    assert set(run.waits) == {""}


def test_without_lockstep_nobody_waits_for_the_learner(tmp_path):
    run = Run(tmp_path)
    run.status.allowed = 7
    assert run().env_steps >= 100
    assert run.waits == []


def test_a_stop_flag_ends_a_wait_in_lockstep(tmp_path):
    run = Run(tmp_path, dataclasses.replace(CONFIG, lockstep=True), idle=lambda run: run.stop.set())
    run.status.allowed = 3
    summary = run()
    assert (summary.end_reason, summary.env_steps) == ("interrupted", 3)
    assert run.log()["kind"].tolist() == [Kind.STEP] * 3 + [Kind.FINAL]
    assert run.metrics()[-1]["stop_reason"] == "interrupted"


def test_a_learner_that_never_comes_back_does_not_outlast_the_wall_clock(tmp_path):
    run = Run(tmp_path, dataclasses.replace(CONFIG, lockstep=True, max_wall_s=4.0))
    run.status.allowed = 3
    summary = run()
    assert (summary.end_reason, summary.env_steps) == ("max_wall_s", 3)
    assert run.waits[0] == ""
    assert run.waits[-1] == "the learner (lockstep)"


def test_weights_are_swapped_between_steps(tmp_path):
    run = Run(tmp_path)
    step = run.env.step

    def publish_while_stepping(action):
        run.publish(len(run.env.actions) + 2)
        return step(action)

    run.env.step = publish_while_stepping
    run()
    steps = run.log()[run.log()["kind"] == Kind.STEP]
    assert steps["policy_version"].tolist() == list(range(1, len(steps) + 1))


def test_old_weights_hold_the_robot(tmp_path):
    config = dataclasses.replace(CONFIG, max_policy_age_s=5.0)
    run = Run(tmp_path, config, idle=lambda run: len(run.waits) == 3 and run.publish(9))
    reset = run.env.reset

    def slow_reset(**kwargs):
        if len(run.env.seeds) == 1:
            run.clock.advance_ns(6_000_000_000)
        return reset(**kwargs)

    run.env.reset = slow_reset
    run()
    assert run.waits == ["weights younger than 5 s (learner: train)"] * 3


def test_after_a_stop_nothing_moves_until_the_person_says_so(tmp_path):
    env, operator = PointEnv(), Helper(lambda step: False)
    env.stop_at, operator.refusals = 2, 2

    def idle(run):
        assert run.env.stop_reason == "force_limit"
        moved.append(len(run.env.actions))

    moved = []
    run = Run(tmp_path, dataclasses.replace(CONFIG, max_env_steps=6), env, operator, idle=idle)
    run()
    assert moved == [3, 3]
    assert operator.asked == ["force_limit"] * 4
    assert "stopped: force_limit" in run.waits[0]
    assert [row["stop_reason"] for row in run.metrics()] == ["force_limit"] * 2


def test_a_break_closes_the_episode_and_practice_goes_on_after_it(tmp_path):
    class Tired(Helper):
        def act(self, observation, info, policy_action):
            acted.append(1)
            return super().act(observation, info, policy_action)

        def wants_park(self):
            return len(acted) == 3 and not parked and not parked.append(1)

    acted, parked, operator = [], [], Tired(lambda step: False)
    operator.refusals = 2
    run = Run(tmp_path, dataclasses.replace(CONFIG, max_env_steps=20), operator=operator)
    run()
    assert "the operator to end the break" in run.waits
    assert operator.asked == ["parked"] * 3
    first = run.log()[run.log()["episode_id"] == 0]
    assert first["kind"].tolist() == [Kind.STEP] * 3 + [Kind.FINAL]
    assert not first["terminated"].any()
    assert run.metrics()[0]["stop_reason"] == "interrupted"
    assert run.env.stop_reason is None, "nothing latches"


def test_a_stop_that_was_latched_before_the_start_is_asked_about(tmp_path):
    env, operator = PointEnv(), Helper(lambda step: False)
    env.stop_reason = "robot_fault"
    Run(tmp_path, env=env, operator=operator)()
    assert operator.asked == ["robot_fault"]


def test_graduation(tmp_path):
    graduation = GraduationConfig(window=5, success=1.0, intervention_share=0.0, min_env_steps=10)
    run = Run(tmp_path, dataclasses.replace(CONFIG, max_env_steps=10_000, graduation=graduation), weights=0)
    skilled = walking_runner()
    run.intake.publish(encode(skilled._weights))
    summary = run()
    assert summary.end_reason == "graduated"
    assert summary.success_alone > 0.5


def test_the_wall_clock_ends_practice(tmp_path):
    run = Run(tmp_path, dataclasses.replace(CONFIG, max_wall_s=1.0), weights=0)
    assert run().end_reason == "max_wall_s"
    assert run.env.actions == []


def test_a_restart_goes_on_where_the_run_was(tmp_path):
    first = Run(tmp_path, dataclasses.replace(CONFIG, max_env_steps=30))
    before = first()
    second = Run(tmp_path, dataclasses.replace(CONFIG, max_env_steps=60))
    after = second()
    assert second.session.session_id == first.session.session_id
    assert before.env_steps < 60 <= after.env_steps < 80
    rows = second.metrics()
    assert after.episodes == len(rows)
    assert [row["episode_id"] for row in rows] == list(range(len(rows)))
    assert not set(first.env.seeds) & set(second.env.seeds)
    stored = LogReader(tmp_path / "learner" / first.session.session_id)
    assert stored.frame(0, len(stored)) == second.log().tobytes()
    assert after.control_minutes == pytest.approx(after.env_steps * 0.1 / 60)


def test_equal_seeds_give_equal_practice(tmp_path):
    logs = []
    for name in ("a", "b"):
        run = Run(tmp_path / name)
        run()
        logs.append(run.log())
    for name in set(logs[0].dtype.names) - {"crc"}:
        np.testing.assert_array_equal(logs[0][name], logs[1][name])


@pytest.fixture
def disk(monkeypatch, tmp_path):
    """The actor's disk, which has no room for another file of the log while it is full."""
    real, disk = os.posix_fallocate, SimpleNamespace(full=False, refused=0)

    def fallocate(fd, offset, length):
        if disk.full and str(tmp_path / "actor") in os.readlink(f"/proc/self/fd/{fd}"):
            disk.refused += 1
            raise OSError(errno.ENOSPC, "No space left on device")
        real(fd, offset, length)

    monkeypatch.setattr(os, "posix_fallocate", fallocate)
    return disk


def test_a_full_disk_holds_after_the_episode_and_practice_goes_on_when_there_is_room(tmp_path, disk):
    def wake(run):
        run.session.writer.sync()  # behind the newest attempt to make the next file
        disk.full = len(run.waits) < 20

    run = Run(tmp_path, dataclasses.replace(CONFIG, max_env_steps=2000), idle=wake)
    run.session.writer.sync()  # the next file is there; the one after it is refused
    disk.full = True
    summary = run()
    assert summary.end_reason == "max_env_steps"
    assert disk.refused >= 15
    assert len([reason for reason in run.waits if "for the log's next file" in reason]) >= 15
    assert run.env.holds >= 2
    log = run.log()
    assert log["seq"].tolist() == list(range(len(log)))
    ends = np.flatnonzero(log["kind"] == Kind.FINAL)
    assert (log["terminated"] | log["truncated"])[ends - 1].all()  # no episode was cut short


def test_what_the_learner_takes_while_the_robot_holds_makes_room(tmp_path, monkeypatch):
    def free(path):
        used = sum(file.stat().st_size for file in run.session.folder.iterdir())
        return SimpleNamespace(free=6 * LINK.segment_bytes - used)

    def wake(run):
        if len(run.waits) % 5 == 0:
            run.intake.sync()

    config = dataclasses.replace(CONFIG, max_env_steps=3000)
    run = Run(tmp_path, config, idle=wake, trim=True)
    monkeypatch.setattr("steadyhand.actor.readiness.shutil.disk_usage", free)
    run.training = run.make_training(config, min_free_bytes=2 * LINK.segment_bytes)
    assert run().end_reason == "max_env_steps"
    assert [reason for reason in run.waits if "min_free_bytes" in reason]
    assert read_acknowledged(run.session.folder) > 0


def test_after_a_lack_of_room_in_a_stopped_episode_the_person_is_asked(tmp_path):
    asked = []

    class Careful(Helper):
        def may_resume(self, stop_reason):
            asked.append(stop_reason)
            return True

    run = Run(tmp_path, operator=Careful(lambda step: False))
    append, refused = run.session.writer.append, []

    def fill_up(record):
        if run.session.writer.next_seq == 10 and not refused:
            refused.append(1)
            run.env.stop_reason = "force_limit"
            raise OSError(errno.ENOSPC, "No space left on device")
        return append(record)

    run.session.writer.append = fill_up
    assert run().end_reason == "max_env_steps"
    assert asked == ["force_limit"]


def test_a_disk_that_is_full_within_an_episode_costs_its_open_step_alone(tmp_path):
    run = Run(tmp_path)
    append, refused = run.session.writer.append, []

    def fill_up(record):
        if run.session.writer.next_seq == 10 and not refused:
            refused.append(record.copy())
            raise OSError(errno.ENOSPC, "No space left on device")
        return append(record)

    run.session.writer.append = fill_up
    summary = run()
    assert summary.end_reason == "max_env_steps"
    assert run.env.holds >= 1
    log = run.log()
    assert log["seq"].tolist() == list(range(len(log)))
    assert log["episode_id"][9] == refused[0]["episode_id"] != log["episode_id"][10]
    assert len(log) > 50


def test_a_log_that_is_broken_ends_practice_and_says_so(tmp_path):
    run = Run(tmp_path)
    append = run.session.writer.append

    def break_down(record):
        if run.session.writer.next_seq == 10:
            raise OSError(errno.EIO, "Input/output error")
        return append(record)

    run.session.writer.append = break_down
    summary = run()
    assert summary.end_reason.startswith("log: ")
    assert "Input/output error" in summary.end_reason
    assert len(run.log()) == 10
    assert run.env.holds >= 1


def test_a_policy_that_the_actor_cannot_build_moves_nothing(tmp_path):
    run = Run(tmp_path)
    run.spec = SimpleNamespace(to_json=lambda: {"hidden": "wide"})
    with pytest.raises(PolicySpecError):
        run()
    assert run.env.seeds == []
    assert run.env.holds == 1


def test_the_status_follows_practice(tmp_path):
    seen = []
    run = Run(tmp_path, operator=Helper(lambda step: step < 3))
    step = run.env.step

    def look(action):
        seen.append(run.training.status())
        return step(action)

    run.env.step = look
    assert run.training.status().waiting == "the learner"
    run()
    assert {status.in_control for status in seen} == {"person", "policy"}
    assert {status.waiting for status in seen} == {""}
    assert seen[-1].step_rate_hz == pytest.approx(10.0)
    assert seen[-1].policy_version == 1
    assert seen[-1].connected
    assert seen[-1].env_steps > seen[0].env_steps


def test_a_learner_that_comes_late_is_found(tmp_path):
    run = Run(tmp_path)
    connect, attempts = run.uplink.connect, []

    def busy(hello, timeout_s):
        attempts.append(timeout_s)
        run.clock.advance_ns(round(timeout_s * 1e9))
        if len(attempts) < 3:
            raise TimeoutError("learner: expected an answer, found none")
        return connect(hello, timeout_s)

    run.training = run.make_training(dataclasses.replace(CONFIG, uplink_timeout_s=2.5))
    run.uplink.connect = busy
    assert run().episodes > 0
    assert attempts == [1.0, 1.0, 0.5]


@pytest.mark.parametrize("stopped", [False, True])
def test_without_a_learner_nothing_moves(tmp_path, stopped):
    run = Run(tmp_path)

    def silent(hello, timeout_s):
        run.clock.advance_ns(round(timeout_s * 1e9))
        run.stop._is_set = stopped
        raise TimeoutError("learner: expected an answer, found none")

    run.uplink.connect = silent
    run.training = run.make_training(dataclasses.replace(CONFIG, uplink_timeout_s=5.0))
    if stopped:
        assert run().end_reason == "interrupted"
    else:
        with pytest.raises(TimeoutError, match="found none"):
            run()
    assert run.env.seeds == []


def test_a_log_at_its_quota_holds_after_the_episode_and_goes_on_when_the_learner_has_taken_it(tmp_path):
    def wake(run):
        if len(run.waits) % 5 == 0:
            run.intake.sync()

    run = Run(tmp_path, idle=wake)
    size = run.session.writer.dtype.itemsize
    run.training = run.make_training(CONFIG, quota_bytes=30 * size)
    summary = run()
    assert summary.end_reason == "max_env_steps"
    waits = [reason for reason in run.waits if "quota_bytes" in reason]
    assert len(waits) >= 5
    assert waits[0].startswith("the learner to take what is in the log")
    assert run.env.holds >= 2
    log = run.log()
    assert log["seq"].tolist() == list(range(len(log)))  # nothing was dropped
    ends = np.flatnonzero(log["kind"] == Kind.FINAL)
    # Nothing was cut short by it: every episode ended by itself.
    assert (log["terminated"] | log["truncated"])[ends - 1].all()
    assert read_acknowledged(run.session.folder) > 0


def test_a_disk_that_is_nearly_full_holds_and_goes_on_when_there_is_room(tmp_path, monkeypatch):
    free = [10]

    def wake(run):
        free[0] = 10 if len(run.waits) < 5 else 1000

    monkeypatch.setattr("steadyhand.actor.readiness.shutil.disk_usage", lambda path: SimpleNamespace(free=free[0]))
    run = Run(tmp_path, idle=wake)
    run.training = run.make_training(CONFIG, min_free_bytes=1000)
    assert run().end_reason == "max_env_steps"
    assert len([reason for reason in run.waits if reason.startswith("room on the disk of")]) == 5
