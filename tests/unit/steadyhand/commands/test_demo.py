import json
import os
import signal
import subprocess
import sys

import pytest

from steadyhand.cli import main
from steadyhand.subprocesses import SOURCE
from tests.unit.steadyhand.point_task import OVERRIDES
from tests.unit.steadyhand.process_kit import is_running, wait_for


def words(tmp_path, *more: str) -> list[str]:
    return ["demo", *OVERRIDES, f"run_root={tmp_path}", "run_name=point", "demo.required_success=0.0", *more]


@pytest.mark.slow
def test_the_whole_way_and_again_from_its_parts(tmp_path, capfd):
    assert main(words(tmp_path)) == 0
    out = capfd.readouterr().out
    for text in ("[1/5]", "[5/5]", "no film: ", "practice ended (max_env_steps)", "passed", "report.html"):
        assert text in out
    run = tmp_path / "point"
    report = json.loads((run / "report.json").read_text(encoding="utf-8"))
    assert report["passed"] is True
    assert report["episodes"] == report["bc_episodes"] == 10
    assert report["demos"] == 5
    assert report["env_steps"] >= 150
    assert report["gradient_updates"] > 0
    assert report["provenance"]["device"] == "cpu"
    assert [stage["name"] for stage in report["stages"]][:3] == ["demonstrations", "behaviour cloning", "practice"]
    assert "no camera called side" in (run / "report.html").read_text(encoding="utf-8")

    # The file that is left behind is the policy that was judged.
    result = tmp_path / "again.json"
    checkpoint = ["--checkpoint", str(run / "policy.safetensors"), "--json", str(result)]
    assert main(["eval", *OVERRIDES, f"run_root={tmp_path}", *checkpoint]) == 0
    assert json.loads(result.read_text(encoding="utf-8"))["success_rate"] == report["success_rate"]

    # What is not good enough is no success for a script either.
    assert main(words(tmp_path, "demo.required_success=1.0", "demo.eval_episodes=1", "task.max_steps=1")) == 1


@pytest.mark.slow
def test_a_learner_that_dies_is_reported_with_its_last_lines(tmp_path, capfd):
    assert main(words(tmp_path, "algo.policy_ema=0", "transport.max_weights_bytes=10")) == 1
    error = capfd.readouterr().err
    assert "`steadyhand" in error
    assert "  | " in error


@pytest.mark.slow
def test_ctrl_c_ends_both_children(tmp_path):
    command = [sys.executable, "-m", "steadyhand", *words(tmp_path, "actor.max_env_steps=100000")]
    demo = subprocess.Popen(command, cwd=SOURCE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        wait_for(lambda: list((tmp_path / "point" / "actors").glob("*/actor.jsonl")), limit_s=60)
        children = children_of(demo.pid)
        assert len(children) == 2
        demo.send_signal(signal.SIGINT)
        error = demo.communicate(timeout=30)[1]
    finally:
        demo.kill()
    assert demo.returncode == 130
    assert error.endswith("steadyhand: interrupted\n")
    assert "Traceback" not in error
    wait_for(lambda: not any(map(is_running, children)))


def children_of(pid: int) -> list[int]:
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/stat") as file:
                parent = int(file.read().rpartition(")")[2].split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue
        if parent == pid:
            found.append(int(name))
    return found
