import time

import pytest
from rclpy.parameter import Parameter
from ros_kit import Probe, wait_until
from rosgraph_msgs.msg import Clock as ClockMessage

from actor_ros import conversions
from actor_ros.ros_clock import RosClock
from steadyhand.runtime.clock import MonotonicClock

S = 1_000_000_000


class Simulator:
    """Publishes /clock."""

    def __init__(self) -> None:
        self.probe = Probe("simulator")
        self.publisher = self.probe.node.create_publisher(ClockMessage, "/clock", 10)
        self.follower = Probe("follower")
        self.follower.node.set_parameters([Parameter("use_sim_time", value=True)])
        wait_until(self.publisher.get_subscription_count, "somebody who follows /clock")
        self.clock = RosClock(self.follower.node)

    def tell(self, seconds: float) -> int:
        reached = round(seconds * S)

        def has_come() -> bool:
            # Again and again: /clock is best effort, and what is published before the match is lost.
            self.publisher.publish(ClockMessage(clock=conversions.stamp_from_ns(reached)))
            return self.follower.node.get_clock().now().nanoseconds == reached

        wait_until(has_come, "the time", 10.0)
        return self.clock.now_ns()

    def close(self) -> None:
        self.follower.close()
        self.probe.close()


@pytest.fixture(scope="module")
def simulator(dds):
    simulator = Simulator()
    yield simulator
    simulator.close()


def test_it_follows_the_simulators_time_and_no_other(simulator):
    first = simulator.tell(100.0)
    assert simulator.tell(100.5) - first == S // 2
    assert simulator.clock.now_ns() - first == S // 2


def test_a_jump_ages_nothing(simulator):
    before = simulator.tell(101.0)
    assert simulator.tell(3701.0) - before == 0  # an hour ahead
    assert simulator.tell(50.0) - before == 0  # and back
    assert simulator.tell(50.25) - before == S // 4


def test_sleeping_ends_when_the_simulator_says_so(simulator):
    now = simulator.tell(51.0)
    simulator.clock.sleep_until(now)
    simulator.publisher.publish(ClockMessage(clock=conversions.stamp_from_ns(round(51.5 * S))))
    simulator.clock.sleep_until(now + S // 2)
    assert simulator.clock.now_ns() == now + S // 2


def test_it_stands_before_the_first_tick_and_after_a_second_without_one_and_nobody_waits_for_it(simulator):
    late = Probe("late_follower")
    try:
        late.node.set_parameters([Parameter("use_sim_time", value=True)])
        clock = RosClock(late.node)
        assert clock.stands()
        clock.sleep_until(clock.now_ns() + S)  # returns
    finally:
        late.close()
    now = simulator.tell(60.0)
    assert not simulator.clock.stands()
    before = time.monotonic()
    simulator.clock.sleep_until(now + S)
    assert 0.5 < time.monotonic() - before < 10.0
    assert simulator.clock.stands()
    assert simulator.clock.now_ns() == now
    simulator.tell(60.25)
    assert not simulator.clock.stands()


def test_without_a_simulator_it_is_the_machines_monotonic_clock(simulator):
    clock, machine = RosClock(simulator.probe.node), MonotonicClock()
    before = machine.now_ns()
    assert before <= clock.now_ns() <= machine.now_ns()
    assert not clock.stands()
    clock.sleep_until(before + 20_000_000)
    assert machine.now_ns() >= before + 20_000_000
