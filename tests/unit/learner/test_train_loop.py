import errno
import json
import logging

import numpy as np
import pytest
import torch

from steadyhand.learner import train_loop
from steadyhand.learner.algos.sac import Sac
from steadyhand.learner.checkpoint import CheckpointFolder
from steadyhand.learner.loop_parts import Links, Replay, Results
from steadyhand.learner.metrics import Metrics
from steadyhand.learner.replay.replay_log import SnapshotError
from steadyhand.learner.replay.sampler import Sampler
from steadyhand.learner.resume import counters_of, open_journal, open_store, restore
from steadyhand.learner.saved_policy import newest_policy
from steadyhand.learner.train_loop import TrainLoop
from steadyhand.learner.training_scalars import TrainingDivergedError
from steadyhand.policies import Policy
from steadyhand.runtime.clock import FakeClock
from steadyhand.transport.record import Phase
from tests.unit.learner.logs import reader_of, write_episode, writer_in


class Rig:
    """A loop over one demo log and one growing log, in a folder that a later rig can resume."""

    def __init__(self, folder, config, algo_config, spec, demos=3):
        folder.mkdir(exist_ok=True)
        self.demos, self.online = (writer_in(folder / name, number) for number, name in enumerate(("demos", "online")))
        if self.demos.next_seq == 0:
            for episode in range(demos):
                write_episode(self.demos, episode, 5, phase=Phase.DEMO)
        self.readers = [reader_of(self.demos), reader_of(self.online)]
        self.published = []
        checkpoints = CheckpointFolder(folder / "checkpoints", keep=3)
        checkpoint = checkpoints.newest()
        self.algo = Sac(algo_config, Policy(spec, 0), 0)
        if checkpoint:
            restore(self.algo, checkpoint)
        store = open_store(config.capacity, checkpoint, self.readers)
        counters = counters_of(checkpoint)
        sampler = Sampler(store, spec, self.algo.sampling, seed=0)
        self.journal = open_journal(folder / "journal.jsonl", checkpoint)
        (folder / "metrics").mkdir(exist_ok=True)
        self.metrics = Metrics(folder / "metrics", counters.step)
        links = Links(
            lambda: self.readers, lambda version, tensors: self.published.append((version, tensors)), lambda: None
        )
        self.loop = TrainLoop(
            config,
            self.algo,
            Replay(store, sampler, self.journal),
            Results(
                self.metrics,
                checkpoints,
                CheckpointFolder(folder / "start", keep=1),
                learner_epoch=0,
                facts={"schema_hash": "s"},
            ),
            links,
            counters,
            FakeClock(),
        )
        self.folder = folder

    def practise(self, episodes, start=0, human=(1,)):
        for episode in range(start, start + episodes):
            write_episode(self.online, episode, 4, "truncated" if episode % 3 else "terminated", human=human, session=1)

    def rows(self):
        return [json.loads(line) for line in (self.folder / "metrics" / "learner.jsonl").read_text().splitlines()]

    def state(self):
        tensors = {name: value.clone() for name, value in self.algo.state_tensors().items()}
        return tensors, self.loop.counters

    def close(self):
        for part in (self.loop, self.demos, self.online, self.journal, self.metrics):
            part.close()


@pytest.fixture(params=[False, True], ids=["in turn", "prefetch"])
def make_rig(request, tmp_path, make_config, make_spec, make_learner_config):
    rigs = []

    def make(name="run", algo=None, demos=3, **changes):
        changes = {"prefetch": request.param} | changes
        rig = Rig(tmp_path / name, make_learner_config(**changes), make_config(**(algo or {})), make_spec(), demos)
        rigs.append(rig)
        return rig

    yield make
    for rig in rigs:
        rig.close()


def test_nothing_happens_before_there_are_enough_transitions(make_rig):
    rig = make_rig()
    assert rig.loop.phase == "waiting"
    assert not rig.loop.step()
    rig.practise(1)
    assert not rig.loop.step()  # four of five
    rig.practise(1, start=1)
    assert rig.loop.step()
    assert rig.loop.phase == "online"
    assert rig.loop.counters.updates == 2


