"""One end of a camera's topic, as a process whose DDS settings are its own: `send N` or `receive N`."""

import sys
import time

import numpy as np
import rclpy
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import Image

from actor_ros import conversions, qos

PERIOD_S = 1 / 30
PATIENCE_S = 15.0


def main() -> None:
    role, count = sys.argv[1], int(sys.argv[2])
    rclpy.init()
    node = rclpy.create_node(role)
    deadline = time.monotonic() + PATIENCE_S
    if role == "receive":
        stamps = []
        node.create_subscription(
            Image, "image_raw", lambda image: stamps.append(image.header.stamp.sec), qos_profile_sensor_data
        )
        came = False
        while time.monotonic() < deadline and not (came and node.count_publishers("image_raw") == 0):
            rclpy.spin_once(node, timeout_sec=0.1)
            came = came or node.count_publishers("image_raw") > 0
        sys.stdout.write(str(len({stamp for stamp in stamps if stamp >= 1})))
    else:
        publisher = node.create_publisher(Image, "image_raw", qos.profile("image"))
        pixels = np.random.default_rng(0).integers(0, 255, (480, 640, 3), np.uint8)
        while not publisher.get_subscription_count() and time.monotonic() < deadline:
            rclpy.spin_once(node, timeout_sec=0.02)
        # The subscriber may find us a little later than we find it.
        for number in [*[0] * 15, *range(1, count + 1)]:
            publisher.publish(conversions.image_from_array(pixels, "camera", conversions.stamp_from_ns(number * 10**9)))
            time.sleep(PERIOD_S)
        publisher.wait_for_all_acked()
    node.destroy_node()
    rclpy.try_shutdown()


main()
