"""The one command: `steadyhand <verb> [options] [group=option key=value ...]`."""

from __future__ import annotations

import argparse
import importlib
import keyword
import os
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from steadyhand.runtime.logging import quoted

__all__ = ["VERBS", "main", "verb_parser"]

# A verb's module is imported only when it is asked for, so that `--help` needs no torch.
VERBS = {
    "demo": "every step on the mock robot: demonstrations, practice with corrections, an evaluated policy, a report",
    "doctor": "check whether this machine is ready for the chosen configuration, and say how to fix the rest",
    "show": "print the settings that the overrides choose, with the file of each group",
    "cameras": "list the cameras that are plugged in, and try the configured views",
    "teleop": "drive the mock or a robot by hand, without a policy",
    "record": "record demonstrations into a run folder",
    "learn": "start the learner: it trains on what actors send",
    "act": "start the actor: it controls the robot and records every step",
    "eval": "evaluate a policy on seeded episodes, unassisted",
    "calibrate": "measure the cell: cameras, workspace, tool, gripper, device, latencies",
    "export": "write a trained policy as one ONNX file",
    "run": "deploy an exported policy, without a learner and without torch",
    "film": "film a policy before and after practice, side by side",
    "inspect": "show what a demo set or a log holds",
    "replay": "send a recorded episode through the safety gate again, and compare the poses that are reached",
    "log": "check logs and demo sets for damage, and repair them",
    "data": "bring in, give away and look after recorded data: LeRobot, robomimic, Minari",
    "relabel": "mark recorded episodes as success or failure",
    "reward": "make a reward from examples: record them, train a success classifier, check it",
    "report": "write a run's report from what is there, one file to open in a browser",
    "runs": "list, archive or prune the run folders",
    "completion": "print the shell's completion of this command",
    "keys": "make and pair the keys of a link between two machines",
}
PACKAGES = {"runtime", "robot_envs", "policies", "transport", "actor", "learner", "calibration", "steadyhand"}
EXTRAS = {  # the extra of pyproject.toml that installs a package
    "av": "data",
    "cv2": "camera",
    "franky": "franka",
    "h5py": "data",
    "mujoco": "sim",
    "onnx": "export",
    "onnxruntime": "run",
    "onnxscript": "export",
    "pyarrow": "data",
    "pyrealsense2": "realsense",
    "rclpy": "ros",
    "scipy": "calibration",
    "trackio": "trackio",
    "wandb": "wandb",
    "websockets": "web",
}
USER_ERROR, INTERRUPTED = 2, 130
Call = Callable[[Any, argparse.Namespace, Sequence[str]], int]

USAGE = "steadyhand <verb> [options] [group=option key=value ...]"
EPILOG = """\
`group=option` chooses a file of a configuration group (robot=mock, task=peg_insert), `key=value` sets one number in it
(learner.device=cuda, seed=1). A key or an option that does not exist is refused, and the message names those that do.

examples:
  steadyhand demo seed=0
  steadyhand record task=peg_insert episodes=20 run_name=pegs
  steadyhand learn run_name=pegs          and, beside it,          steadyhand act run_name=pegs
  steadyhand eval run_name=pegs --json pegs.json
"""


