"""The fault matrix: the faults, the required behaviour, and the tests that inject them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["ROWS", "FaultRow"]

Merge = Literal["max", "min", "sum"]


@dataclass(frozen=True)
class FaultRow:
    """One fault.

    Attributes:
        id: Number of the row, F1 to F38.
        fault: The fault.
        behaviour: The required behaviour, which the passing tests verify.
        tests: Test files, or pytest nodes, relative to the repository's root; () with `why_not_run`.
        figure: The property that the tests record; "" = the number of passing tests.
        unit: Unit of the figure.
        merge: The function that merges the figures of several tests.
        why_not_run: Why there is no test; "" if there is one.
    """

    id: str
    fault: str
    behaviour: str
    tests: tuple[str, ...] = ()
    figure: str = ""
    unit: str = "tests pass"
    merge: Merge = "max"
    why_not_run: str = ""


_HERE, _ROS = "tests/faults/", "ros2_ws/src/actor/test/"
_STOP = ("stop_periods", "periods to stop")  # from the earliest the fault can be to the first hold that the robot gets

ROWS: tuple[FaultRow, ...] = (
    FaultRow(
        "F1",
        "actor killed at any point",
        "every sealed record is stored once, at most the open step of a kill is lost; the watchdog holds the arm",
        (
            f"{_HERE}test_f01_actor_killed.py",
            f"{_HERE}test_random_kills.py",  # of the learner too, in one run on the mock robot
            f"{_ROS}test_robot_side.py::test_kill_9_of_the_actor_and_the_arm_holds_within_two_control_periods",
            f"{_ROS}test_robot_side.py::test_an_actor_that_lives_is_not_held",
        ),
        "lost_steps",
        "steps lost",
    ),
    FaultRow(
        "F2",
        "learner killed at any point",
        "no record and no step is lost, the robot goes on",
        (f"{_HERE}test_f02_learner_killed.py",),
        "lost_steps",
        "steps lost",
    ),
    FaultRow(
        "F3",
        "learner restarted",
        "goes on bit for bit, and starts as fast with long logs as with short ones",
        (f"{_HERE}test_f03_learner_resumed.py",),
        "slowest_resume_s",
        "s to resume",
    ),
    FaultRow(
        "F4",
        "killed during a checkpoint",
        "a whole checkpoint is found, the next save works",
        (f"{_HERE}test_f04_killed_during_checkpoint.py",),
    ),
    FaultRow(
        "F5",
        "disk full",
        "what is stored stays whole; nothing else is acknowledged",
        (f"{_HERE}test_f05_full_disk.py",),
    ),
    FaultRow(
        "F6",
        "checkpoint damaged",
        "noticed, the next older one serves, never a silent fresh start",
        (f"{_HERE}test_f06_damaged_checkpoint.py",),
    ),
    FaultRow(
        "F7",
        "network cut or blackhole",
        "detected by heartbeats; reconnects; nothing lost",
        (f"{_HERE}test_f07_network_cut.py",),
        "detection_heartbeats",
        "heartbeats to detect",
    ),
    FaultRow(
        "F8",
        "slow link",
        "the log takes what the link cannot; newest weights only; nothing lost",
        (f"{_HERE}test_f08_slow_link.py",),
        "skipped_weights",
        "stale weights skipped",
    ),
    FaultRow(
        "F9",
        "messages doubled, swapped, dropped",
        "what is stored is what was sent",
        (f"{_HERE}test_f09_delivery.py",),
        "operations",
        "operations, 0 violations",
        "sum",
    ),
    FaultRow(
        "F10",
        "malformed or hostile messages",
        "a WireError; the peer is dropped, the others go on",
        (
            f"{_HERE}test_f10_hostile_messages.py",
            f"{_HERE}test_f10_memory.py",
            f"{_HERE}test_f10_hostile_peers.py",
            f"{_HERE}test_f10_throughput.py",
        ),
        "uncaught",
        "uncaught exceptions",
    ),
    FaultRow(
        "F11",
        "unauthorised peers",
        "refused, logged with the key, a typed error at the client",
        (
            f"{_HERE}test_f11_unauthorised.py",
            f"{_HERE}test_f11_revoked.py",
            f"{_HERE}test_f11_exposure.py",
        ),
        "time_to_error_s",
        "s to the error",
    ),
    FaultRow(
        "F12",
        "non-finite observation",
        "nothing is chosen from it; hold; the record is not valid and keeps its number",
        (f"{_HERE}test_f12_non_finite_observation.py",),
        *_STOP,
    ),
    FaultRow(
        "F13",
        "non-finite or out-of-range action",
        "refused before it is clipped; hold",
        (f"{_HERE}test_f13_unfit_action.py",),
        *_STOP,
    ),
    FaultRow(
        "F14",
        "non-finite reward",
        "a record that is not valid and keeps its number; an alarm",
        (f"{_HERE}test_f14_non_finite_reward.py",),
        "stored_non_finite",
        "non-finite rewards stored",
    ),
    FaultRow(
        "F15",
        "non-finite loss or gradient",
        "the step is skipped and counted; never published",
        (f"{_HERE}test_f15_non_finite_gradient.py",),
        "published_non_finite",
        "non-finite policies published",
    ),
    FaultRow(
        "F16",
        "camera frozen, silent, late or of another size",
        "software stop that names the camera",
        (f"{_HERE}test_f16_camera_fault.py",),
        *_STOP,
    ),
    FaultRow(
        "F17",
        "input device lost in the middle of a correction",
        "hold; the policy is not given the robot until the device is moved again",
        (f"{_HERE}test_f17_device_lost.py",),
        *_STOP,
    ),
    FaultRow(
        "F18",
        "inference overrun",
        "the watchdog holds; the schedule starts anew, no burst",
        (f"{_HERE}test_f18_inference_overrun.py",),
        *_STOP,
    ),
    FaultRow(
        "F19",
        "a robot topic falls silent",
        "stop that names the source",
        (
            f"{_ROS}test_robot_side.py::test_a_robot_that_falls_silent_while_it_is_led_latches",
            "tests/unit/robot_envs/test_freshness.py",
        ),
    ),
    FaultRow(
        "F20",
        "fault of the controller",
        "latches; nothing is commanded; a person resumes, from the measured pose",
        (
            f"{_HERE}test_f20_controller_fault.py",
            f"{_ROS}test_robot_side.py::test_a_fault_of_the_robot_latches_sends_nothing_and_needs_both_steps_and_a_rearm",
        ),
        *_STOP,
    ),
    FaultRow(
        "F21",
        "any action against the limits",
        "no command breaks a limit",
        (f"{_HERE}test_f21_limits.py",),
        "violations",
        "violations",
    ),
    FaultRow(
        "F22",
        "clocks that jump",
        "no stop that should not be, none that is missed",
        (
            f"{_HERE}test_f22_clock_jumps.py",
            f"{_ROS}test_processes.py::test_a_ros_clock_that_jumps_moves_nothing_and_stops_nothing",
        ),
        "wrong_stops",
        "spurious and missed stops",
    ),
    FaultRow(
        "F23",
        "two actors with one id",
        "the second is refused naming the holder, and accepted after the lease",
        (f"{_HERE}test_f23_two_actors.py",),
        "take_over_s",
        "s to take over",
    ),
    FaultRow(
        "F24",
        "versions or configurations that do not fit",
        "refused with the difference before anything moves",
        (f"{_HERE}test_f24_mismatch.py",),
        "detected",
        "differences detected",
    ),
    FaultRow(
        "F25",
        "Ctrl-C at any point",
        "hold, flush, exit 0; nothing lost",
        (f"{_HERE}test_f25_interrupted.py",),
        "exit_s",
        "s to exit",
    ),
    FaultRow(
        "F26",
        "bad weights",
        "ignored and counted; the policy in use stays",
        (f"{_HERE}test_f26_bad_weights.py",),
        "applied",
        "bad weights applied",
    ),
    FaultRow(
        "F27",
        "learner that stops making progress",
        "reported; nothing lost; it goes on",
        (f"{_HERE}test_f27_learner_hangs.py",),
        "detection_s",
        "s to detect",
    ),
    FaultRow(
        "F28",
        "brought up and down again and again",
        "no file, thread or port leaks",
        (f"{_HERE}test_f28_bring_up.py",),
        "leaked",
        "files and threads leaked",
    ),
    FaultRow(
        "F29",
        "wild actions, readings, command rates and clocks",
        "speed, acceleration and jerk of every target within their limits, the whole tool inside the box, no motion "
        "after silence",
        (f"{_HERE}test_f29_motion.py", "tests/unit/robot_envs/safety/test_shaper.py"),
        "violations",
        "limits broken",
        "sum",
    ),
    FaultRow(
        "F30",
        "reset against an obstacle of 2 kN/m, tare while pressed, a minute of holding",
        "the force limit (here 5 N) stops a reset within a control period; a tare of 80 N is refused; the arm creeps at"
        " most 1 mm",
        (
            f"{_ROS}test_reset_limits.py",
            "tests/unit/robot_envs/test_env_motion.py::test_zero_actions_hold_the_arm_where_it_came_to_rest",
            "tests/unit/robot_envs/test_env_motion.py::test_without_a_held_pose_the_arm_would_creep",
            "tests/unit/robot_envs/test_env_motion.py::test_holding_again_and_again_keeps_one_target",
            "tests/unit/robot_envs/safety/test_tare.py",
        ),
        "peak_force_n",
        "N at most, during the reset",
    ),
    FaultRow(
        "F31",
        "bytes of an actor's log change: undelivered, after the last sync, in a header or a mark",
        "that record alone is quarantined, named on both sides; every other one arrives",
        (f"{_HERE}test_f31_damaged_actor_log.py",),
        "sound_records_lost",
        "sound records lost",
    ),
    FaultRow(
        "F32",
        "records of a learner's log damaged, files missing or cut short",
        "found by scrubbing and at first use; repaired from the actor's copy, or not trained on",
        (f"{_HERE}test_f32_damaged_learner_log.py", "tests/unit/learner/replay/test_soundness.py"),
    ),
    FaultRow(
        "F33",
        "a paired peer that lies: impossible numbers, floods of HELLO, giant schemas",
        "quarantined and counted, then banned; refused before anything is allocated",
        (f"{_HERE}test_f33_lying_peers.py",),
    ),
    FaultRow(
        "F34",
        "a link that breaks again and again",
        "the number of open files stays flat",
        (f"{_HERE}test_f34_link_outages.py",),
        "files",
        "files leaked",
    ),
    FaultRow(
        "F35",
        "every call to the disk fails in turn: no room, an error, half a write, once or from then on",
        "nothing acknowledged is lost, nothing doubled; a restart goes on",
        (f"{_HERE}test_f35_failing_calls.py",),
        "cases",
        "failed calls, 0 violations",
        "sum",
    ),
    FaultRow(
        "F36",
        "power cut after every change of the disk; only what fsync covered is sure to be kept",
        "what was said to be durable is there; every file opens",
        (f"{_HERE}test_f36_power_cuts.py",),
        "cases",
        "power cuts, 0 violations",
        "sum",
    ),
    FaultRow(
        "F37",
        "several faults at once: kills, power cuts, bad disks and links, flipped bits, clock jumps",
        "nothing acknowledged is lost, nothing doubled; in the end every record arrives",
        (f"{_HERE}test_f37_simulation.py",),
        "steps",
        "steps, 0 violations",
        "sum",
    ),
    FaultRow(
        "F38",
        "changed files of every kind that is opened, also with right checksums",
        "read, quarantined, or refused in one line that names the file",
        (f"{_HERE}test_f38_fuzzed_files.py",),
        "files",
        "files, 0 uncaught",
        "sum",
    ),
)
