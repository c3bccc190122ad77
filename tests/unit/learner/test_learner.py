import json
import logging
import os
import signal
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional as F  # noqa: N812

from steadyhand.learner.algos.hybrid import Hybrid, HybridSettings
from steadyhand.learner.checkpoint import CheckpointError
from steadyhand.learner.device import DeviceError
from steadyhand.learner.learner import Learner
from steadyhand.learner.learner_settings import Demonstrations, LearnerSettings
from steadyhand.learner.saved_policy import newest_policy
from steadyhand.policies import EncoderError, Policy, PolicySpec, load_backbone
from steadyhand.policies.config import PolicyConfig
from steadyhand.runtime.component import Component
from steadyhand.runtime.run_folder import RunFolder
from steadyhand.transport.demo_set import DemoManifest, write_manifest
from steadyhand.transport.local_uplink import LocalUplink
from steadyhand.transport.record import Phase
from steadyhand.transport.schema import SchemaError
from steadyhand.transport.uplink import Rejected
from steadyhand.transport.weights import WeightsError
from steadyhand.transport.wire import Hello
from steadyhand.transport.zmq_uplink import ZmqUplink
from tests.encoder_kit import resnet10_file
from tests.settings_kit import shipped
from tests.transport_kit import CLOCK, connected_config, wait_until
from tests.transport_kit import CONFIG as TRANSPORT
from tests.unit.learner.logs import PIXELS, SCHEMA, reader_of, session_id, write_episode, writer_in

POLICY = shipped(PolicyConfig, "policy", obs_horizon=2, hidden=(16,), latent_size=8, log_std_max=2.0)
ROOT = Path(__file__).parents[3]


@pytest.fixture
def demos(tmp_path):
    writer = writer_in(tmp_path / "demos", 9)
    for episode in range(4):
        write_episode(writer, episode, 5, phase=Phase.DEMO)
    writer.close()
    write_manifest(
        writer.folder, DemoManifest(SCHEMA, 4, 4, 20, {}, "arm", session_id(9), "2025-01-01T00:00:00Z", "me")
    )
    return writer.folder


@pytest.fixture
def make_learner(tmp_path, make_algo, make_learner_config):
    learners = []

    def make(demos=(), policy=POLICY, algo=None, **changes):
        algo = algo if isinstance(algo, Component) else make_algo(**(algo or {}))
        learner = Learner(
            LearnerSettings(make_learner_config(**changes), algo, policy, TRANSPORT, seed=0),
            RunFolder(tmp_path / "runs", "run"),
            Demonstrations(demos),
        )
        learners.append(learner)
        return learner

    yield make
    for learner in learners:
        learner.close()


class FakeActor:
    """An actor's end of the link over a log in a folder."""

    def __init__(self, folder, uplink_to, schema=SCHEMA, number=1):
        self.writer = writer_in(folder / str(number), number, schema)
        self.uplink = uplink_to(reader_of(self.writer))
        self.hello = Hello.of(schema, "arm", session_id(number))
        self.episodes = 0

    def practise(self, episodes=1):
        for _ in range(episodes):
            write_episode(self.writer, self.episodes, 4)
            self.episodes += 1
            self.uplink.notify()

    def close(self):
        self.uplink.close()
        self.writer.close()


@pytest.fixture
def make_actor(tmp_path):
    actors = []

    def make(learner, **options):
        actors.append(FakeActor(tmp_path / "actor", lambda reader: LocalUplink(learner.intake, reader), **options))
        return actors[-1]

    yield make
    for actor in actors:
        actor.close()


def test_from_hello_to_better_weights(make_learner, make_actor, tmp_path):
    learner = make_learner()
    assert not learner.step()  # nobody is there
    actor = make_actor(learner)
    accept = actor.uplink.connect(actor.hello, 1.0)
    spec = PolicySpec.from_json(accept.policy_spec)
    assert (spec.obs_horizon, spec.normaliser) == (2, {})
    assert actor.uplink.latest_weights() is None
    actor.practise(5)
    while learner.step():
        pass
    weights = actor.uplink.latest_weights()
    assert (weights.learner_epoch, weights.policy_version) == (0, learner.loop.counters.policy_version)
    policy = Policy(spec)
    policy.load_tensors(weights.tensors)
    assert policy.act({"state": np.zeros((2, 3), np.float32)}, deterministic=True).shape == (2,)
    progress = actor.uplink.progress()
    assert (progress.updates, progress.learner_phase) == (44, "online")


@pytest.fixture
def hybrid():
    small = {"batch_size": 8, "critic_hidden": (16, 16), "warm_updates": 0, "growth_updates": 4}
    return Component(Hybrid, shipped(HybridSettings, "algo", "algo=hybrid", **small))