def main(argv: Sequence[str] | None = None, call: Call | None = None) -> int:
    """Run one verb and return the exit status: 0 done, 1 failed, 2 invalid request, 130 interrupted.

    `call` runs the verb's module with its options and overrides; None = `command.run(options, overrides)`.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    verbs = "\n".join(f"  {verb:<11}{text}" for verb, text in VERBS.items())
    parser = argparse.ArgumentParser(
        prog="steadyhand",
        usage=USAGE,
        description=f"Teach a robot arm a precise task in an hour or two.\n\nverbs:\n{verbs}",
        epilog=f"{EPILOG}\n`steadyhand <verb> --help` says more about one verb.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"steadyhand {_version()}")
    parser.add_argument("verb", choices=list(VERBS), metavar="verb", help=argparse.SUPPRESS)
    verb = parser.parse_args(words[:1]).verb
    try:
        return _run(verb, words[1:], call)
    except KeyboardInterrupt:
        sys.stderr.write("steadyhand: interrupted\n")
        return INTERRUPTED
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if os.environ.get("STEADYHAND_DEBUG") == "1" or not package or package in PACKAGES:
            raise
        extra = f".[{EXTRAS[package]}]" if package in EXTRAS else "."
        sys.stderr.write(
            f"steadyhand {verb}: expected the package {package}, found it not installed; in the clone: "
            f"pip install '{extra}' (`steadyhand doctor` says what else is missing)\n"
        )
        return USER_ERROR
    except Exception as error:
        if os.environ.get("STEADYHAND_DEBUG") == "1" or not _is_for_the_user(error):
            raise
        lines = (line.strip() for line in str(error).splitlines())
        sys.stderr.write(f"steadyhand {verb}: {'; '.join(line for line in lines if line) or type(error).__name__}\n")
        return USER_ERROR


def _run(verb: str, words: Sequence[str], call: Call | None) -> int:
    command = importlib.import_module(f"steadyhand.commands.{verb}")
    if hasattr(command, "STEPS"):
        name, words = _step(verb, command, words)
        verb, command = f"{verb} {name}", importlib.import_module(f"steadyhand.{verb}.{_module_name(name)}")
    parser = verb_parser(verb, command)
    # Options and overrides may come in any order. Words that argparse does not know must be overrides.
    options, overrides = parser.parse_known_args(words)
    unknown = [word for word in overrides if word.startswith("-")]
    if unknown:
        parser.error(f"unknown option {quoted(unknown[0])}; an override is written key=value")
    if options.config_dir is not None:
        from steadyhand.runtime.config import use_config_dir

        use_config_dir(options.config_dir, "--config-dir")
    return int(command.run(options, overrides) if call is None else call(command, options, overrides))


def _step(verb: str, command: Any, words: Sequence[str]) -> tuple[str, Sequence[str]]:
    """Return the step of a verb that has several, and the words after it."""
    steps = "\n".join(f"  {name:<11}{text}" for name, text in command.STEPS.items())
    parser = argparse.ArgumentParser(
        prog=f"steadyhand {verb}",
        usage=f"steadyhand {verb} <step> [options] [group=option key=value ...]",
        description=f"{command.__doc__}\n\nsteps:\n{steps}",
        epilog=command.EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("step", choices=list(command.STEPS), metavar="step", help=argparse.SUPPRESS)
    return str(parser.parse_args(words[:1]).step), words[1:]


def _module_name(step: str) -> str:
    """Return the name of a step's module: a keyword of Python, such as `import`, cannot be one."""
    name = step.replace("-", "_")
    return f"{name}_" if keyword.iskeyword(name) else name


def verb_parser(verb: str, command: Any) -> argparse.ArgumentParser:
    """Return the parser of one verb, whose module is `command`."""
    parser = argparse.ArgumentParser(
        prog=f"steadyhand {verb}",
        usage=f"steadyhand {verb} [options] [group=option key=value ...]",
        description=command.__doc__,
        epilog=command.EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    command.add_options(parser)
    parser.add_argument(
        "--config-dir",
        metavar="DIR",
        help="your own configuration folder, with robot/my_arm.yaml and so on (or set STEADYHAND_CONFIG)",
    )
    return parser


def _is_for_the_user(error: Exception) -> bool:
    """Return whether the error's message tells the user what to do, as those of the product and of the OS do."""
    own = any(base.__module__.partition(".")[0] in PACKAGES for base in type(error).__mro__)
    return own or isinstance(error, OSError)


def _version() -> str:
    try:
        return version("steadyhand")
    except PackageNotFoundError:
        return "(not installed)"
