import logging
from dataclasses import replace

import numpy as np
import pytest
import torch

from steadyhand.learner.algos.bc import Bc, BcSettings
from steadyhand.learner.checkpoint import CheckpointFolder
from steadyhand.learner.learner import Learner
from steadyhand.learner.learner_settings import LearnerSettings
from steadyhand.learner.prior import EarlierData, PriorData, PriorDataError, take_weights
from steadyhand.learner.replay.replay_log import SnapshotError
from steadyhand.policies import Policy
from steadyhand.policies.config import PolicyConfig
from steadyhand.runtime.build import build
from steadyhand.runtime.component import Component
from steadyhand.runtime.run_folder import RunFolder
from steadyhand.transport.local_uplink import LocalUplink
from steadyhand.transport.outbox import Rejected
from steadyhand.transport.run_identity import Identity, write_identity
from steadyhand.transport.wire import Hello
from tests.config_kit import composed
from tests.transport_kit import CONFIG as TRANSPORT
from tests.unit.learner.logs import SCHEMA, reader_of, session_id, write_episode, writer_in

SMALL = ("policy.obs_horizon=2", "policy.hidden=[16]", "policy.latent_size=8")
POLICY = build(PolicyConfig, composed(*SMALL)["policy"], "policy")
FR3 = Identity(task="tasks:Peg", robot="fr3", joints=7)
UR = Identity(task="tasks:Peg", robot="ur", joints=6)


@pytest.fixture
def make_learner(tmp_path, make_algo, make_learner_config):
    learners = []

    def make(name="run", policy=POLICY, algo=None, prior=PriorData(), **changes):  # noqa: B008
        values = {"pretrain_updates": 20, "checkpoint_period": 20, "max_updates": 40} | changes
        run = RunFolder(tmp_path / "runs", name)
        algo = algo or make_algo()
        settings = LearnerSettings(make_learner_config(**values), algo, policy, TRANSPORT, 0)
        learner = Learner(settings, run, prior=prior)
        learners.append(learner)
        return learner

    yield make
    for learner in learners:
        learner.close()


@pytest.fixture
def log(tmp_path):
    """Practice of another run, which failed as often as it succeeded."""
    writer = writer_in(tmp_path / "other", 5)
    for episode in range(6):
        write_episode(writer, episode, 5, "terminated" if episode % 2 else "truncated", human=(1,), session=5)
    writer.close()
    return writer.folder


@pytest.fixture
def trained(make_learner, log, tmp_path):
    """A checkpoint of another run, on an FR3."""
    learner = make_learner("trained", prior=PriorData((log,), identity=FR3))
    while learner.step():
        pass
    learner.close()
    return CheckpointFolder(tmp_path / "runs" / "trained" / "checkpoints", 3).newest()


def hello_in(tmp_path, identity, number=1):
    writer = writer_in(tmp_path / f"actor{number}", number)
    return writer, Hello.of(SCHEMA, "arm", session_id(number), identity)


def practise(learner, tmp_path, identity=FR3, episodes=6):
    writer, hello = hello_in(tmp_path, identity)
    uplink = LocalUplink(learner.intake, reader_of(writer))
    uplink.connect(hello, 1.0)
    for episode in range(episodes):
        write_episode(writer, episode, 5)
    uplink.notify()
    uplink.close()
    writer.close()


def tensors_of(learner):
    return {name: value.clone() for name, value in learner.loop._algo.state_tensors().items()}


def test_practice_of_another_run_is_pretrained_on_and_counts_no_step(make_learner, log):
    learner = make_learner(prior=PriorData((log,)))
    while learner.step():
        pass
    assert learner.loop.counters.pretrained == 20
    status = learner.status()
    assert (status.transitions, status.prior_starts, status.updates) == (0, 30, 0)
    assert status.actors == {}
    assert not learner.loop._scalars.episodes.scalars()  # its episodes are none of this run
    assert len(learner.loop._algo.policy.spec.normaliser["state"][0]) == 3  # scaled by what there is


