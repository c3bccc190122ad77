"""The newest message of a topic, over real DDS: once a look, with the time at which it arrived."""

import time

import pytest
from geometry_msgs.msg import PoseStamped
from ros_kit import Probe, wait_until
from sensor_msgs.msg import JointState

from actor_ros import latest as module
from actor_ros.latest import Latest
from steadyhand.runtime.clock import MonotonicClock, wall_time_ns

S = 1_000_000_000
CLOCK = MonotonicClock()


class Line:
    """A publisher, and the newest of what it says."""

    def __init__(self, topic):
        self.sender, self.receiver = Probe("sender"), Probe("receiver")
        self.latest = Latest(self.receiver.node, PoseStamped, topic, CLOCK)
        self.publisher = self.sender.publisher(topic, PoseStamped, "state")
        wait_until(self.latest._subscription.get_publisher_count, "the publisher")
        wait_until(self._hears, "the first message")

    def _hears(self):
        self.publisher.publish(PoseStamped())
        return self.latest.take()

    def send(self, *values, pause_s=0.2):
        for value in values:
            message = PoseStamped()
            message.pose.position.x = float(value)
            self.publisher.publish(message)
        time.sleep(pause_s)

    def take(self):
        taken = self.latest.take()
        return taken if taken is None else (taken[0].pose.position.x, taken[1])

    def close(self):
        self.sender.close()
        self.receiver.close()


@pytest.fixture(scope="module")
def line(dds):
    line = Line("newest")
    yield line
    line.close()


@pytest.fixture(autouse=True)
def emptied(line):
    line.take()


def test_only_the_newest_is_taken_and_only_once(line):
    assert line.take() is None
    line.send(1, 2, 3)
    assert line.take()[0] == 3.0
    assert line.take() is None


def test_it_is_as_old_as_since_it_arrived_not_since_it_was_looked_at(line):
    before_ns = CLOCK.now_ns()
    line.send(1)
    sent_ns = CLOCK.now_ns()
    time.sleep(0.5)
    received_ns = line.take()[1]
    assert before_ns <= received_ns <= sent_ns + S // 10, "it may arrive after it was sent, and was looked at later"


@pytest.mark.parametrize("jump_s", [-3600.0, 3600.0])
def test_a_wall_clock_that_is_set_between_arrival_and_look_cannot_leave_the_time_between_two_looks(
    line, monkeypatch, jump_s
):
    line.take()
    looked_ns = CLOCK.now_ns()
    line.send(1)
    monkeypatch.setattr(module, "wall_time_ns", lambda: wall_time_ns() + round(jump_s * S))
    received_ns = line.take()[1]
    assert looked_ns - S // 10 <= received_ns <= CLOCK.now_ns()


def test_no_executor_wakes_up_for_its_messages(line, monkeypatch):
    executor, turns = line.receiver._executor, []
    get_nodes = executor.get_nodes  # it is asked before each wait
    monkeypatch.setattr(executor, "get_nodes", lambda: turns.append(1) or get_nodes())
    for value in range(50):
        line.send(value, pause_s=0.01)
    assert len(turns) < 10
    assert line.take()[0] == 49.0


def test_without_a_time_of_arrival_it_is_looked_for_often_enough(dds, monkeypatch):
    line = Line("untimed")
    handle = line.latest._subscription.handle

    class Untimed:
        """A middleware that does not tell when a message arrived, as Cyclone DDS."""

        def __enter__(self):
            return handle.__enter__()

        def __exit__(self, *arguments):
            return handle.__exit__(*arguments)

        def take_message(self, *arguments):
            taken = handle.take_message(*arguments)
            return taken and (taken[0], taken[1] | {"received_timestamp": 0})

    line.latest._subscription = type("Subscription", (), {"handle": Untimed(), "msg_type": PoseStamped})()
    try:
        line.send(1)
        assert line.take()[0] == 1.0
        line.send(2)
        sent_ns = CLOCK.now_ns()
        time.sleep(0.5)
        value, received_ns = line.take()
        assert value == 2.0
        assert received_ns <= sent_ns
    finally:
        line.close()


def test_after_its_node_is_gone_there_is_nothing_new(dds):
    line = Line("gone")
    line.send(1)
    line.close()
    assert line.take() is None


def test_on_a_topic_that_two_drivers_share_each_listener_gets_its_own_messages(dds):
    sender, receiver = Probe("two_drivers"), Probe("two_listeners")
    try:
        arm, finger = (Latest(receiver.node, JointState, "shared", CLOCK, containing=name) for name in ("a1", "finger"))
        publisher = sender.publisher("shared", JointState, "state")
        wait_until(lambda: publisher.get_subscription_count() == 2, "both subscribers")
        wait_until(lambda: publisher.publish(JointState(name=["a1"])) or (arm.take() and finger.take()), "a message")
        time.sleep(0.2)
        arm.take(), finger.take()
        publisher.publish(JointState(name=["finger"], position=[0.02]))
        for position in range(100):
            publisher.publish(JointState(name=["a1", "a2"], position=[float(position), 0.0]))
            publisher.publish(JointState(name=["a11"], position=[-1.0]))
            time.sleep(0.001)
        time.sleep(0.3)
        assert list(arm.take()[0].position) == [99.0, 0.0]
        assert list(finger.take()[0].position) == [0.02]
        assert arm.take() is finger.take() is None
        publisher.publish(JointState(name=["panda_joint1"]))
        taken = wait_until(arm.take, "what has not the joint")
        assert list(taken[0].name) == ["panda_joint1"]  # its line says which joints came instead
    finally:
        sender.close()
        receiver.close()


def test_a_subscription_of_callbacks_would_wake_it_up_for_each(line, monkeypatch):
    heard = []
    line.receiver.node.create_subscription(PoseStamped, "newest", heard.append, 10)
    wait_until(lambda: line.publisher.get_subscription_count() == 2, "both subscribers")
    executor, turns = line.receiver._executor, []
    get_nodes = executor.get_nodes
    monkeypatch.setattr(executor, "get_nodes", lambda: turns.append(1) or get_nodes())
    for value in range(50):
        line.send(value, pause_s=0.01)
    assert len(turns) > 10
