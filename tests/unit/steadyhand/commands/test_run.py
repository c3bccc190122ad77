import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from steadyhand.cli import main
from steadyhand.policy_file import save_policy
from tests.unit.steadyhand.reach_policy import OVERRIDES, reach_file, reach_policy

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[4]
# What a machine that deploys may lack: the start fails if any of it is imported.
BLOCKED = (
    "torch",
    "onnx",
    "onnxscript",
    "zmq",
    "safetensors",
    "tensorboard",
    "steadyhand.learner",
    "steadyhand.policies",
)
WITHOUT = """
import json, sys
for name in sys.argv[1].split(","):
    sys.modules[name] = None
from steadyhand.cli import main
status = main(sys.argv[2:])
print(json.dumps(sorted(name for name, module in sys.modules.items() if module)))
sys.exit(status)
"""
EPISODE = re.compile(r"episode \d+: no success after 6 steps")


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "policy.onnx"
    path.write_bytes(reach_file())
    return path


def run(*words: str) -> int:
    return main(["run", *words])


def test_it_needs_neither_the_learner_nor_torch(file):
    words = ["run", "--policy", str(file), "--episodes", "2", *OVERRIDES]
    command = [sys.executable, "-c", WITHOUT, ",".join(BLOCKED), *words]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    *lines, imported = done.stdout.splitlines()
    assert [bool(EPISODE.fullmatch(line)) for line in lines] == [True, True, False]
    names = set(json.loads(imported))
    packages = {name.partition(".")[0] for name in names}
    assert {"onnxruntime", "numpy", "steadyhand"} <= packages
    assert not (names | packages) & set(BLOCKED)
    ours = {f"steadyhand.{path.name}" for path in (ROOT / "steadyhand").iterdir() if path.is_symlink()}
    assert names & ours == {f"steadyhand.{name}" for name in ("actor", "robot_envs", "transport", "runtime", "configs")}


def test_the_episodes_are_those_of_an_evaluation_with_torch(file, tmp_path, capsys):
    save_policy(tmp_path / "policy.safetensors", reach_policy())
    # Larger than any distance: every episode succeeds at once.
    words = [*OVERRIDES, "task.settings.tolerance_m=1.0", "seed=5"]
    assert run("--policy", str(file), "--episodes", "3", *words) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[-1].startswith("3 of 3 episodes succeeded, 0 with help, 0 were stopped; period p50 100.0 ms")
    result = tmp_path / "result.json"
    checkpoint = ["--checkpoint", str(tmp_path / "policy.safetensors"), "--json", str(result)]
    assert main(["eval", *checkpoint, *words, "episodes=3", f"run_root={tmp_path}"]) == 0
    rows = json.loads(result.read_text(encoding="utf-8"))["rows"]
    assert json.loads(result.read_text(encoding="utf-8"))["judged_by"] == "task"
    assert said[:3] == [f"episode {row['episode_id'] + 1}: success after {row['steps']} steps" for row in rows]


def test_the_safety_gate_stops_it(file, capsys):
    assert run("--policy", str(file), "--episodes", "2", *OVERRIDES, "safety.max_force_n=0.000001") == 0
    said = capsys.readouterr().out
    assert "episode 1: force_limit" in said
    assert "0 of 2 episodes succeeded, 0 with help, 2 were stopped" in said


def test_ctrl_c_ends_it_between_two_steps(file):
    words = ["run", "--policy", str(file), *OVERRIDES]
    with subprocess.Popen(
        [sys.executable, "-m", "steadyhand", *words],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    ) as process:
        first = process.stdout.readline()
        process.send_signal(signal.SIGINT)
        said, errors = process.communicate(timeout=30)
    assert EPISODE.match(first)
    assert process.returncode == 0
    assert "episodes succeeded" in said.splitlines()[-1]
    assert errors == ""


def test_ctrl_c_before_the_last_episode_is_told_by_the_exit_status(file, monkeypatch):
    def interrupt(summary):
        os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr("steadyhand.commands.run.say_episode", interrupt)
    assert run("--policy", str(file), "--episodes", "1000", *OVERRIDES) == 130


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["task=peg_insert"], "observation goal: expected, found only hole_estimate"),
        (["task.drive.control_period_s=0.05"], "control_period_s: expected 0.1, found 0.05"),
        (["task.drive.action_scale_m=0.02"], "task action_scale_m: expected 0.01, found 0.02"),
        (["robot=crisp_fr3"], "start it with ros2 launch"),
        (["--episodes", "0"], "--episodes: expected at least 1"),
        (["--policy", "pyproject.toml"], "expected a policy that `steadyhand export` has written"),
        (["--policy", "/nowhere/policy.onnx"], "expected a policy's ONNX file, found No such file"),
        (["device=spacemouse", "device.socket=/nowhere/spnav.sock"], "is spacenavd running"),
    ],
)
def test_what_cannot_be_deployed_is_refused_in_one_line(words, expected, file, capsys):
    assert run("--policy", str(file), *OVERRIDES, *words) == 2
    error = capsys.readouterr().err
    assert expected in error
    assert error.count("\n") == 1


def test_without_onnxruntime_the_command_that_installs_it_is_named(file, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    assert run("--policy", str(file), *OVERRIDES) == 2
    assert "python -m pip install onnxruntime" in capsys.readouterr().err
