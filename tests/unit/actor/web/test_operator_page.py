"""The operator page as a face: what a person does there, and what the robot does when the page is gone."""

import numpy as np
import pytest

from steadyhand.actor.events import Events
from steadyhand.actor.supervision.supervise import Controls
from steadyhand.actor.web.operator_page import OperatorPage
from steadyhand.robot_envs.devices.device import Device, HumanInput
from steadyhand.runtime.clock import MonotonicClock
from tests.transport_kit import wait_until
from tests.unit.actor.web.page_bench import CONFIG, Cell
from tests.web_kit import REST, Page

FORWARD = [1.0, 0, 0, 0, 0, 0]
CLOCK = MonotonicClock()


@pytest.fixture
def cell(tmp_path):
    with Cell(tmp_path) as cell:
        yield cell


def test_a_person_enables_jogs_judges_and_stops(cell):
    page = cell.operated()
    page.twist = FORWARD
    wait_until(lambda: page.state["holder"] == "person")
    start = cell.steps[-1].observation["tcp_pose"].copy()
    wait_until(lambda: cell.steps[-1].observation["tcp_pose"][0] - start[0] > 0.01)
    page.twist = REST
    wait_until(lambda: page.state["holder"] == "nobody")
    page.press("success")
    wait_until(lambda: page.state["finished"] == 1)
    assert page.state["episodes"] == [[1, 1]]
    page.press("again")
    wait_until(lambda: any("discarded" in line for _, line in page.state["lines"]))
    assert page.state["finished"] == 1
    page.press("stop")
    wait_until(lambda: page.state["stop"] == "person_stop")
    assert not page.state["motion"]["enabled"]
    page.close()


@pytest.mark.realtime
@pytest.mark.parametrize("way", ["closed", "silent"])
def test_a_lost_page_is_a_hold_within_two_periods(cell, way):
    page = cell.operated()
    page.twist = FORWARD
    wait_until(lambda: cell.chosen[-1].has_human)
    before, lost_ns = len(cell.chosen), CLOCK.now_ns()
    if way == "closed":
        page.close()
        lost_ns = CLOCK.now_ns()
    else:
        page.fall_silent()
    wait_until(lambda: cell.chosen[-1].holds)
    periods = (CLOCK.now_ns() - lost_ns) / 1e9 / cell.env.control_period_s
    first = next(index for index in range(before, len(cell.chosen)) if cell.chosen[index].holds)
    assert periods <= 2.2  # the time of the look is up to 2 ms late
    wait_until(lambda: len(cell.chosen) > first + 5)
    assert all(event.holds and not event.action.any() for event in cell.chosen[first:])
    assert cell.env.stop_reason is None  # a hold, not a stop
    if way == "closed":
        page = cell.open()
        page.operate()
    else:
        page.twist = REST
        page.take()
    count = len(cell.chosen)
    wait_until(lambda: len(cell.chosen) > count + 4)
    assert cell.chosen[-1].holds  # it is back, and has not moved yet
    page.twist = FORWARD
    wait_until(lambda: cell.chosen[-1].has_human)
    page.close()


def test_a_policy_does_not_go_on_while_the_page_that_operated_is_lost(tmp_path):
    with Cell(tmp_path, policy=True) as cell:
        page = cell.operated()
        assert cell.chosen[-1].action.any()
        page.close()
        wait_until(lambda: cell.chosen[-1].holds)


class Cap(Device):
    """Another device in the hand, at rest."""

    def listen(self, heard):
        pass

    def connect(self):
        pass

    def poll(self):
        return HumanInput(np.array([False]), np.zeros((1, 6)), np.zeros(1), (), 0.0)

    def close(self):
        pass


def test_beside_another_device_the_page_gives_requests_and_its_loss_holds_until_a_person_is_there(
    tmp_path, monkeypatch
):
    monkeypatch.setattr("steadyhand.actor.supervision.supervise.make_device", lambda values: Cap())
    with Cell(tmp_path, device="gamepad", policy=True) as cell:
        page = cell.operated()
        assert not page.welcome["jogs"]
        page.say(type="give_up")
        page.fall_silent()
        wait_until(lambda: page.state["role"] == "free")
        count = len(cell.chosen)
        wait_until(lambda: len(cell.chosen) > count + 3)
        assert not any(event.holds for event in cell.chosen[count:])  # the person went by choice, device in hand
        page.operate()
        page.fall_silent()
        wait_until(lambda: cell.chosen[-1].holds)
        assert page.state["motion"]["person_left"]
        cell.person.motion.enable()  # as the device's resume does
        wait_until(lambda: not cell.chosen[-1].holds)
        page.close()


def test_recover_is_a_request_only_where_the_robot_has_one(cell):
    page = cell.operated()
    assert not page.welcome["recovers"]
    page.press("recover")
    page.press("stop")
    wait_until(lambda: page.state["stop"] == "person_stop")  # the page is still heard
    page.close()
    recovered = []
    cell.page.open(Controls(recovered.append, cell.person.motion, None, {}, lambda: recovered.append("the fault")))
    page = cell.open()
    page.operate()
    assert page.welcome["recovers"]
    page.press("recover")
    wait_until(lambda: recovered == ["the fault"])
    page.close()


def test_without_a_person_every_page_watches(tmp_path):
    events = Events()
    page = OperatorPage(CONFIG, events, "a run", tmp_path)
    page.start()
    watcher = Page(page.address)
    wait_until(lambda: watcher.welcome and watcher.state)
    assert not watcher.welcome["controls"]
    watcher.take()
    watcher.press("resume")
    watcher.press("stop")
    wait_until(lambda: watcher.state["motion"] is None)
    watcher.close()
    page.stop()
