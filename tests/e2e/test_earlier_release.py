"""A run folder of an earlier release goes on working: tests/data/README.md says which release."""

import shutil
from pathlib import Path

import pytest

import steadyhand as sh
from steadyhand.cli import main
from steadyhand.learner.checkpoint import CheckpointFolder
from steadyhand.remembered import recorded_config
from steadyhand.runtime.run_folder import RunFolder

RUN = Path(__file__).parents[1] / "data" / "run_before_0045"
SMALL = ("policy.hidden=[8,8]", "algo.critic_hidden=[8,8]", "algo.batch_size=16", "learner.pretrain_updates=100")


@pytest.fixture
def run(tmp_path):
    return shutil.copytree(RUN, tmp_path / "old")


def test_its_policy_is_evaluated_in_its_own_environment(run):
    assert sh.evaluate(run, episodes=1).episodes == 1


def test_a_setting_that_was_added_since_has_its_present_value(run):
    manifest = RunFolder(run.parent, "old", create=False).read_manifest()
    assert "press_steps" not in manifest["config"]["device"]["demonstrator"]
    config = recorded_config(manifest)
    assert config["device"]["demonstrator"]["press_steps"] is None
    assert config["policy"]["hidden"] == [8, 8]  # of the run


def test_a_part_that_the_run_chose_otherwise_is_left_as_it_was(run):
    manifest = RunFolder(run.parent, "old", create=False).read_manifest()
    manifest["config"]["device"] = {"entry_point": "steadyhand.robot_envs.devices.udp:UdpDevice", "port": 7}
    assert recorded_config(manifest)["device"] == manifest["config"]["device"]


@pytest.mark.slow
def test_its_training_goes_on_from_its_checkpoint(run):
    before = CheckpointFolder(run / "checkpoints", keep=3).newest().facts["counters"]
    learning = ("actor.max_env_steps=260", "demo.demos=3", "learner.start_transitions=50")
    done = sh.train("task=reach", "actor.id=arm0", *SMALL, *learning, run=run)
    after = CheckpointFolder(run / "checkpoints", keep=3).newest().facts["counters"]
    assert after["pretrained"] == before["pretrained"]
    assert after["updates"] > before["updates"]
    assert done.summary.policy_version > before["policy_version"]


@pytest.mark.parametrize("words", [["runs"], ["report", "run_name=old"], ["export", "run_name=old"]])
def test_its_folder_is_read_by_other_verbs(run, words):
    assert main([*words, f"run_root={run.parent}"]) == 0


def test_its_log_is_sound(run):
    assert main(["log", "check", str(run)]) == 0
