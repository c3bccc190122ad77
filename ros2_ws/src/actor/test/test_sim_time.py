"""The actor by a simulator's /clock over real DDS: none, one that stops, one that goes on; and its end with each."""

import signal
import threading
import time

import pytest
from actor_bench import ActorBench
from lifecycle_msgs.msg import Transition
from ros_kit import wait_until
from rosgraph_msgs.msg import Clock as ClockMessage

from actor_ros.conversions import stamp_from_ns
from actor_ros.spin import END_WITHIN_S

S = 1_000_000_000
END_S = 3.0


class Simulator:
    """Publishes /clock in real time at 200 Hz, while it is let."""

    def __init__(self, node) -> None:
        self._publisher = node.create_publisher(ClockMessage, "/clock", 10)
        self._going, self._ending = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._publish, daemon=True)
        self._thread.start()

    def _publish(self) -> None:
        time_ns = 100 * S
        while not self._ending.wait(0.005):
            if self._going.is_set():
                time_ns += 5_000_000
                self._publisher.publish(ClockMessage(clock=stamp_from_ns(time_ns)))

    def go(self, on: bool = True) -> None:
        (self._going.set if on else self._going.clear)()

    def close(self) -> None:
        self._ending.set()
        self._thread.join(2.0)


pytestmark = pytest.mark.slow


@pytest.fixture
def bench(dds, tmp_path):
    bench = ActorBench(tmp_path / "bench", use_sim_time="true")
    bench.simulator = Simulator(bench.probe.node)
    yield bench
    bench.simulator.close()
    bench.close()


def ends_in_time(bench, number: int) -> None:
    began = time.monotonic()
    bench.actor.signal(number)
    status = bench.actor.wait(10.0)
    assert time.monotonic() - began < END_S
    assert status == 0, bench.actor.output()
    assert "Traceback" not in bench.actor.output()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_without_a_clock_it_is_not_configured_says_so_and_ends(bench, number):
    wait_until(lambda: bench.state() == "unconfigured", "the node")

    def refuses() -> bool:
        refused = not bench.change(Transition.TRANSITION_CONFIGURE)
        return refused and bench.actor.output().splitlines()[-1].endswith(
            "cannot be configured: not heard: /clock of use_sim_time; start what publishes it, or correct the robot's "
            "profile"
        )

    wait_until(refuses, "a refusal because of the clock alone")
    answer = bench.enable()
    assert not answer.success
    ends_in_time(bench, number)


def test_a_clock_that_stops_is_a_named_stop_and_nothing_moves_until_it_goes_on(bench):
    bench.simulator.go()
    bench.bring_up()
    bench.enabled()
    bench.wait_for_steps()
    bench.simulator.go(False)
    bench.wait_for_end("stale_state (/clock of use_sim_time)")
    answer = bench.enable()
    assert not answer.success
    assert "/clock of use_sim_time" in answer.message
    bench.simulator.go()
    bench.enabled()
    bench.wait_for_steps()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_while_the_clock_stands(bench, number):
    bench.simulator.go()
    bench.bring_up()
    bench.enabled()
    bench.wait_for_steps()
    bench.simulator.go(False)
    ends_in_time(bench, number)


def test_the_bound_is_below_what_the_launch_file_allows():
    assert END_WITHIN_S < END_S
