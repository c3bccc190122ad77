"""The actor node over real DDS, with mock robot and watchdog: lifecycle, a person's services, stops, the end."""

import math
import signal
import time

import pytest
from actor_bench import PARK, ActorBench, value
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import GetState
from ros_kit import Probe, wait_until
from rosgraph_msgs.msg import Clock as ClockMessage

from actor_ros.conversions import stamp_from_ns
from actor_ros.topics import ACTOR as ACTOR_NODE
from actor_ros.topics import SERVICES, TOPICS


@pytest.fixture(scope="module")
def bench(dds, tmp_path_factory):
    bench = ActorBench(tmp_path_factory.mktemp("actor"))
    yield bench
    bench.close()


@pytest.fixture
def running(bench):
    """An actor that moves."""
    if bench.state() == "unconfigured":
        bench.bring_up()
    assert bench.state() == "active"
    if bench.diagnostics()["needs_recover"] == "True":
        assert bench.trigger("actor/recover").success
    bench.enabled()
    bench.wait_for_steps()
    return bench


def test_nothing_moves_before_a_person_enables_it(bench):
    wait_until(lambda: bench.state() == "unconfigured", "the node")
    assert "not active" in bench.enable().message
    bench.bring_up()
    assert bench.state() == "active"
    assert bench.diagnostics()["enabled"] == "False"
    assert bench.probe.heard["actor/command"] == []
    bench.enabled()
    bench.wait_for_steps()
    assert bench.probe.heard["actor/command"]
    assert "operator page" not in bench.actor.output(), "nobody asked for the page"


def test_the_graph_has_every_topic_and_service_of_the_table(running):
    node, prefix = running.probe.node, running.namespace.rstrip("/")
    known = dict(node.get_publisher_names_and_types_by_node("actor", running.namespace))
    mode = "geometry_msgs/msg/PoseStamped"  # the profile's command_mode
    for topic in TOPICS:
        if topic.publisher == ACTOR_NODE and (topic.name != "actor/command" or topic.message == mode):
            assert topic.message in known[topic.name if topic.name[0] == "/" else f"{prefix}/{topic.name}"]
    served = dict(node.get_service_names_and_types_by_node("actor", running.namespace))
    for service in SERVICES:
        if service.server == ACTOR_NODE:
            assert service.type in served[f"{prefix}/{service.name}"]
    heard = dict(node.get_subscriber_names_and_types_by_node("actor", running.namespace))
    for topic in TOPICS:
        if topic.required:
            assert topic.message in heard[f"{prefix}/{topic.name}"]


def test_every_topic_speaks(running):
    for name in ("actor/command", "actor/gripper_command", "actor/intervention", "actor/action", "actor/episode"):
        running.probe.next(name)
    assert len(running.probe.last("actor/action").data) == 6
    assert running.probe.last("actor/intervention").data  # the stand-in demonstrates
    values = running.diagnostics()
    assert float(values["age_s.current_pose"]) < 0.2
    assert int(values["catch_up_bursts"]) == 0


def test_stop_latches_until_a_person_enables(running):
    assert running.trigger("actor/stop").success
    running.wait_for_end("person_stop")
    assert running.diagnostics()["stop_reason"] == "person_stop"
    assert not running.trigger("actor/success").success
    running.enabled()
    running.wait_for_steps()


def test_a_break_parks_without_a_stop_and_goes_on_with_leave(running):
    assert running.trigger("actor/park").success
    wait_until(lambda: running.episode()["message"] == "parked", "the arm to be parked")
    at = running.probe.last("current_pose").pose.position
    assert [at.x, at.y, at.z] == pytest.approx(PARK, abs=0.01)
    assert running.diagnostics()["stop_reason"] == "parked"
    assert not running.trigger("actor/park").success
    running.enabled()
    running.wait_for_steps()


def test_enable_false_forbids_motion(running):
    assert running.enable(False).success
    running.wait_for_end("not_enabled")


@pytest.mark.parametrize(("mark", "ended"), [("success", "success"), ("failure", "failure"), ("reset", "truncated")])
def test_a_person_judges_the_episode(running, mark, ended):
    before = len(running.probe.heard["actor/episode"])
    assert running.trigger(f"actor/{mark}").success
    running.probe.next(
        "actor/episode", lambda m: m.message == "ended" and value(m, "last_ended") == ended, since=before
    )


