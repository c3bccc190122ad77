"""F16: a camera freezes, falls silent, comes late or sends another size. The robot stops, and the camera is named."""

import math
from dataclasses import replace

import numpy as np
import pytest

from steadyhand.actor.control_loop import ControlLoop
from steadyhand.actor.env_schema import env_schema
from steadyhand.robot_envs.camera import WHOLE, Frame
from steadyhand.robot_envs.env import RobotEnv
from steadyhand.robot_envs.rewards.task import TaskReward
from steadyhand.robot_envs.safety.camera_watch import CameraLimits, CameraWatch
from steadyhand.runtime.clock import FakeClock
from steadyhand.transport.record import valid_starts
from tests.fault_kit import Practice
from tests.faults.scale import FULL
from tests.robot_kit import make_robot_env

AT = 6  # the look from which on the camera is at fault
MAX_AGE_S, MAX_SAME = 0.3, 3
FRAME_S = 1 / 30
LIMITS = CameraLimits(MAX_AGE_S, MAX_SAME)


class FakeCamera:
    """A camera of 30 frames a second that never shows the same twice, until `fault` changes its frames."""

    height = width = 8
    crop = WHOLE

    def __init__(self, name, clock) -> None:
        self.name, self._clock, self.looks = name, clock, -2  # the first look of all is at the start
        self.fault = lambda frame, before: frame
        self._before: Frame | None = None

    def connect(self):
        pass

    def close(self):
        pass

    def latest(self) -> Frame:
        self.looks += 1
        counter = round(self._clock.now_ns() / 1e9 / FRAME_S)
        pixels = np.random.default_rng(counter).integers(0, 256, (8, 8, 3), np.uint8)
        frame = Frame(pixels, self._clock.now_ns(), counter)
        if self.looks >= AT:
            return self.fault(frame, self._before)
        self._before = frame
        return frame


def late(seconds):
    return lambda frame, before: replace(frame, stamp_ns=frame.stamp_ns - round(seconds * 1e9))


# What goes wrong, the reason, and within how many periods.
STALE_PERIODS = math.ceil(MAX_AGE_S / 0.1) + 1
FAULTS = {
    "no more frames": (lambda frame, before: before, "camera_stale", STALE_PERIODS),
    "the counter stands still": (
        lambda frame, before: replace(frame, counter=before.counter), "camera_stale", STALE_PERIODS,
    ),
    "the stamp stands still": (
        lambda frame, before: replace(frame, stamp_ns=before.stamp_ns), "camera_stale", STALE_PERIODS,
    ),
    "frames come late": (late(0.35), "camera_stale", 1),
    "a stamp of another clock": (late(-3600.0), "camera_stale", 1),
    "the same pixels again and again": (
        lambda frame, before: replace(frame, pixels=before.pixels), "camera_frozen", MAX_SAME + 1,
    ),
    "another size": (
        lambda frame, before: replace(frame, pixels=np.zeros((4, 8, 3), np.uint8)), "camera_wrong_size", 1,
    ),
    "another type": (
        lambda frame, before: replace(frame, pixels=frame.pixels.astype(np.float32)), "camera_wrong_size", 1,
    ),
}  # fmt: skip


def practise(fault, limits=LIMITS) -> Practice:
    practice = Practice()
    plain = practice.env
    plain.gate.limits = replace(plain.gate.limits, cameras=limits)
    cameras = [FakeCamera(name, plain.clock) for name in ("wrist", "side")]
    cameras[1].fault = fault
    parts = (plain.config, practice.robot, cameras, plain._task, plain._workpieces, plain.gate, plain.clock, True)
    practice.env = RobotEnv(*parts, TaskReward())
    practice.loop = ControlLoop(
        practice.env, env_schema(practice.env), lambda record: practice.records.append(record.copy())
    )
    practice.reason = practice.run().stop_reason
    return practice


def periods_to_stop(practice: Practice, reason: str) -> float:
    """Check what has to be so, and return how long it took."""
    assert practice.reason == f"{reason} (side)", "it went unnoticed"
    onset_ns = practice.onset_ns(AT)
    assert practice.robot.commands_after_stop(onset_ns) == 0
    assert not valid_starts(practice.rows())[-2:].any()
    return practice.robot.stop_periods(onset_ns, practice.period_ns)


@pytest.mark.parametrize("name", FAULTS)
def test_the_robot_stops_and_the_camera_is_named(name, record_property):
    fault, reason, at_most = FAULTS[name]
    periods = periods_to_stop(practise(fault), reason)
    record_property("stop_periods", periods)
    assert periods <= at_most


@pytest.mark.parametrize("name", [name for name, (_, reason, _) in FAULTS.items() if reason != "camera_wrong_size"])
def test_without_limits_it_would_go_unnoticed(name):
    fault, reason, _ = FAULTS[name]
    with pytest.raises(AssertionError, match="unnoticed"):
        periods_to_stop(practise(fault, None), reason)


def test_a_frame_that_is_a_little_late_stops_nothing():
    assert practise(late(0.2)).reason == "interrupted"


def test_a_person_resumes_and_the_camera_is_looked_at_anew():
    practice = practise(FAULTS["no more frames"][0])
    practice.env._sources._all[1].fault = lambda frame, before: frame
    practice.env.resume()
    assert practice.env.stop_reason is None
    assert practice.run().stop_reason == "interrupted"


def test_an_hour_of_frames_that_come_as_they_do_stops_nothing(record_property):
    """Thirty frames a second with jitter, a few lost in a row now and then, looked at ten times a second."""
    clock, rng = FakeClock(), np.random.default_rng(0)
    camera = FakeCamera("wrist", clock)
    watch, shown = CameraWatch(camera, LIMITS), []
    camera.latest = lambda: shown[-1]
    stops, lost_until = 0, 0

    def frame(counter):
        pixels = np.zeros((8, 8, 3), np.uint8)
        pixels.reshape(-1)[:4] = np.frombuffer(np.uint32(counter).tobytes(), np.uint8)
        return Frame(pixels, clock.now_ns() - int(rng.uniform(0, 0.04) * 1e9), counter)

    for look in range(36_000):
        clock.advance_ns(int(rng.uniform(0.09, 0.11) * 1e9))
        if look > lost_until and rng.random() < 0.01:
            lost_until = look + 2
        if look >= lost_until or not shown:
            shown[:] = [frame(3 * look)]
        stops += watch.look(clock.now_ns()) is not None
    record_property("false_stops", stops)
    assert stops == 0


def test_practice_without_a_fault_is_not_stopped(record_property):
    """A simulated hour in the long variant; no limit that the actions themselves could break is near."""
    steps = 36_000 if FULL else 400
    # Nearer to its base the arm folds its elbow to a joint limit.
    far = ("safety.max_force_n=1000", "safety.workspace_low_m=[0.40,-0.35,0.005]")
    env = make_robot_env("task=reach", "task.settings.tolerance_m=0.000001", *far)
    rng, stops, made = np.random.default_rng(0), 0, 0
    push = np.zeros(6)
    env.reset(seed=0)
    while made < steps:
        if made % 20 == 0:
            push = rng.uniform(-1, 1, 6)
        action = np.clip(push + rng.normal(0, 0.3, 6), -1, 1).astype(np.float32)
        *_, terminated, truncated, info = env.step(action)
        made += 1
        stops += bool(info["stop_reason"])
        if terminated or truncated:
            env.resume()
            env.reset()
    record_property("false_stops", stops)
    assert stops == 0