def test_a_pretrained_policy_that_warms_up_is_frozen_and_then_learns_without_the_offline_data(make_rig, monkeypatch):
    """WSRL (arXiv 2412.07762): the pretrained policy fills the replay, and practice draws from that alone."""
    rig = make_rig(pretrain_updates=4, start_transitions=8, algo={"demo_ratio": 0.0})
    while rig.loop.step():
        pass
    pretrained, _ = rig.state()
    shares, update = [], rig.algo.update
    monkeypatch.setattr(
        rig.algo, "update", lambda block: shares.append(float(block["is_demo"].float().mean())) or update(block)
    )
    rig.practise(1, human=())
    assert not rig.loop.step(), "four of eight"
    frozen, counters = rig.state()
    assert all(torch.equal(pretrained[name], frozen[name]) for name in pretrained)
    assert (counters.pretrained, counters.updates) == (4, 0)
    rig.practise(1, start=1, human=())
    while rig.loop.step():
        pass
    assert rig.loop.counters.updates > 0
    assert shares
    assert set(shares) == {0.0}


def test_a_resumed_learner_heeds_the_same_outcomes_at_the_same_steps(make_rig, monkeypatch):
    monkeypatch.setattr(train_loop, "OUTCOME_PERIOD", 4)
    monkeypatch.setattr(train_loop, "FIRST_EPISODES", 2)
    monkeypatch.setattr(train_loop, "NEWEST_EPISODES", 2)

    def watched(rig):
        heeded = []
        monkeypatch.setattr(rig.algo, "heed", lambda outcomes: heeded.append((rig.loop.counters.step, outcomes)))
        return heeded

    first = make_rig(checkpoint_period=60)
    heeded = watched(first)
    for number in range(8):
        first.practise(2, start=2 * number)
        while first.loop.step():
            pass
    first.close()
    again = make_rig(checkpoint_period=60)
    begun = again.loop.counters.step
    repeated = watched(again)
    while again.loop.step():
        pass
    assert begun > 0
    assert repeated == [(step, outcomes) for step, outcomes in heeded if step >= begun] != []


def test_updates_stop_at_the_limit_and_go_on_with_new_transitions(make_rig):
    rig = make_rig()
    rig.practise(5)
    while rig.loop.step():
        pass
    assert rig.loop.counters.updates == 20 * 2 + 4
    rig.practise(1, start=5)
    while rig.loop.step():
        pass
    assert rig.loop.counters.updates == 24 * 2 + 4
    assert rig.loop.transitions_allowed() > 24


def test_pretraining_comes_first_and_outside_the_limiter(make_rig, monkeypatch):
    rig = make_rig(pretrain_updates=10)
    kinds = []
    pretrain, update = rig.algo.pretrain, rig.algo.update
    monkeypatch.setattr(rig.algo, "pretrain", lambda block: kinds.append(block["is_demo"].all()) or pretrain(block))
    monkeypatch.setattr(rig.algo, "update", lambda block: kinds.append("online") or update(block))
    assert rig.loop.phase == "pretraining"
    for _ in range(4):
        rig.loop.step()
    assert rig.published == []
    rig.loop.step()
    assert [version for version, _ in rig.published] == [1]  # the actor has waited for this one
    assert rig.loop.phase == "online"
    assert not rig.loop.step()
    rig.practise(3)
    while rig.loop.step():
        pass
    assert kinds == [True] * 5 + ["online"] * 14
    assert (rig.loop.counters.pretrained, rig.loop.counters.updates) == (10, 12 * 2 + 4)


def test_the_policy_before_practice_stays_beside_the_newest(make_rig):
    rig = make_rig(pretrain_updates=4)
    for _ in range(2):
        rig.loop.step()
    first = {name: value.copy() for name, value in rig.algo.policy_tensors().items()}
    rig.practise(3)
    while rig.loop.step():
        pass
    kept = newest_policy(rig.folder / "start")
    assert kept.policy_version == 1
    assert all(np.array_equal(value, first[name]) for name, value in kept.tensors.items())
    assert any(not np.array_equal(value, first[name]) for name, value in rig.algo.policy_tensors().items())


