"""A recording with a person at the operator page, in a real browser."""

import os
import re
import subprocess
import sys
from collections import deque
from pathlib import Path
from threading import Thread

import pytest

from steadyhand.transport.demo_set import read_manifest
from tests.transport_kit import wait_until
from tests.web_kit import ADDRESS, Browser, needs_chromium

pytestmark = [pytest.mark.slow, pytest.mark.realtime, pytest.mark.timeout(300)]

ROOT = Path(__file__).resolve().parents[2]


class Recording:
    """`steadyhand record` as a process, and the address that it prints."""

    def __init__(self, folder: Path) -> None:
        words = ("device=web", "actor.web.port=0", "task=peg_insert", "camera=wrist_side", "episodes=2")
        words += ("demo.dialogue.countdown_s=1", "task.drive.max_steps=10000", f"run_root={folder}", "run_name=page")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "steadyhand", "record", *words],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            env={"MUJOCO_GL": "egl", **os.environ, "OMP_NUM_THREADS": "1"},
        )
        self.lines: deque[str] = deque()
        self._thread = Thread(target=lambda: self.lines.extend(self._process.stdout), daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        wait_until(lambda: any(map(ADDRESS.search, list(self.lines))) or self._process.poll() is not None, 60)
        found = [match.group() for match in map(ADDRESS.search, list(self.lines)) if match]
        assert found, "".join(self.lines)
        return found[0]

    def wait(self) -> int:
        return self._process.wait(60)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait(20)
        self._thread.join(5)


@pytest.fixture
def recording(tmp_path):
    recording = Recording(tmp_path)
    yield recording
    recording.kill()


@pytest.fixture
def browser(tmp_path):
    browser = Browser(tmp_path / "profile")
    yield browser
    browser.close()


def steps(browser) -> int:
    """Return the steps of the newest attempt that the page knows of."""
    return int(re.search(r"step (\d+)", browser.text("#list")).group(1))


@needs_chromium
def test_a_person_records_two_demonstrations_in_a_browser(recording, browser, tmp_path):
    browser.open(recording.address)
    browser.shows("#banner", "motion has not been enabled yet")
    assert browser.value("location.hash") == ""  # the token has left the address bar
    assert browser.value("[...document.querySelectorAll('#requests button')].every((button) => button.disabled)")
    browser.click("#take")
    browser.shows("#role", "you operate")
    browser.type("Enter")
    browser.shows("#banner", "the robot moves in 1")
    wait_until(lambda: browser.value("document.querySelectorAll('#views img').length") == 2, 30)
    browser.shows("#list", "step 1")
    browser.key("w", True)
    browser.shows("#banner", "person in control")
    browser.key("w", False)
    browser.shows("#banner", "the robot stands still")
    browser.type("y")
    browser.shows("#list", "1 of 2 demonstrations")
    browser.shows("#banner", "ready for demonstration 2 of 2")
    browser.shows("#chart-text", "with an intervention 100 %")
    browser.type("Enter")
    browser.shows("#list", "episode2, step")
    browser.click("[data-request=again]")
    browser.shows("#lines", "discarded")
    browser.shows("#banner", "ready for demonstration 2 of 2")
    discarded = steps(browser)
    browser.type("Enter")
    browser.shows("#banner", "the robot stands still")
    wait_until(lambda: browser.value("document.querySelectorAll('#views .old').length") == 0, 30)
    # Until then the page shows the attempt before, and a key that is down before the first step counts for nothing.
    wait_until(lambda: steps(browser) > discarded, 30)
    browser.shows("#list", "episode2, step")
    browser.key("d", True)
    browser.shows("#banner", "person in control")
    browser.key("d", False)
    browser.type("y")
    assert recording.wait() == 0, "".join(recording.lines)
    browser.shows("#banner", "no connection")
    manifest = read_manifest(tmp_path / "page" / "demos")
    assert (manifest.successes, manifest.episodes, manifest.expert) == (2, 2, "person (web)")
