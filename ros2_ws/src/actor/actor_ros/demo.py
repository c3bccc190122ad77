"""`make ros-demo`: every step on the mock robot behind ROS 2, in real time, each part in its own process.

Demonstrations, practice and evaluations move the robot over DDS, in the processes of the launch file with the same
parameters. The baseline's candidates are compared, and the film made, on the same mock without ROS.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from actor_ros.launched import Launched
from steadyhand.actor.evaluate import Evaluation
from steadyhand.actor.policy_runner import use_one_thread
from steadyhand.actor.stop_flag import StopFlag
from steadyhand.job import Job, open_job
from steadyhand.learner.device import resolve_device
from steadyhand.learner.saved_policy import SavedPolicy
from steadyhand.pipeline.evaluation import NEWEST
from steadyhand.pipeline.stages import RobotWork, run_stages
from steadyhand.report.evaluations import POLICY, evaluation_path, read_evaluation
from steadyhand.report.records import read_run
from steadyhand.robot_envs.robot import RobotError
from steadyhand.runtime.build import ConfigError
from steadyhand.runtime.run_folder import RunFolderError
from steadyhand.subprocesses import ChildError
from steadyhand.terminal import say
from steadyhand.transport.demo_set import read_manifest

EXPERIMENT = "experiment=ros_demo"
PACKAGE = Path(__file__).resolve().parent.parent


def main(words: Sequence[str] | None = None) -> int:
    """Run every stage; return 0 only for a policy that is good enough."""
    use_one_thread()
    os.environ.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    path = [str(PACKAGE), *filter(None, [os.environ.get("PYTHONPATH")])]
    os.environ["PYTHONPATH"] = os.pathsep.join(path)
    try:
        job = open_job([EXPERIMENT, *(sys.argv[1:] if words is None else words)])
        device = resolve_device(job.settings.learner.device)
        job.write_manifest(compute_device=str(device))
        say(f"ros-demo: {job.run.path}, learning on {device}")
        with StopFlag().on_signals() as stop:
            passed = run_stages(job, stop, _over_ros(Launched(job)))
    except (ChildError, ConfigError, RunFolderError, RobotError) as error:
        sys.stderr.write(f"ros-demo: {error}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    for name, times in read_run(job.run).loops.items():
        say(f"loop, {name.replace('_', ', ')}: {_text(times)}")
    say(f"\nreport: {job.run.path / 'report.html'}")
    return 0 if passed else 1


def _over_ros(launched: Launched) -> RobotWork:
    """Return the stages that move the robot."""

    def demonstrate(job: Job, stop: StopFlag) -> str:
        launched.run("demonstrate", stop)
        manifest = read_manifest(job.run.demos)
        return f"{manifest.successes} successes in {manifest.episodes} attempts, {manifest.steps} steps"

    def practise(job: Job, stop: StopFlag) -> None:
        launched.run("practise", stop)

    def judge(job: Job, policy: SavedPolicy, stop: StopFlag, who: str) -> Evaluation:
        launched.run("evaluate", stop, f"evaluation.policy={NEWEST if who == POLICY else who}")
        return read_evaluation(evaluation_path(job.run, who))

    return RobotWork(demonstrate, practise, judge)


def _text(times: Mapping[str, Any]) -> str:
    bursts = f", {times['bursts']} catch-up bursts" if "bursts" in times else ""
    return (
        f"period p50 {times['p50_ms']:.1f} ms, p99 {times['p99_ms']:.1f} ms, max {times['max_ms']:.1f} ms; "
        f"{times['missed']} of {times['periods']} periods missed{bursts}"
    )


if __name__ == "__main__":
    sys.exit(main())
