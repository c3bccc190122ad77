"""Two processes of `benchmarks/ros_state.py`: a robot that repeats its state, and the actor's end of its topics.

    python -m state_peers robot <Hz>         # publishes until SIGINT; prints the rate that it reached
    python -m state_peers actor <seconds>    # reads, and commands a hold, at the control rate

The robot stands still; its messages are serialised once, so that what it costs to publish them does not limit the rate.
"""

from __future__ import annotations

import os
import signal
import sys
import threading

import numpy as np
import rclpy
from geometry_msgs.msg import PoseStamped, TwistStamped, WrenchStamped
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.serialization import serialize_message
from rclpy.signals import SignalHandlerOptions
from sensor_msgs.msg import JointState
from std_msgs.msg import Bool

from actor_ros import conversions, qos
from actor_ros.hardware import RosHardware
from actor_ros.parameters import robot_config
from steadyhand.actor.stop_flag import StopFlag
from steadyhand.runtime.clock import MonotonicClock
from steadyhand.runtime.config import compose

CONFIG = compose(["task=reach", "robot=mock_ros"])
PERIOD_S = float(CONFIG["task"]["drive"]["control_period_s"])
SLOW_HZ = 50.0  # gripper and health, as the mock's
POSE = np.array([0.5, 0.0, 0.25, 1.0, 0.0, 0.0, 0.0])
CLOCK = MonotonicClock()


def robot(rate_hz: float) -> None:
    """Publish pose, twist, joints and wrench at a rate, gripper and health at another."""
    node = Node("robot")
    profile = robot_config(CONFIG).profile
    topics, stamp = profile.topics, conversions.stamp_from_ns(0)
    still = np.zeros(6)
    joints = conversions.joints_from_arrays(profile.joints, np.full(7, 0.1), np.zeros(7), stamp)
    fast = [
        (PoseStamped, topics.pose, conversions.pose_from_array(POSE, profile.base_frame, stamp)),
        (TwistStamped, topics.twist, conversions.twist_from_array(still, profile.base_frame, stamp)),
        (JointState, topics.joint_states, joints),
        (WrenchStamped, topics.wrench, wrench(profile, still, stamp)),
    ]
    finger = conversions.joints_from_arrays([profile.gripper.joint], np.array([0.02]), None, stamp)
    slow = [(Bool, profile.fault.topic, Bool(data=True)), (JointState, profile.gripper.state_topic, finger)]
    groups = [(rate_hz, speakers(node, fast)), (SLOW_HZ, speakers(node, slow))]
    stop = StopFlag()
    signal.signal(signal.SIGINT, lambda *_: stop.set())
    began_ns, sent = CLOCK.now_ns(), [0, 0]
    while not stop():
        now_ns = CLOCK.now_ns()
        for group, (hz, messages) in enumerate(groups):
            # A late wake-up is made up for, so that the mean rate is the one that was asked for.
            while sent[group] < (now_ns - began_ns) * 1e-9 * hz:
                sent[group] += 1
                for publisher, message in messages:
                    publisher.publish(message)
        CLOCK.sleep_until(now_ns + round(0.5e9 / rate_hz))
    say(f"rate {sent[0] / ((CLOCK.now_ns() - began_ns) * 1e-9):.1f}")


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def wrench(profile, values, stamp) -> WrenchStamped:
    return conversions.wrench_from_array(values, profile.wrench, POSE[3:], profile.tool_frame, stamp)


def speakers(node, rows):
    """A publisher for each topic, with its message as bytes."""
    return [(node.create_publisher(kind, name, qos.profile("state")), serialize_message(m)) for kind, name, m in rows]


def actor(seconds: float) -> None:
    """Read the state and ask for a hold at the control rate, with callbacks on another thread, as the actor does."""
    node = Node("actor")
    cell = RosHardware(node, CONFIG, lambda: True, lambda: None)
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    threading.Thread(target=executor.spin, daemon=True).start()
    cell.robot.connect()
    say("connected")
    until_ns = next_ns = CLOCK.now_ns()
    until_ns += round(seconds * 1e9)
    ages_ms = []
    while next_ns < until_ns:
        CLOCK.sleep_until(next_ns)
        state = cell.robot.read()
        ages_ms.append((CLOCK.now_ns() - state.stamp_ns) * 1e-6)
        cell.link.command(POSE, POSE)
        next_ns += round(PERIOD_S * 1e9)
    say(f"age {np.median(ages_ms):.2f} {np.percentile(ages_ms, 99):.2f} {state.silent_source or '-'}")


if __name__ == "__main__":
    rclpy.init(signal_handler_options=SignalHandlerOptions.NO)
    {"robot": robot, "actor": actor}[sys.argv[1]](*map(float, sys.argv[2:]))
    os._exit(0)  # the executor's thread still waits