def test_a_gripper_that_the_schema_names_is_decided_and_resumed(make_learner, make_actor, hybrid):
    schema = replace(SCHEMA, action=replace(SCHEMA.action, kinds=("motion", "gripper")))
    learner = make_learner(algo=hybrid)
    actor = make_actor(learner, schema=schema)
    spec = PolicySpec.from_json(actor.uplink.connect(actor.hello, 1.0).policy_spec)
    assert spec.decided == (1,)
    actor.practise(5)
    while learner.step():
        pass
    policy = Policy(spec)
    policy.load_tensors(actor.uplink.latest_weights().tensors)
    assert policy.act({"state": np.zeros((2, 3), np.float32)}, deterministic=True)[1] in (-1.0, 0.0, 1.0)
    learner.close()
    state = {name: value.clone() for name, value in learner.loop._algo.state_tensors().items()}
    again = make_learner(algo=hybrid)
    again.step()
    assert again.loop.counters == learner.loop.counters
    assert all(torch.equal(value, state[name]) for name, value in again.loop._algo.state_tensors().items())


def test_an_actor_without_a_gripper_is_told_so(make_learner, make_actor, hybrid):
    learner = make_learner(algo=hybrid)
    actor = make_actor(learner)
    with pytest.raises(Rejected, match="expected an action with a gripper entry"):
        actor.uplink.connect(actor.hello, 1.0)


def test_demonstrations_give_spec_scaling_and_a_first_policy(make_learner, make_actor, demos):
    learner = make_learner([demos], pretrain_updates=20)
    while learner.step():
        pass
    assert learner.loop.counters.pretrained == 20
    actor = make_actor(learner)
    accept = actor.uplink.connect(actor.hello, 1.0)
    assert len(PolicySpec.from_json(accept.policy_spec).normaliser["state"][0]) == 3
    assert actor.uplink.latest_weights().policy_version == 1


@pytest.fixture
def frozen(tmp_path):
    """A policy with a frozen encoder, over frames."""
    return replace(POLICY, encoder="resnet10", encoder_weights=resnet10_file(tmp_path), latent_size=2, obs_horizon=1)


def test_a_frozen_encoder_learns_nothing_and_is_never_sent(make_learner, make_actor, frozen):
    learner = make_learner(policy=frozen, start_transitions=4, max_updates=2, algo={"batch_size": 2})
    actor = make_actor(learner, schema=PIXELS)
    spec = PolicySpec.from_json(actor.uplink.connect(actor.hello, 1.0).policy_spec)
    actor.practise(2)
    learner.step()
    backbone = load_backbone(spec.encoder, frozen.encoder_weights)
    assert spec.encoder_hash == backbone.hash
    assert learner.loop.counters.updates == 2
    learnt = learner.loop._algo.policy.backbone
    for name, value in backbone.named_parameters():
        assert torch.equal(value, learnt.get_parameter(name))
    tensors = actor.uplink.latest_weights().tensors
    assert sum(value.size for value in tensors.values()) < 100_000
    assert not any("backbone" in name for name in [*tensors, *learner.loop._algo.state_tensors()])
    Policy(spec, 0, backbone).load_tensors(tensors)  # all that an actor with the same file needs


def test_features_are_cached_in_the_run_and_found_again(make_learner, make_actor, frozen, tmp_path):
    frozen = replace(frozen, feature_cache=2)
    learner = make_learner(policy=frozen, start_transitions=4, max_updates=2, algo={"batch_size": 2})
    actor = make_actor(learner, schema=PIXELS)
    actor.uplink.connect(actor.hello, 1.0)
    actor.practise(2)
    learner.step()
    assert learner.loop.counters.updates == 2
    cache = learner._features._cache
    wait_until(lambda: learner.step() or all(cache.claims(session_id(1), seq) for seq in range(10)))
    learner.close()
    (file,) = (tmp_path / "runs" / "run" / "features").glob("*/*.bin")
    written = file.stat().st_mtime_ns
    again = make_learner(policy=frozen, max_updates=4, algo={"batch_size": 2})
    again.step()
    assert again.loop.counters.updates == 4
    again.close()
    assert file.stat().st_mtime_ns == written


def test_a_run_goes_on_only_with_its_own_encoder(make_learner, make_actor, frozen, tmp_path):
    learner = make_learner(policy=frozen, start_transitions=4, max_updates=2, algo={"batch_size": 2})
    actor = make_actor(learner, schema=PIXELS)
    actor.uplink.connect(actor.hello, 1.0)
    actor.practise(2)
    learner.step()
    learner.close()
    other = make_learner(policy=replace(frozen, encoder_weights=resnet10_file(tmp_path, seed=1)))
    with pytest.raises(EncoderError, match="expected weights with sha256"):
        other.step()