def test_interventions_after_the_start_do_not_begin_pretraining(make_rig):
    rig = make_rig(pretrain_updates=10, demos=0)
    write_episode(rig.online, 0, 6)
    rig.loop.step()
    rig.practise(3, start=1)
    assert rig.loop.phase == "online"
    rig.loop.step()
    assert rig.loop.counters.pretrained == 0


def test_versions_rise_by_period(make_rig):
    rig = make_rig()
    rig.practise(4)
    while rig.loop.step():
        pass
    assert [version for version, _ in rig.published] == [1, *range(2, 11)]  # the first block, then every four updates
    for name, value in rig.algo.policy_tensors().items():
        np.testing.assert_array_equal(rig.published[-1][1][name], value)


def test_weights_that_are_not_finite_are_not_published(make_rig, caplog):
    rig = make_rig()
    with torch.no_grad():
        rig.algo.policy.trunk[0].weight[0, 0] = torch.nan
    with caplog.at_level(logging.ERROR, logger="steadyhand"):
        rig.loop.publish()
    assert rig.published == []
    assert "not finite" in caplog.text


def test_losses_that_stay_not_finite_end_training(make_rig):
    rig = make_rig(algo={"policy_delay": 1})
    rig.practise(10)
    with torch.no_grad():
        rig.algo.critic.weights[0][0, 0, 0] = torch.nan
    while rig.loop.counters.step < 9:
        rig.loop.step()
    with pytest.raises(TrainingDivergedError, match="finite losses"):
        rig.loop.step()
    assert rig.algo.skipped() >= 10


def test_a_row_every_log_period(make_rig):
    rig = make_rig()
    rig.practise(10)
    while rig.loop.step():
        pass
    rows = rig.rows()
    assert [row["update"] for row in rows] == list(range(10, 81, 10))
    assert rows[-1]["true_utd"] == pytest.approx(80 / 40)
    assert rows[-1]["transitions"] == 40
    assert rows[-1]["demo_share"] == pytest.approx(0.5 + 1 / 8, abs=0.4)
    names = {"critic_loss", "q_mean", "q_max", "target_mean", "entropy", "temperature", "action_saturation"}
    assert names | {"policy_loss", "updates_per_s", "skipped_steps"} <= rows[-1].keys()


def test_training_ends_at_max_updates(make_rig):
    rig = make_rig(max_updates=6)
    rig.practise(10)
    while rig.loop.step():
        pass
    assert rig.loop.counters.updates == 6
    assert rig.loop.phase == "finished"
    assert rig.loop.transitions_allowed() == -1


def drive(rig, updates):
    """Alternate practice and updates, as a lockstep actor would."""
    while rig.loop.counters.step < updates:
        if not rig.loop.step():
            rig.practise(1, start=rig.loop.counters.step)


def assert_same(one, other):
    (tensors, counters), (others, other_counters) = one, other
    assert counters == other_counters
    assert tensors.keys() == others.keys()
    assert [name for name, value in tensors.items() if not torch.equal(value, others[name])] == []


@pytest.mark.slow
@pytest.mark.parametrize("pretrain", [0, 60])
def test_resumed_training_is_bit_for_bit_the_same(make_rig, pretrain):
    settings = {"pretrain_updates": pretrain, "checkpoint_period": 100}
    straight = make_rig("straight", **settings)
    drive(straight, 200)
    first = make_rig("resumed", **settings)
    drive(first, 130)  # thirty steps beyond the checkpoint, which are lost and made again
    first.close()
    resumed = make_rig("resumed", **settings)
    assert resumed.loop.counters.step == 100
    drive(resumed, 200)
    assert_same(straight.state(), resumed.state())
    assert [row["update"] for row in resumed.rows()] == list(range(10, 201, 10))


