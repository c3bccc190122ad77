import pytest

from steadyhand.actor.env_schema import env_schema
from steadyhand.actor.onnx_policy import OnnxPolicy
from steadyhand.cli import main
from steadyhand.job import open_job
from steadyhand.learner.checkpoint import CheckpointFolder
from steadyhand.policy_file import save_policy
from steadyhand.robot_envs.make import make_env
from steadyhand.runtime.config import compose
from steadyhand.transport.record import Phase
from tests.unit.actor.exported import VERSION, walking_policy
from tests.unit.steadyhand.point_task import OVERRIDES
from tests.unit.steadyhand.reach_policy import reach_policy
from tests.unit.steadyhand.synthetic_run import write_log

pytestmark = pytest.mark.slow


def export(*words: str) -> int:
    return main(["export", *words, "logging.level=warning"])


@pytest.fixture
def run(tmp_path):
    job = open_job([*OVERRIDES, f"run_root={tmp_path}", "run_name=point"])
    job.write_manifest()
    CheckpointFolder(job.run.checkpoints, keep=1).save(5, walking_policy().to_files(), {})
    return job.run


def test_the_newest_policy_of_a_run(run, capfd):
    assert export(*OVERRIDES, f"run_root={run.path.parent}", "run_name=point") == 0
    said = capfd.readouterr()
    assert f"policy version {VERSION}" in said.out
    assert "steadyhand run --policy" in said.out
    assert said.err == "", "the exporter's own talk"
    description = OnnxPolicy.load(run.path / "policy.onnx").description
    assert description.schema == env_schema(make_env(compose(OVERRIDES), 0))
    assert (description.obs_horizon, description.task) == (3, {})


def test_what_the_run_recorded_counts_before_the_environment(run, capsys):
    write_log(run.log / ("ab" * 16), [5], Phase.TRAIN)
    assert export(*OVERRIDES, f"run_root={run.path.parent}", "run_name=point") == 2
    assert "observation 'position': no such field; valid names: pose" in capsys.readouterr().err


def test_what_an_action_means_is_what_the_run_was_started_with(tmp_path):
    overrides = [f"run_root={tmp_path}", "run_name=slow", "task=reach"]
    job = open_job([*overrides, "task.drive.action_scale_m=0.005"])
    job.write_manifest()
    save_policy(tmp_path / "still.safetensors", reach_policy())
    assert export(*overrides, "--checkpoint", str(tmp_path / "still.safetensors")) == 0
    assert OnnxPolicy.load(job.run.path / "policy.onnx").description.task["action_scale_m"] == 0.005


def test_a_policy_file_of_a_configured_environment(tmp_path):
    save_policy(tmp_path / "walk.safetensors", walking_policy())
    output = tmp_path / "there.onnx"
    words = [*OVERRIDES, "--checkpoint", str(tmp_path / "walk.safetensors"), "--output", str(output)]
    assert export(*words, f"run_root={tmp_path / 'runs'}") == 0
    assert OnnxPolicy.load(output).description.policy_version == VERSION
    assert not (tmp_path / "runs").exists(), "no run was asked for"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], "run_name: expected the run whose policy is exported"),
        (["run_name=none"], "run none: expected a folder"),
        (["--checkpoint", "/nowhere/x"], "expected a policy file"),
    ],
)
def test_what_cannot_be_exported_is_one_line(words, expected, tmp_path, capsys):
    assert export(*words, f"run_root={tmp_path}") == 2
    error = capsys.readouterr().err
    assert expected in error
    assert error.count("\n") == 1
