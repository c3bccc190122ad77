"""One profile before its stub, as `benchmarks/controllers.py` wants it: episodes of `reach`, and what a person reads.

    python controller_cases.py PROFILE EPISODES FOLDER [patient]     # prints one line of JSON

An episode in which the machine stood still for longer than the watchdog allows is run again, and counted. On a machine
that others share `patient` lets readings grow old as in the tests.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import interfaces_kit
import numpy as np

from tests.stalls import Heartbeat

STALLS_ALLOWED = 200
Case = Callable[..., str]


def episodes(name: str, count: int, folder: Path, *overrides: str) -> dict[str, object]:
    """Run episodes to their end; the distances are those of the true tool from the goal, the times from the launch."""
    from controller_bench import Bench

    heartbeat = Heartbeat()
    began_s = time.monotonic()
    bench = Bench(name, folder, *overrides)
    try:
        bench.ready()
        ready_s = time.monotonic() - began_s
        distances: list[float] = []
        failures: list[str] = []
        stalled = 0
        while len(distances) + len(failures) < count and stalled < STALLS_ALLOWED:
            since_s = time.monotonic()
            success, stop, distance = bench.reach(len(distances) + len(failures))
            if not success and stop and heartbeat.since(since_s):
                stalled += 1
                bench.ready()
            elif success and distance < 0.011:
                distances.append(distance)
            else:
                failures.append(stop or f"{1e3 * distance:.1f} mm from the goal")
                bench.ready()
        return {
            "profile": name,
            "ready_s": round(ready_s, 1),
            "reached": len(distances),
            "episodes": len(distances) + len(failures),
            "failures": failures,
            "run_again_after_stalls": stalled,
            "true_distance_mm_max": round(1e3 * max(distances, default=float("nan")), 2),
            "true_distance_mm_mean": round(1e3 * float(np.mean(distances)) if distances else float("nan"), 2),
            "ignored_by_controller": len(bench.stub.ignored),
        }
    finally:
        bench.close()
        heartbeat.close()


def wrong_frame(make: Callable[..., object]) -> str:
    bench = make()
    if controller := getattr(bench.stub, "impedance", None) or getattr(bench.stub, "compliance", None):
        controller.base_frame = "world"
    else:
        bench.stub.pose_frame = "world"
    return bench.fault("wrong frame")


def inactive(make: Callable[..., object]) -> str:
    bench = make(is_active=False)
    return bench.fault("found inactive")


def silent(make: Callable[..., object]) -> str:
    return make(feedback=False).fault("publish_state_feedback")


def no_remap(make: Callable[..., object]) -> str:
    return make(remapped=False).fault("subscribe")


def unitless(make: Callable[..., object]) -> str:
    return make(command_in_type="unitless").fault("command_in_type")


def ended_while_moving(make: Callable[..., object]) -> str:
    def end(bench) -> None:
        for step in bench.cell.profile.activate:
            if step.kind == "switch_controller":
                bench.stub.manager.switch([], [step.name])

    return _stopped(make, end, "expected it to be active")


def command_type_while_moving(make: Callable[..., object]) -> str:
    return _stopped(make, lambda bench: setattr(bench.stub.servo, "command_type", 2))


def paused_while_moving(make: Callable[..., object]) -> str:
    return _stopped(make, lambda bench: setattr(bench.stub.servo, "is_paused", True))


def no_servo(make: Callable[..., object]) -> str:
    bench = make()
    bench.configure()
    bench.stub.servo.end_type_service()
    return _refused(bench.cell.make_follow)


def reflex(make: Callable[..., object]) -> str:
    bench = make()
    bench.ready()
    bench.stub.fail()
    bench.expect_reason("robot_fault")
    return _refused(bench.recover)


def _stopped(make: Callable[..., object], change: Callable[[object], None], then: str = "") -> str:
    """Return the reason of a stop after `change`, and the line with `then` that follows a silent source."""
    bench = make()
    bench.ready()
    while True:
        stop = bench.reach(0, interrupt=lambda: change(bench))[1]
        if "stale_state" not in stop and "silent" not in stop:
            return f"stopped: {stop}"
        if then:  # a controller that publishes the pose falls silent before its state is asked for
            return f"stopped: {stop}; then: {bench.fault(then)}"
        bench.ready()  # the machine stood still


def _refused(act: Callable[[], object]) -> str:
    from steadyhand.robot_envs.robot import RobotError

    try:
        return str(act())
    except RobotError as error:
        return str(error)


_FZI = {
    "controller inactive": inactive,
    "publish_state_feedback false": silent,
    "sensor not remapped": no_remap,
    "controller ends while the arm moves": ended_while_moving,
}
_SERVO = {
    "command_in_type unitless": unitless,
    "servo not started": no_servo,
    "other command type while the arm moves": command_type_while_moving,
    "servo paused while the arm moves": paused_while_moving,
    "controller ends while the arm moves": ended_while_moving,
}
_CRISP = {"controller ends while the arm moves": ended_while_moving}
CASES: dict[str, dict[str, Case]] = {
    "crisp_fr3": _CRISP | {"reflex": reflex},
    "crisp_ur": _CRISP,
    "fzi_cartesian": _FZI,
    "ur_fzi": _FZI,
    "ur_servo": _SERVO,
    "xarm_servo": _SERVO,
}


def lines(name: str, folder: Path, *overrides: str) -> dict[str, str]:
    """The line of each case."""
    from controller_bench import Bench

    found = {}
    for case, run in ({"pose in another frame": wrong_frame} | CASES[name]).items():
        made: list[Bench] = []

        def make(made=made, **stub):
            made.append(Bench(name, folder, *overrides, **stub))
            return made[-1]

        try:
            found[case] = run(make)
        finally:
            for bench in made:
                bench.close()
    return found


def main() -> None:
    name, count, folder = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
    if reason := interfaces_kit.reason_to_skip():
        sys.exit(reason)
    os.environ |= interfaces_kit.environment()
    os.environ |= {"ROS_DOMAIN_ID": str(1 + os.getpid() % 100), "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST"}
    os.environ["ROS_LOG_DIR"] = tempfile.mkdtemp(dir=folder)
    interfaces_kit.use_here()
    from controller_bench import PATIENT

    overrides = PATIENT if "patient" in sys.argv[4:] else ()
    found = episodes(name, count, folder, *overrides) | {"patient": bool(overrides)}
    print(json.dumps(found | {"lines": lines(name, folder, *overrides)}))  # noqa: T201


if __name__ == "__main__":
    main()