def test_lockstep_lets_each_session_have_what_is_left(make_learner, make_actor):
    learner = make_learner(start_transitions=4, slack=0.0, algo={"policy_delay": 1})
    one = make_actor(learner, number=1)
    one.uplink.connect(one.hello, 1.0)
    assert one.uplink.progress().transitions_allowed == 0  # nothing before the learner knows its own pace
    learner.step()
    assert one.uplink.progress().transitions_allowed == 4
    one.practise(2)
    assert learner.step()
    while learner.step():
        pass
    assert learner.loop.counters.updates == 16
    assert one.uplink.progress().transitions_allowed == 8 + 1
    one.close()
    other = make_actor(learner, number=2)
    other.uplink.connect(replace_actor(other.hello), 1.0)
    assert other.uplink.progress().transitions_allowed == 1


def replace_actor(hello):
    return Hello.of(SCHEMA, "other", hello.session_id)


@pytest.mark.parametrize("careful", [True, False])
def test_a_learner_that_is_behind_does_not_wake_every_actor_at_every_update(
    make_learner, make_actor, monkeypatch, careful
):
    learner, announced = make_learner(algo={"policy_delay": 1}), []
    monkeypatch.setattr(learner._serving, "announce", lambda: announced.append(learner.loop.counters.updates))
    if not careful:  # the twin
        monkeypatch.setattr("steadyhand.learner.progress.Progress.releases", lambda self, before: True)
    actor = make_actor(learner)
    actor.uplink.connect(actor.hello, 1.0)
    actor.practise(5)
    while learner.step():
        pass
    assert learner.loop.counters.updates == 44
    # It is behind until the next one of the 20 transitions is due; before that there is one change of the phase.
    early = [updates for updates in announced if 1 < updates <= 30]
    assert early == [] if careful else len(early) >= 20
    assert max(announced) == 44


def test_an_extra_camera_is_welcome_and_a_missing_field_is_not(make_learner, make_actor, demos):
    learner = make_learner([demos])
    seeing = make_actor(learner, schema=PIXELS)
    seeing.uplink.connect(seeing.hello, 1.0)
    blind = make_actor(learner, schema=replace(SCHEMA, observation=(PIXELS.observation[1],)), number=2)
    with pytest.raises(Rejected, match="state"):
        blind.uplink.connect(blind.hello, 1.0)


def test_a_resumed_run_goes_on_and_its_weights_are_newer(make_learner, make_actor, demos, tmp_path):
    first = make_learner([demos], pretrain_updates=10)
    actor = make_actor(first)
    actor.uplink.connect(actor.hello, 1.0)
    actor.practise(4)
    while first.step():
        pass
    version, spec = first.loop.counters.policy_version, first.loop._algo.policy.spec
    weights = actor.uplink.latest_weights()
    actor.close()
    first.close()
    resumed = make_learner([demos], pretrain_updates=10)
    resumed.step()
    assert resumed.learner_epoch == 1
    assert resumed.loop.counters.step == first.loop.counters.step
    assert resumed.loop._algo.policy.spec == spec
    saved = newest_policy(tmp_path / "runs" / "run" / "checkpoints")
    assert saved.policy_version == version
    back = make_actor(resumed, number=2)
    back.uplink.connect(back.hello, 1.0)
    again = back.uplink.latest_weights()
    assert (again.learner_epoch, again.policy_version) > (weights.learner_epoch, weights.policy_version)
    for name, value in saved.tensors.items():
        np.testing.assert_array_equal(again.tensors[name], value)


def test_damaged_checkpoints_are_never_a_fresh_start(make_learner, make_actor, tmp_path):
    learner = make_learner()
    actor = make_actor(learner)
    actor.uplink.connect(actor.hello, 1.0)
    actor.practise(4)
    while learner.step():
        pass
    learner.close()
    for path in (tmp_path / "runs" / "run" / "checkpoints").glob("*/learner.safetensors"):
        path.write_bytes(b"")
    with pytest.raises(CheckpointError, match="damaged"):
        make_learner()


def test_a_changed_configuration_is_taken_and_said(make_learner, demos, caplog):
    first = make_learner([demos], pretrain_updates=4)
    while first.step():
        pass
    first.close()
    with caplog.at_level(logging.WARNING, logger="steadyhand"):
        resumed = make_learner([demos], pretrain_updates=4, algo={"critic_lr": 1e-5})
        resumed.step()
    assert "another configuration" in caplog.text
    assert resumed.loop.counters.step == 4


