"""The person's requests on a robot of the test: the same from services, page and device."""

import threading
from types import SimpleNamespace

import pytest
from ros_kit import wait_until

from actor_ros.operator_requests import OperatorRequests
from steadyhand.actor.events import Events, RequestRefused
from steadyhand.actor.supervision.motion_enable import MotionEnable
from steadyhand.robot_envs.robot import RobotError
from tests.events_kit import kept


class Cell:
    """A robot that can be well or not, and takes its time to follow."""

    def __init__(self):
        self.objection, self.follows, self.tared = "", "", 0
        self.link = SimpleNamespace(is_well=True)
        self.profile = SimpleNamespace(recover=())
        self.steps = SimpleNamespace(recover=lambda steps: None)
        self.robot = SimpleNamespace(tare=self._tare)
        self.may_follow = threading.Event()
        self.may_follow.set()

    def fault(self):
        return self.objection

    def make_follow(self):
        assert self.may_follow.wait(10)
        if isinstance(self.follows, Exception):
            raise self.follows
        return self.follows

    def _tare(self):
        self.tared += 1


class Bench:
    def __init__(self):
        self.events, self.cell, self.stops = Events(), Cell(), []
        self.motion = MotionEnable(self.events)
        self.refused = kept(self.events, RequestRefused)
        self.work = SimpleNamespace(env=SimpleNamespace(stop=self.stops.append))
        self.requests = OperatorRequests(self.cell, self.motion, lambda: self.work, self.events)

    def enabled(self):
        self.requests.press("resume")
        wait_until(lambda: self.motion.enabled, "motion enabled")

    def refusal(self):
        wait_until(lambda: self.refused, "a refusal")
        return self.refused[-1].objection


@pytest.fixture
def bench():
    bench = Bench()
    yield bench
    bench.cell.may_follow.set()
    bench.requests.close()


def test_resume_makes_the_robot_follow_and_stop_takes_it_back_at_once(bench):
    bench.enabled()
    bench.requests.press("stop")
    assert (bench.motion.enabled, bench.motion.reason) == (False, "person_stop")
    assert [reason.value for reason in bench.stops] == ["person_stop"]
    assert bench.refused == []


def test_a_stop_during_a_slow_enable_wins(bench):
    bench.cell.may_follow.clear()
    bench.requests.press("resume")
    bench.requests.press("stop")
    bench.cell.may_follow.set()
    assert "a stop came meanwhile" in bench.refusal()
    assert not bench.motion.enabled


@pytest.mark.parametrize(
    ("change", "objection"),
    [
        ({"objection": "not heard: current_pose"}, "not heard: current_pose"),
        ({"follows": "the watchdog holds"}, "the watchdog holds"),
        ({"follows": RobotError("no such controller")}, "no such controller"),
        ({"follows": OSError("gone")}, "gone"),
    ],
)
def test_a_refused_enable_says_why(bench, change, objection):
    vars(bench.cell).update(change)
    bench.requests.press("resume")
    assert objection in bench.refusal()
    assert not bench.motion.enabled


def test_a_fault_needs_recover_and_then_an_enable(bench):
    bench.enabled()
    bench.motion.fault()
    bench.requests.press("resume")
    assert "actor/recover" in bench.refusal()
    bench.requests.press("recover")
    wait_until(lambda: bench.cell.tared == 1 and not bench.motion.needs_recover, "the recovery")
    assert not bench.motion.enabled
    bench.enabled()


@pytest.mark.parametrize("name", ["success", "failure", "again", "park"])
def test_a_request_about_an_episode_needs_one(bench, name):
    bench.requests.press(name)
    assert [event.request for event in bench.refused] == [name]
    bench.enabled()
    bench.requests.press(name)
    assert len(bench.refused) == 1
    verdict = {"success": "success", "failure": "failure", "again": "reset", "park": None}[name]
    assert (bench.motion.pop_verdict(), bench.motion.pop_park()) == (verdict, name == "park")


def test_an_enable_of_a_moving_robot_brings_back_a_person_who_was_lost(bench):
    bench.enabled()
    bench.motion.lose_person()
    bench.cell.may_follow.clear()  # the steps of enabling are not taken again
    bench.requests.press("resume")
    wait_until(lambda: not bench.motion.person_left, "the person")


def test_a_devices_park_button_is_left_to_its_operator(bench):
    bench.enabled()
    bench.requests.press_button("park")
    bench.requests.press_button("success")
    assert (bench.motion.pop_verdict(), bench.motion.pop_park()) == ("success", False)


def test_after_the_end_a_press_is_no_error(bench):
    bench.enabled()
    bench.requests.close()
    bench.requests.press("stop")
    bench.requests.press("resume")
    assert (bench.motion.enabled, bench.motion.reason) == (False, "person_stop")
