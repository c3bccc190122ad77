"""Actor and learner in one process, one thread and lockstep: everything between observations and better weights."""

from contextlib import closing
from types import SimpleNamespace

import numpy as np
import pytest

from steadyhand.actor.console import NoConsole
from steadyhand.actor.env_schema import env_schema
from steadyhand.actor.episode_metrics import read_rows
from steadyhand.actor.online_run import OnlineRun
from steadyhand.actor.online_settings import Hooks, OnlineSettings, Recording
from steadyhand.actor.session_log import open_session
from steadyhand.actor.stop_flag import StopFlag
from steadyhand.runtime.run_folder import RunFolder
from steadyhand.transport.local_uplink import LocalUplink
from steadyhand.transport.log import LogReader
from steadyhand.transport.record import Kind
from tests.e2e.point_run import ACTOR, ACTOR_ID, SEED, helper, link, make_learner, record
from tests.unit.actor.point_env import PointEnv


def practise(folder):
    """Demonstrate, pretrain, practise; return what is left of it."""
    run, env, transport = RunFolder(folder, "run"), PointEnv(), link()
    record(run, PointEnv())
    with closing(make_learner(run, transport)) as learner:
        actor = run.actor(ACTOR_ID)
        session = open_session(actor.outbox, env_schema(env), ACTOR_ID, transport.segment_bytes, trim=False)
        with (
            closing(session.writer),
            closing(LogReader(session.folder)) as reader,
            closing(LocalUplink(learner.intake, reader)) as uplink,
        ):
            recording = Recording(uplink, session, actor.metrics)
            hooks = Hooks(StopFlag(), idle=learner.step)
            online = OnlineRun(OnlineSettings(ACTOR, SEED), env, helper(), recording, NoConsole(), hooks)
            summary = online.run()
        while learner.step():
            pass
        counters, tensors = learner.loop.counters, online._runner._active.trainable_tensors()
    logs = [LogReader(path) for path in (session.folder, run.log / session.session_id)]
    return SimpleNamespace(
        summary=summary,
        counters=counters,
        tensors=tensors,
        sent=logs[0].read(0, len(logs[0])),
        stored=logs[1].read(0, len(logs[1])),
        practice=read_rows(actor.metrics),
        learning=read_rows(run.metrics / "learner.jsonl"),
    )


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    return practise(tmp_path_factory.mktemp("first"))


def test_practice_goes_to_its_end(done):
    assert done.summary.end_reason == "max_env_steps"
    assert done.summary.env_steps == (done.sent["kind"] == Kind.STEP).sum() >= 300
    assert done.summary.overruns == 0


def test_the_learner_stores_exactly_what_the_actor_recorded(done):
    assert len(done.sent) > 300
    assert done.stored.tobytes() == done.sent.tobytes()
    assert done.sent["seq"].tolist() == list(range(len(done.sent)))


def test_losses_are_finite(done):
    losses = [row[name] for row in done.learning for name in ("critic_loss", "q_mean") if name in row]
    assert len(losses) > 50
    assert all(loss is not None and np.isfinite(loss) for loss in losses)
    assert done.learning[-1]["skipped_steps"] == 0


def test_newer_and_newer_weights_act(done):
    versions = done.sent["policy_version"][done.sent["kind"] == Kind.STEP]
    assert (np.diff(versions) >= 0).all()
    assert versions[0] == 1
    assert versions[-1] > 40
    assert done.summary.rejected_weights == 0


def test_the_true_utd_ratio_is_the_configured_one(done):
    assert done.summary.utd_ratio == pytest.approx(2.0, rel=0.05)
    assert done.counters.updates / done.summary.env_steps == pytest.approx(2.0, rel=0.05)


def test_the_person_and_the_policy_both_acted(done):
    steps = done.sent[done.sent["kind"] == Kind.STEP]
    assert 0.1 < steps["has_human"].mean() < 0.9
    np.testing.assert_array_equal(steps["action"][steps["has_human"]], steps["human_action"][steps["has_human"]])
    free = ~steps["has_human"]
    np.testing.assert_array_equal(steps["action"][free], steps["policy_action"][free])


def test_the_metrics_say_what_the_records_say(done):
    assert sum(row["steps"] for row in done.practice) == done.summary.env_steps
    assert sum(row["human_steps"] for row in done.practice) == done.sent["has_human"].sum()
    assert sum(row["success"] for row in done.practice) == done.sent["success"].sum()


def test_equal_seeds_give_the_same_run_bit_by_bit(done, tmp_path):
    again = practise(tmp_path)
    assert again.sent.tobytes() == done.sent.tobytes()
    assert again.counters == done.counters
    for name, tensor in done.tensors.items():
        np.testing.assert_array_equal(again.tensors[name], tensor)
