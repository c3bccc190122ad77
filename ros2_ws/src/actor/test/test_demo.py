"""`make ros-demo`, short: every part a process of its own, and the loop regular while a learner trains beside it."""

import json
import sys

import pytest

from actor_ros import demo

SHORT = (
    "demo.demos=2",
    "demo.fit.epochs=20",
    "demo.fit.candidates=1",
    "demo.validation_episodes=1",
    "demo.eval_episodes=2",
    "demo.film_episodes=0",
    "demo.required_success=0.0",
    "actor.max_env_steps=120",
    "learner.start_transitions=20",
    "learner.pretrain_updates=20",
)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_whole_way_over_dds(dds, tmp_path, capfd):
    assert demo.main([f"run_root={tmp_path}", "run_name=short", *SHORT]) == 0
    run = tmp_path / "short"
    report = json.loads((run / "report.json").read_text(encoding="utf-8"))
    assert report["passed"] is True
    assert (report["demos"], report["episodes"]) == (2, 2)
    assert report["env_steps"] >= 120
    assert report["gradient_updates"] > 0
    for who in ("bc", "start", "policy"):  # all three over DDS, on the same episodes
        kept = json.loads((run / "metrics" / f"evaluation_{who}.json").read_text(encoding="utf-8"))
        assert any(word.startswith("evaluation.policy=") for word in kept["about"]["overrides"])
        assert kept["episodes"] == 2
    assert report["loops"]["practise"]["periods"] >= 120
    assert report["loops"]["practise"]["bursts"] == 0
    # The watchdog's own, at the controller's rate.
    assert report["loops"]["practise_watchdog"]["periods"] > 120
    assert "Loop period" in (run / "report.html").read_text(encoding="utf-8")
    shown = capfd.readouterr().out
    assert "catch-up bursts" in shown
    with capfd.disabled():
        sys.stdout.write("\nloop, " + shown.partition("loop, ")[2])
