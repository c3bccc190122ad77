from itertools import pairwise

import numpy as np
import pytest

from steadyhand.robot_envs import frames
from steadyhand.robot_envs.mock.film import Delivery, Exposure
from steadyhand.robot_envs.mock.gap import CameraGap
from tests.gap_kit import BALL, make_arm, make_camera
from tests.robot_kit import TOOL_DOWN

TIMESTEP_S = 0.002
AT = frames.pose([0.4, 0.0, 0.3], TOOL_DOWN)
AWAY, SEEN = frames.pose([0.2, -0.4, 0.0]), frames.pose([0.5, 0.0, 0.05])
NONE = {"rate_hz": None, "latency_s": {}, "jitter_s": 0.0, "dropped_share": 0.0, "freezes_per_s": 0.0, "freeze_s": 0.0}


def steps_until_seen(arm, camera):
    """Physics steps from a ball's jump into the view until a frame shows it, and that frame."""
    arm.world.set_configuration(AT, 0.02)
    arm.place("ball", AWAY)
    arm.world.settle(1.0)
    before = camera.latest().pixels.astype(int)
    arm.place("ball", SEEN)
    for steps in range(1, 200):
        arm.world.step(1)
        frame = camera.latest()
        if np.abs(frame.pixels - before).max() > 20:
            return steps, frame
    raise AssertionError("the ball never came into view")


@pytest.mark.parametrize(("name", "latency_s"), [("side", 0.0), ("side", 0.08), ("wrist", 0.03)])
def test_a_moved_object_is_seen_after_the_latency(name, latency_s):
    on_time, late = make_arm(ball=BALL), make_arm(f"gap.camera.latency_s.{name}={latency_s}", ball=BALL)
    found = []
    for arm in (on_time, late):
        camera = make_camera(arm, name)
        steps, frame = steps_until_seen(arm, camera)
        found.append(steps)
        # Stamped when it was received, not when it was exposed.
        assert frame.stamp_ns == arm.world.clock.now_ns()
        camera.close()
    assert frame.counter == late.world.steps - round(latency_s / TIMESTEP_S)
    assert found[1] - 1 == round(latency_s / TIMESTEP_S)
    # Without a gap a picture shows the poses that the newest step began with.
    assert abs(found[1] - found[0] - latency_s / TIMESTEP_S) <= 1


def test_the_other_camera_is_not_late():
    arm = make_arm("gap.camera.latency_s.wrist=0.1", ball=BALL)
    camera = make_camera(arm, "side")
    assert steps_until_seen(arm, camera)[0] == 1
    camera.close()


def test_an_episode_begins_with_frames_of_that_episode():
    arm = make_arm("gap.camera.latency_s.side=0.3", "gap.camera.rate_hz=30")
    camera = make_camera(arm, "side")
    arm.reset(arm.world.tcp_pose()[None], np.array([0.02]), lambda state: True)
    began = arm.world.film._first
    frame = camera.latest()
    assert frame.counter >= began
    assert frame.stamp_ns <= arm.world.clock.now_ns()
    assert arm.world.clock.now_ns() - frame.stamp_ns < 0.05e9
    camera.close()


def test_a_camera_has_its_rate():
    arm = make_arm("gap.camera.rate_hz=30")
    camera = make_camera(arm, "side")
    counters = set()
    for _ in range(500):
        arm.world.step(1)
        counters.add(camera.latest().counter)
    assert len(counters) == pytest.approx(30, abs=1)
    camera.close()


def delivered(seed=0, frames_n=3000, latency_s=0.05, **changes):
    """The receipts of frames at 50 Hz, in the order of their arrival."""
    gap = CameraGap(**(NONE | {"rate_hz": 50.0} | changes))
    delivery = Delivery(gap, latency_s, TIMESTEP_S, np.random.default_rng(seed))
    found, zeros = {}, np.zeros(0)
    for step in range(frames_n * 10):
        if step % 10 == 0:
            delivery.expose(Exposure(step, zeros, zeros, zeros))
        newest = delivery.newest(step)
        if newest.step <= step:
            found.setdefault(newest.counter, newest)
    return list(found.values())


def test_jitter_delays_but_never_reorders():
    late = np.array([receipt.step - receipt.counter for receipt in delivered(jitter_s=0.016)]) * TIMESTEP_S
    assert 0.05 <= late.min() < 0.052
    assert 0.064 < late.max() <= 0.066
    assert late.mean() == pytest.approx(0.058, abs=0.001)
    shaken = delivered(jitter_s=0.2)
    assert all(a.step <= b.step and a.counter < b.counter for a, b in pairwise(shaken))


@pytest.mark.parametrize("share", [0.0, 0.2])
def test_the_share_of_frames_is_lost(share):
    arrived = len(delivered(dropped_share=share))
    assert 1.0 - arrived / 2998 == pytest.approx(share, abs=0.02)


def test_a_burst_repeats_one_picture_with_new_frames():
    receipts = delivered(freezes_per_s=0.5, freeze_s=0.4)
    frozen = [receipt for receipt in receipts if receipt.shown.step != receipt.counter]
    assert 0.1 < len(frozen) / len(receipts) < 0.25  # half a burst a second, 19 repeats of 20 frames
    assert max(receipt.counter - receipt.shown.step for receipt in frozen) == 190
    assert not [receipt for receipt in delivered() if receipt.shown.step != receipt.counter]


def test_frames_of_a_burst_are_equal_and_noise_makes_all_others_differ():
    arm = make_arm(
        "gap.camera.rate_hz=50", "gap.camera.freezes_per_s=5", "gap.camera.freeze_s=0.1", "gap.picture.noise_levels=3"
    )
    camera = make_camera(arm, "side")
    same = differ = 0
    last = camera.latest()
    for _ in range(60):
        arm.world.step(10)
        frame, receipt = camera.latest(), arm.world.film.newest("side", arm.world.steps)
        assert frame.counter > last.counter
        equal = np.array_equal(frame.pixels, last.pixels)
        assert equal == (receipt.shown.step < receipt.counter)
        same, differ, last = same + equal, differ + (not equal), frame
    assert same > 5
    assert differ > 5
    camera.close()