@pytest.mark.slow
@pytest.mark.parametrize("step", [60, 100, 130])
def test_a_learner_that_was_ended_goes_on_as_if_it_had_not_been(make_rig, step):
    settings = {"checkpoint_period": 100, "slack": 200.0}
    straight, first = make_rig("straight", **settings), make_rig("resumed", **settings)
    for rig in (straight, first):
        rig.practise(20)
    drive(straight, 200)
    drive(first, step)
    first.loop.finish()
    ended = first.loop.counters.step
    assert ended == step + (2 if first.loop._prefetches and step != 100 else 0)  # one that was drawn ahead is made too
    first.close()
    resumed = make_rig("resumed", **settings)
    assert resumed.loop.counters.step == ended
    drive(resumed, 200)
    assert_same(straight.state(), resumed.state())


@pytest.mark.parametrize("fault", ["update", "draw", "look"])
def test_a_block_that_was_broken_off_is_made_again_bit_for_bit(make_rig, monkeypatch, caplog, fault):
    settings = {"checkpoint_period": 10, "log_period": 100}
    straight, first = make_rig("straight", **settings), make_rig("resumed", **settings)
    drive(straight, 60)
    drive(first, 24)
    targets = {
        "update": (first.algo, "update"),
        "draw": (first.loop._prefetcher._sampler, "sample"),
        "look": (first.loop._store, "advance"),
    }

    def broken(*args, **options):
        raise MemoryError("for once")

    with monkeypatch.context() as patch:
        patch.setattr(*targets[fault], broken)
        with pytest.raises(MemoryError):
            drive(first, 60)
    before = first.loop.counters.step
    with caplog.at_level(logging.ERROR):
        first.loop.finish()
    assert "broken off" in caplog.text
    assert first.loop.counters.step == before
    first.close()
    resumed = make_rig("resumed", **settings)
    assert resumed.loop.counters.step == 20
    drive(resumed, 60)
    assert_same(straight.state(), resumed.state())


def test_records_that_came_after_the_crash_change_nothing_that_was_made_before(make_rig):
    settings = {"checkpoint_period": 40}
    straight, first = make_rig("straight", **settings), make_rig("resumed", **settings)
    for rig in (straight, first):
        drive(rig, 70)
    first.practise(50, start=500)
    first.close()
    resumed = make_rig("resumed", **settings)
    while resumed.loop.counters.step < 70:
        assert resumed.loop.step()
    assert_same(straight.state(), resumed.state())


def test_a_resumed_learner_publishes_at_once(make_rig):
    first = make_rig(checkpoint_period=20)
    drive(first, 20)
    first.close()
    resumed = make_rig(checkpoint_period=20)
    ((version, tensors),) = resumed.published
    assert version == first.loop.counters.policy_version
    for name, value in first.algo.policy_tensors().items():
        np.testing.assert_array_equal(tensors[name], value)


def test_lost_records_that_training_has_seen_are_an_error(make_rig, tmp_path):
    first = make_rig(checkpoint_period=20)
    drive(first, 20)
    first.close()
    for path in (tmp_path / "run" / "online").iterdir():
        path.unlink()
    with pytest.raises(SnapshotError, match="restore"):
        make_rig()


def test_a_full_disk_stops_no_training(make_rig, monkeypatch, caplog):
    rig = make_rig(checkpoint_period=10)
    rig.practise(10)
    while rig.loop.counters.step < 10:
        rig.loop.step()
    with monkeypatch.context() as patch, caplog.at_level(logging.ERROR, logger="steadyhand"):
        patch.setattr("os.fsync", lambda fd: (_ for _ in ()).throw(OSError(errno.ENOSPC, "No space left on device")))
        while rig.loop.counters.step < 20:
            rig.loop.step()
    assert "no checkpoint at step 20" in caplog.text
    folder = CheckpointFolder(rig.folder / "checkpoints", keep=3)
    assert folder.newest().step == 10
    while rig.loop.counters.step < 30:
        rig.loop.step()
    assert folder.newest().step == 30
