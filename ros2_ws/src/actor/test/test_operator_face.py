"""The operator page of the actor node over real DDS: the plain actor's page, lease and rules, behind ROS."""

import signal
import subprocess
import sys
import threading
import time

import pytest
from actor_bench import ActorBench
from rcl_interfaces.msg import Log
from ros_kit import ROOT, wait_until

from tests.web_kit import ADDRESS, REST, Page

FORWARD = [0.6, 0.0, 0.0, 0.0, 0.0, 0.0]
OVERRIDES = ("actor.web.port=0", "task.drive.max_steps=100000")
# A page in a process of its own, which can be stopped so that it does not even answer the end of its connection.
OPERATES = (
    "import sys, threading; from tests.web_kit import Page; page = Page(sys.argv[1]); page.operate(); "
    "print('operates', flush=True); threading.Event().wait()"
)


class PageBench(ActorBench):
    """The bench with an actor whose person has the page in hand."""

    def __init__(self, folder) -> None:
        super().__init__(folder, start=False, device="web")
        self.probe.listen("/rosout", Log, "event")
        self.given["overrides"] = self.given["overrides"].replace("[", f"[{', '.join(OVERRIDES)}, ", 1)
        self.start_actor()

    @property
    def address(self) -> str:
        return wait_until(lambda: ADDRESS.search(self.actor.output()), "the address of the page").group()


@pytest.fixture(scope="module")
def bench(dds, tmp_path_factory):
    bench = PageBench(tmp_path_factory.mktemp("page"))
    wait_until(lambda: bench.state() == "unconfigured", "the node")
    bench.bring_up()
    yield bench
    bench.close()


@pytest.fixture
def page(bench):
    """A page that operates, of an actor that moves."""
    page = Page(bench.address)
    page.operate()
    if page.state["motion"]["needs_recover"]:
        page.press("recover")
        wait_until(lambda: not page.state["motion"]["needs_recover"], "the recovery")

    enable(page)
    bench.wait_for_steps()
    yield page
    page.close()


def enable(page):
    def has_enabled() -> bool:
        page.press("resume")
        deadline = time.monotonic() + 2.0
        while time.monotonic() < deadline and not page.state["motion"]["enabled"]:
            threading.Event().wait(0.02)
        return page.state["motion"]["enabled"]

    wait_until(has_enabled, lambda: f"motion enabled, not {page.state['lines']}")


def test_the_address_is_printed_once_and_published_nowhere(bench):
    assert len(ADDRESS.findall(bench.actor.output())) == 1
    token = bench.address.partition("#")[2]
    lines = [message.msg for _, message in bench.probe.heard["/rosout"]]
    assert any("ready; motion needs actor/enable" in line for line in lines)
    assert not any(token in line for line in lines)


def test_a_person_at_the_page_enables_jogs_labels_and_stops(bench, page):
    before = len(bench.probe.heard["actor/episode"])
    page.twist = FORWARD
    bench.probe.next("actor/intervention", lambda message: message.data)
    assert bench.probe.next("actor/action", lambda message: message.data[0] > 0.5)
    page.twist = REST
    bench.probe.next("actor/intervention", lambda message: not message.data)
    page.press("success")
    bench.probe.next("actor/episode", lambda message: message.message == "ended", since=before)
    assert bench.episode()["last_ended"] == "success"
    wait_until(lambda: not page.state["motion"]["enabled"], "the question for the next demonstration")
    enable(page)
    bench.wait_for_steps()
    page.press("stop")
    bench.wait_for_end("person_stop")
    assert not page.state["motion"]["enabled"]
    page.press("failure")
    wait_until(lambda: any("failure refused" in text for _, text in page.state["lines"]), "the refusal")


def test_a_second_page_watches_and_a_wrong_token_is_refused(bench, page):
    other = Page(bench.address)
    wait_until(lambda: other.state.get("role") == "watcher", "the watcher")
    other.press("stop")
    wait_until(lambda: other.notices, "the refusal")
    assert page.state["motion"]["enabled"]
    other.close()
    stranger = Page(bench.address, token="wrong")
    assert stranger.wait_closed() == 1008


def test_a_fault_is_recovered_from_at_the_page(bench, page):
    bench.trigger("mock_robot/inject_fault")
    wait_until(lambda: page.state["motion"]["needs_recover"], "the fault")
    assert page.welcome["recovers"]
    page.press("resume")
    wait_until(lambda: any("resume refused" in text for _, text in page.state["lines"]), "the refusal")
    page.press("recover")
    wait_until(lambda: not page.state["motion"]["needs_recover"] and not page.state["fault"], "the recovery")
    assert not page.state["motion"]["enabled"]


def test_a_page_that_is_lost_in_motion_holds_the_robot_and_stops_nothing(bench, page):
    page.twist = FORWARD
    bench.probe.next("actor/intervention", lambda message: message.data)
    page.close()
    bench.probe.next("actor/action", lambda message: not any(message.data))
    assert bench.episode()["message"] == "running"
    assert bench.diagnostics()["enabled"] == "True"
    again = Page(bench.address)
    again.operate()
    for _ in range(5):  # it has to be seen at rest first
        assert not any(bench.probe.next("actor/action").data)
    again.twist = FORWARD
    bench.probe.next("actor/action", lambda message: message.data[0] > 0.5)
    again.close()


def test_the_page_outlives_the_work(bench, page):
    assert bench.trigger("actor/stop").success
    wait_until(lambda: not page.state["motion"]["enabled"], "the stop, asked for as a service")
    bench.enabled()
    wait_until(lambda: page.state["motion"]["enabled"], "the enable, asked for as a service")
    bench.wait_for_steps()
    assert page.state["role"] == "operator"


def test_sigint_ends_it_within_3_s_while_a_page_does_not_answer(bench):
    command = [sys.executable, "-c", OPERATES, bench.address]
    client = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert client.stdout.readline() == "operates\n"
        client.send_signal(signal.SIGSTOP)
        began = time.monotonic()
        bench.actor.signal(signal.SIGINT)
        assert bench.actor.wait(10.0) == 0
        assert time.monotonic() - began < 3.0
    finally:
        client.kill()
        client.wait(10)
    assert "Traceback" not in bench.actor.output()