def test_a_resumed_run_goes_on_bit_for_bit_with_the_same_logs(make_learner, log, tmp_path):
    straight = make_learner("straight", prior=PriorData((log,)), prefetch=False)
    broken = make_learner("broken", prior=PriorData((log,)), prefetch=False)
    for learner in (straight, broken):
        practise(learner, tmp_path / learner._run.name)
    for _ in range(50):
        straight.step()
    for _ in range(33):  # past the checkpoints of 20 steps; the journal knows the rest
        broken.step()
    broken.loop._is_whole = False  # nothing is saved at the end, as after a kill
    broken.close()
    again = make_learner("broken", prior=PriorData((log,)), prefetch=False)
    while again.step():
        pass
    while straight.step():
        pass
    assert again.loop.counters == straight.loop.counters
    for name, value in tensors_of(straight).items():
        assert torch.equal(value, tensors_of(again)[name]), name
    again.close()
    with pytest.raises(SnapshotError, match="give the same --demos, --logs and earlier run as before"):
        make_learner("broken").step()


def test_weights_of_another_run_are_where_training_begins(make_learner, trained, tmp_path):
    learner = make_learner(prior=PriorData(checkpoint=trained, identity=Identity("run")), pretrain_updates=0)
    assert learner.intake.identity.robot == "fr3"
    learner.step()
    assert learner.loop.counters.step == 0
    other = CheckpointFolder(tmp_path / "runs" / "trained" / "checkpoints", 3).newest()
    found = tensors_of(learner)
    import safetensors.torch

    wanted = safetensors.torch.load(other.files["learner.safetensors"])
    taken = [name for name in found if name.startswith(("policy/", "critic/", "target_critic/"))]
    assert len(taken) > 6
    assert all(torch.equal(found[name], wanted[name]) for name in taken)
    moments = [name for name in found if name.startswith("optimizer/")]
    assert all(float(found[name].abs().sum()) == 0.0 for name in moments)


def test_a_run_that_has_a_checkpoint_goes_on_from_its_own(make_learner, trained, log):
    first = make_learner(prior=PriorData((log,)))
    while first.step():
        pass
    first.close()
    again = make_learner(prior=PriorData((log,), checkpoint=trained))
    again.step()
    assert again.loop.counters.pretrained == 20
    for name, value in tensors_of(first).items():
        assert torch.equal(value, tensors_of(again)[name]), name


def test_weights_that_do_not_fit_are_one_line(make_learner, trained, log):
    with pytest.raises(PriorDataError, match=r"expected weights of a policy with hidden=\[8\], found \[16\]"):
        make_learner(policy=replace(POLICY, hidden=(8,)), prior=PriorData((log,), checkpoint=trained))


def test_critics_that_do_not_fit_start_anew_and_are_named(make_algo, trained, make_learner, log, caplog):
    learner = make_learner(algo=make_algo(critic_hidden=(8, 8)), prior=PriorData((log,), checkpoint=trained))
    with caplog.at_level(logging.WARNING, logger="steadyhand"):
        learner.step()
    (line,) = [text for text in caplog.messages if "do not fit" in text]
    assert "critic (critic/" in line
    assert "policy" not in line.partition(":")[2]


def test_a_cloned_policy_has_no_critics_to_give(make_learner, trained, log, make_algo, caplog, tmp_path):
    cloned = make_learner("cloned", algo=Component(Bc, BcSettings(8, "mse", 1e-3, 0)), prior=PriorData((log,)))
    while cloned.step():
        pass
    cloned.close()
    checkpoint = CheckpointFolder(tmp_path / "runs" / "cloned" / "checkpoints", 3).newest()
    policy = Policy(cloned.loop._algo.policy.spec, 1)
    algo = make_algo().make(policy, 1)
    with caplog.at_level(logging.WARNING, logger="steadyhand"):
        take_weights(algo, checkpoint)
    assert "found none" in caplog.text
    for name, value in cloned.loop._algo.policy_tensors().items():
        np.testing.assert_array_equal(algo.policy_tensors()[name], value)


