"""`steadyhand record` with a person at the keyboard: enable, verdicts, stop and break, as over ROS."""

import pytest

from steadyhand.transport.demo_set import read_manifest
from tests.program_kit import Program


@pytest.mark.timeout(300)
def test_a_person_at_the_keyboard_rules_a_recording(tmp_path):
    words = (
        "record",
        "device=keyboard",
        "task=reach",
        "episodes=1",
        "demo.max_attempts=1000",
        "demo.dialogue=null",
        "task.drive.max_steps=30",
        f"run_root={tmp_path}",
        "run_name=keys",
    )
    with Program(*words) as program:
        program.says("waiting for a person to enable motion with enter (motion has not been enabled yet)")
        program.terminal.type("\r")
        program.press_until("n", "verdict of the person: failure")
        program.says("no success")
        program.press_until("g", "verdict of the person: reset")
        program.says("no success")
        program.press_until(" ", "motion disabled: person_stop")
        program.says("no success")
        program.press_until("\r", "  go")
        program.press_until("p", "motion disabled: parked")
        program.terminal.type("\r")
        program.press_until("y", "verdict of the person: success")
        assert program.wait() == 0
    manifest = read_manifest(tmp_path / "keys" / "demos")
    assert (manifest.successes, manifest.expert) == (1, "person (keyboard)")


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_every_demonstration_begins_with_the_person_and_a_countdown(tmp_path):
    words = ("record", "device=keyboard", "task=reach", "episodes=2", "demo.dialogue.countdown_s=1")
    words += ("task.drive.max_steps=10000", f"run_root={tmp_path}", "run_name=keys")
    with Program(*words) as program:
        program.says("waiting for a person to enable motion with enter")
        program.terminal.type("\r")
        program.says("1 ...")
        program.says("go\a")
        program.press_until("g", "verdict of the person: reset")
        program.says("0 of 2; not kept: ")
        program.says("waiting for a person to enable motion with enter (ready for demonstration 1 of 2)")
        program.terminal.type("\r")
        program.says("go")
        program.press_until("y", "verdict of the person: success")
        program.says("1 of 2; kept as demonstration: ")
        program.says("ready for demonstration 2 of 2")
        program.terminal.type("\r")
        program.says("go")
        program.press_until("y", "verdict of the person: success")
        program.says("2 of 2")
        assert program.wait() == 0
    manifest = read_manifest(tmp_path / "keys" / "demos")
    assert (manifest.successes, manifest.episodes) == (2, 2)
    assert not (tmp_path / "keys" / "demos_failed").exists()
