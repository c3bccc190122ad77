"""Every example runs, as a user starts it, with a small budget."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import steadyhand as sh

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
SMALL = [
    "policy.hidden=[16]",
    "learner.pretrain_updates=5",
    "learner.start_transitions=20",
    "learner.utd_ratio=0.2",
    "learner.slack=5",
    "algo.batch_size=16",
    "actor.max_env_steps=40",
    "demo.demos=1",
    "transport.segment_bytes=1048576",
    "logging.console=off",
]
RL = [*SMALL, "algo.critic_hidden=[16]", "algo.num_critics=2"]


def run(name: str, *words: str, cwd: Path) -> str:
    return run_file(EXAMPLES / name, *words, cwd=cwd)


def run_file(path: Path, *words: str, cwd: Path) -> str:
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, str(path), *words]
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_example_is_run_here():
    names = [path.name for path in sorted(EXAMPLES.glob("*.py"))]
    own = Path(__file__).read_text(encoding="utf-8")
    assert names[0] == "00_mock.py"
    assert [name for name in names if f'"{name}"' not in own] == []


def test_every_example_is_in_the_table():
    table = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    assert [path.name for path in EXAMPLES.glob("*.py") if f"`{path.name}`" not in table] == []


def test_the_mock(tmp_path):
    shown = run("00_mock.py", cwd=tmp_path)
    assert "hole_estimate" in shown
    assert "success: True" in shown


@pytest.mark.slow
def test_rlpd_on_a_gymnasium_environment_takes_at_most_20_lines(tmp_path):
    script = (EXAMPLES / "01_gymnasium.py").read_text(encoding="utf-8")
    assert len(script.splitlines()) <= 20
    budget = '"actor.max_env_steps=4000"'
    assert script.count(budget) == 1
    words = ", ".join(f'"{word}"' for word in [*RL, "actor.max_env_steps=150"])
    (tmp_path / "script.py").write_text(script.replace(budget, words), encoding="utf-8")
    rate, folder = run_file(tmp_path / "script.py", cwd=tmp_path).split()[-2:]
    assert 0.0 <= float(rate) <= 1.0
    assert sh.read_log(tmp_path / folder / "demos").facts.successes == 1
    assert sh.Policy.load(tmp_path / folder).saved.policy_version > 0


@pytest.mark.slow
def test_an_own_task(tmp_path):
    run("02_own_task.py", *RL, cwd=tmp_path)
    assert sh.read_log(tmp_path / "runs" / "line_up" / "demos").facts.successes == 1


def test_recording_and_reading(tmp_path):
    shown = run("03_record_and_read.py", cwd=tmp_path)
    assert shown.count("reward 1,") == 3


def test_acting(tmp_path):
    small = ["task=reach", *RL, "actor.max_env_steps=20"]
    done = sh.train(*small, run=tmp_path / "runs" / "short")
    shown = run("04_act.py", str(done.run), "task=reach", cwd=tmp_path)
    assert shown.count("success: ") == 3


def test_an_own_reward(tmp_path):
    shown = run("05_own_reward.py", cwd=tmp_path)
    rewards = [float(line.rsplit(" ", 1)[1]) for line in shown.splitlines() if "reward now" in line]
    assert len(rewards) == 3
    assert all(0.2 <= reward < 1.0 for reward in rewards)


@pytest.mark.slow
def test_an_own_algorithm(tmp_path):
    shown = run("06_own_algorithm.py", *SMALL, "learner.log_period=1", cwd=tmp_path)
    rows = (Path(shown.split()[-1]) / "metrics" / "learner.jsonl").read_text(encoding="utf-8")
    assert '"weight"' in rows