def test_another_robot_s_practice_and_weights_are_refused(make_learner, trained, log, caplog):
    write_identity(log, FR3)
    mine = UR
    for prior in (PriorData((log,), identity=mine), PriorData(checkpoint=trained, identity=mine)):
        with pytest.raises(PriorDataError, match=r"robot: expected ur, found fr3.*learner\.accept_other_robot=true"):
            make_learner(prior=prior)
    make_learner("allowed", prior=PriorData((log,), checkpoint=trained, identity=mine), accept_other_robot=True)
    assert "used, as learner.accept_other_robot says" in caplog.text


def test_another_task_s_practice_is_refused(make_learner, log):
    write_identity(log, FR3)
    with pytest.raises(PriorDataError, match="task: expected tasks:Reach, found tasks:Peg"):
        make_learner(prior=PriorData((log,), identity=Identity(task="tasks:Reach")))


def test_a_checkpoint_keeps_robot_and_task_and_refuses_another_robot(make_learner, log, tmp_path):
    run = Identity("run", "ab" * 16, "tasks:Peg")
    first = make_learner(prior=PriorData((log,), identity=run))
    practise(first, tmp_path)  # its HELLO tells the robot
    while first.step():
        pass
    first.close()
    saved = CheckpointFolder(tmp_path / "runs" / "run" / "checkpoints", 3).newest()
    assert saved.facts["identity"]["robot"] == "fr3"
    for folder in (tmp_path / "runs" / "run" / "log").iterdir():
        (folder / "identity.json").unlink()
    again = make_learner(prior=PriorData((log,), identity=run))
    writer, hello = hello_in(tmp_path, UR, number=2)
    uplink = LocalUplink(again.intake, reader_of(writer))
    with pytest.raises(Rejected, match="robot: expected fr3, found ur"):
        uplink.connect(hello, 1.0)
    uplink.close()
    writer.close()


def test_a_log_is_given_once_and_is_none_of_the_run_s_own(make_learner, log, tmp_path):
    with pytest.raises(PriorDataError, match="give each log once"):
        make_learner(prior=PriorData((log, log)))
    learner = make_learner("twice", prior=PriorData((log,)))
    practise(learner, tmp_path)
    learner.close()
    (own,) = (tmp_path / "runs" / "twice" / "log").iterdir()
    with pytest.raises(PriorDataError, match="none of this run's own practice"):
        make_learner("twice", prior=PriorData((log, own)))


def test_weights_without_any_record_act_before_the_first_update(make_learner, trained, tmp_path):
    learner = make_learner(prior=PriorData(checkpoint=trained, identity=Identity("run")))
    assert not learner.step()  # nothing to train on yet, and the actor waits for weights
    assert learner.loop.counters.policy_version == 1
    assert CheckpointFolder(tmp_path / "runs" / "run" / "start", 1).newest() is not None
    learner.close()
    blank = make_learner("blank")
    practise(blank, tmp_path)
    assert blank.step()  # the twin: without weights the first ones come after a block
    assert blank.loop.counters.updates > 0


def test_records_of_an_earlier_run_have_an_index_and_a_share_of_their_own(make_learner, log, tmp_path):
    learner = make_learner(prior=PriorData(earlier=EarlierData(logs=(log,), demo_share=0.5)), prefetch=False)
    practise(learner, tmp_path)
    while learner.step():
        pass
    store = learner.loop._store
    assert len(store.earlier) == 6  # one correction an episode
    assert len(store.demo) == 0
    assert learner.status().prior_starts == 30
    learner.close()
    again = make_learner(prior=PriorData(earlier=EarlierData(logs=(log,), demo_share=0.5)))
    again.step()
    np.testing.assert_array_equal(again.loop._store.earlier, store.earlier)