def test_demonstrations_of_another_robot_are_refused(make_learner, demos, tmp_path):
    other = replace(SCHEMA, control_period_s=0.02)
    writer = writer_in(tmp_path / "others", 8, other)
    write_episode(writer, 0, 5, phase=Phase.DEMO)
    writer.close()
    write_manifest(writer.folder, DemoManifest(other, 1, 1, 5, {}, "arm", session_id(8), "2025-01-01T00:00:00Z", "me"))
    with pytest.raises(SchemaError, match="control_period_s"):
        make_learner([demos, writer.folder])


def test_a_device_that_is_not_there_is_refused(make_learner, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(DeviceError):
        make_learner(device="cuda")


def test_convolutions_are_rounded_and_updates_compiled_on_demand(make_learner, make_actor, frozen, monkeypatch, caplog):
    settings = {"start_transitions": 4, "max_updates": 2, "convolutions": "bfloat16", "compile": True}
    learner = make_learner(policy=frozen, algo={"batch_size": 2}, **settings)
    actor = make_actor(learner, schema=PIXELS)
    actor.uplink.connect(actor.hello, 1.0)
    actor.practise(2)
    dtypes, convolve = [], F.conv2d
    monkeypatch.setattr(F, "conv2d", lambda *args: dtypes.append(convolve(*args).dtype) or convolve(*args))
    with caplog.at_level(logging.WARNING, logger="steadyhand"):
        learner.step()
    assert "learner.compile=true: updates stay uncompiled: blocks have frames" in caplog.text
    assert learner.loop.counters.updates == 2
    assert dtypes[-1] == torch.bfloat16


def test_over_sockets_with_a_thread_of_its_own(make_learner, demos, tmp_path):
    learner = make_learner([demos], pretrain_updates=10)
    config = connected_config(learner.serve())
    stop = threading.Event()
    thread = threading.Thread(target=learner.run, args=(stop.is_set,))
    thread.start()
    actor = FakeActor(tmp_path / "actor", lambda reader: ZmqUplink(config, reader))
    try:
        actor.uplink.connect(actor.hello, 5.0)
        actor.practise(5)
        wait_until(lambda: actor.uplink.progress().updates == 44)
        wait_until(lambda: (weights := actor.uplink.latest_weights()) and weights.policy_version == 12)
    finally:
        stop.set()
        thread.join(10.0)
        actor.close()
    assert not thread.is_alive()


def test_weights_that_cannot_be_sent_end_a_learner_that_serves(make_learner, demos):
    learner = make_learner([demos], pretrain_updates=10)
    learner.serve()
    learner.intake.config = replace(learner.intake.config, max_weights_bytes=10)

    deadline_ns = CLOCK.now_ns() + 30_000_000_000
    with pytest.raises(WeightsError, match=r"at most transport.max_weights_bytes = 10"):
        learner.run(lambda: CLOCK.now_ns() > deadline_ns)


PROCESS = """
import json, sys
from pathlib import Path
from steadyhand.actor.stop_flag import StopFlag
from steadyhand.learner.algos.sac import Sac, SacSettings
from steadyhand.learner.config import LearnerConfig
from steadyhand.learner.learner import Learner
from steadyhand.learner.learner_settings import Demonstrations, LearnerSettings
from steadyhand.policies.config import PolicyConfig
from steadyhand.runtime.component import Component
from steadyhand.runtime.build import build
from steadyhand.runtime.run_folder import RunFolder
from steadyhand.transport.config import TransportConfig
values = json.loads(sys.argv[1])
kinds = (LearnerConfig, SacSettings, PolicyConfig, TransportConfig)
learner, algo, policy, transport = [build(kind, part) for kind, part in zip(kinds, values["configs"])]
settings = LearnerSettings(learner, Component(Sac, algo), policy, transport, seed=0)
with StopFlag().on_signals() as stop:
    learner = Learner(settings, RunFolder(values["root"], "run"), Demonstrations([Path(values["demos"])]))
    learner.serve()
    print("ready", flush=True)
    learner.run(stop)
    learner.close()
"""


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_with_a_checkpoint_and_status_0(number, tmp_path, demos, make_config, make_learner_config):
    from dataclasses import asdict

    configs = (make_learner_config(pretrain_updates=10_000), make_config(), POLICY, TRANSPORT)
    values = {"configs": [asdict(config) for config in configs], "root": str(tmp_path / "runs"), "demos": str(demos)}
    process = subprocess.Popen(
        [sys.executable, "-c", PROCESS, json.dumps(values)],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout.readline() == "ready\n"
        lines = tmp_path / "runs" / "run" / "metrics" / "learner.jsonl"
        wait_until(lambda: lines.exists() and lines.stat().st_size > 0, timeout_s=30.0)
        process.send_signal(number)
        assert process.wait(30.0) == 0
    finally:
        process.kill()
        process.stdout.close()
    assert newest_policy(tmp_path / "runs" / "run" / "checkpoints").spec.action_size == 2