def test_a_fault_latches_and_needs_recover_and_enable(running):
    running.trigger("mock_robot/inject_fault")
    faults = ("robot_fault", "robot_fault (watchdog: robot_fault)")
    wait_until(lambda: running.episode()["last_ended"] in faults, "the fault")
    refused = running.enable()
    assert not refused.success
    assert "actor/recover" in refused.message
    assert running.trigger("actor/recover").success
    assert running.diagnostics()["enabled"] == "False"
    running.enabled()
    running.wait_for_steps()


def test_a_silent_source_stops_with_its_name(running):
    mock = running.processes[1]
    mock.signal(signal.SIGSTOP)
    try:
        wait_until(lambda: running.episode()["last_ended"].startswith("stale_state"), "the stop")
        assert running.episode()["last_ended"] == "stale_state (current_pose)"
        assert "not heard" in running.enable().message
    finally:
        mock.signal(signal.SIGCONT)
    running.enabled()
    running.wait_for_steps()


def test_deactivated_it_holds_and_comes_up_again(running):
    assert running.change(Transition.TRANSITION_DEACTIVATE)
    assert running.state() == "inactive"
    wait_until(lambda: running.change(Transition.TRANSITION_ACTIVATE), "an actor that is active again")
    running.enabled()
    running.wait_for_steps()
    assert running.change(Transition.TRANSITION_DEACTIVATE)
    assert running.change(Transition.TRANSITION_CLEANUP)
    assert running.state() == "unconfigured"


def test_sigint_twice_holds_and_exits_0(running):
    running.actor.signal(signal.SIGINT)
    running.actor.signal(signal.SIGINT)
    assert running.actor.wait(10.0) == 0
    commands = running.probe.heard["actor/command"]
    last = commands[-1][1].pose.position
    measured = running.probe.last("current_pose").pose.position
    assert math.dist((last.x, last.y, last.z), (measured.x, measured.y, measured.z)) < 0.02  # a hold, nothing ahead


class Simulator:
    """Publishes a /clock that runs ahead of the wall: the watchdog's limits are by the wall, whatever it shows."""

    PACE = 1.5
    BEGIN_S = 1000.0  # long before any wall clock's time

    def __init__(self) -> None:
        self.probe = Probe("simulator")
        self._publisher = self.probe.node.create_publisher(ClockMessage, "/clock", 10)
        self._began = time.monotonic()
        self._timer = self.probe.node.create_timer(0.005, self._tick)

    def _tick(self) -> None:
        now = self.BEGIN_S + self.PACE * (time.monotonic() - self._began)
        self._publisher.publish(ClockMessage(clock=stamp_from_ns(round(now * 1e9))))


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_two_robots_side_by_side_one_by_a_simulators_time(dds, tmp_path):
    simulator = Simulator()
    first = ActorBench(tmp_path / "first", "/arm0")
    second = ActorBench(tmp_path / "second", "/arm1", use_sim_time="true")
    try:
        for bench in (first, second):
            bench.probe.call(GetState, "actor/get_state", patience_s=120.0)  # six processes start at once
            bench.bring_up()
        first.enabled()
        first.wait_for_steps()
        assert second.probe.heard["actor/command"] == []  # the other robot's person has said nothing
        second.enabled()
        second.wait_for_steps()
        commands = len(second.probe.heard["actor/command"])
        second.trigger("actor/stop")
        second.wait_for_end("person_stop")
        assert first.episode()["last_ended"] != "person_stop", "one robot's stop is not the other's"
        first.enabled()  # a machine that stood still may have stopped it
        first.wait_for_steps()
        assert commands
        for bench, is_simulated in ((first, False), (second, True)):
            stamp = bench.probe.heard["actor/command"][-1][1].header.stamp.sec
            assert (Simulator.BEGIN_S <= stamp < 2 * Simulator.BEGIN_S) == is_simulated
    finally:
        for bench in (first, second):
            bench.close()
        simulator.probe.close()
