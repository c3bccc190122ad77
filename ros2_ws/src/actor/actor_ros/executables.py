"""The single table of the programs and their parameters, for the launch file and the demo.

`ros2 launch` imports this module under the system's Python, which has PyYAML and this package, but not the rest of
the product: import nothing else here. It needs no ROS.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import yaml

__all__ = [
    "ARGUMENTS",
    "AUTO",
    "CALIBRATE",
    "LOCAL",
    "REPLAY",
    "RUN",
    "SIGKILL_AFTER_S",
    "SIGTERM_AFTER_S",
    "WORKS",
    "Argument",
    "ArgumentError",
    "Program",
    "learner_words",
    "link_words",
    "programs",
]

MOCK_PROFILE = "mock_ros"
ON, OFF, AUTO = "true", "false", "auto"
TEACH, PRACTISE, RUN, REPLAY = "teach", "practise", "run", "replay"
CALIBRATE = "calibrate"  # of the launch file alone: everything but the actor, for `calibrate_node`
WORKS = (TEACH, "demonstrate", PRACTISE, "evaluate", RUN, REPLAY)
# Seconds, as text: from Ctrl-C to SIGTERM, and from SIGTERM to SIGKILL. Launch's defaults of 5 and 5 would leave an
# arm's programs running for too long.
SIGTERM_AFTER_S, SIGKILL_AFTER_S = "2", "1"
_ADDRESS = re.compile(r"tcp://(.+):(\d+)")
_LAST_PORT = 65534  # the next port is for the weights
LOCAL = ("tcp://127.", "tcp://localhost", "tcp://[::1]")  # same as in steadyhand.storage.is_local


class ArgumentError(ValueError):
    """An argument that cannot be used. The message is one line."""


@dataclass(frozen=True)
class Argument:
    """One argument of the launch file.

    Attributes:
        default: The default value, as text.
        description: The text of `ros2 launch actor robot.launch.py --show-args`.
        choices: The allowed values; empty = any.
    """

    default: str
    description: str
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Program:
    """One node in its own process.

    Attributes:
        executable: The name in `setup.py`.
        module: The module that Python runs.
        node: The node's name in the graph.
        parameters: The node's parameters.
    """

    executable: str
    module: str
    node: str
    parameters: dict[str, object] = field(default_factory=dict)


ARGUMENTS: dict[str, Argument] = {
    "robot": Argument("mock", "The controller's profile: mock, or a file of configs/robot/ such as crisp_fr3."),
    "task": Argument("reach", "What is learnt: a file of configs/task/."),
    "namespace": Argument("", "Namespace of every node and topic, one for each robot, such as arm0."),
    "learner_address": Argument(
        "tcp://127.0.0.1:5555",
        "Where the learner takes records; weights come from the next port. Another machine needs keys.",
    ),
    "learner": Argument("auto", "Whether to start a learner here; auto = with the mock.", (AUTO, ON, OFF)),
    "device": Argument(
        "auto", "What the person has in hand: a file of configs/device/; auto = a stand-in on the mock, else none."
    ),
    "config_dir": Argument(
        "",
        "Your own configuration folder, with robot/my_arm.yaml, safety/my_cell.yaml and so on; "
        "empty = $STEADYHAND_CONFIG, if set.",
    ),
    "params_file": Argument("", "YAML file with more parameters of the nodes; it wins over these arguments."),
    "use_sim_time": Argument(OFF, "Whether a simulator's /clock drives the control loop.", (ON, OFF)),
    "record": Argument("", "Folder for a bag of the actor's topics in MCAP; empty = no bag."),
    "work": Argument(
        AUTO,
        "What the actor does once motion is enabled. teach = demonstrate what is missing, then practise; "
        "run = deploy `policy`; replay = an episode of `recording` again; calibrate = no actor, so that calibrate_node "
        "may drive the arm; auto = teach on the mock, practise on a robot.",
        (AUTO, *WORKS, CALIBRATE),
    ),
    "policy": Argument("", "The file that `steadyhand export` has written, for work:=run."),
    "recording": Argument("", "Folder of a demo set or log, for work:=replay."),
    "episode": Argument("", "Number of the episode of the recording, for work:=replay; empty = its first."),
    "run_name": Argument("", "The run in runs/, which an existing one continues; empty = ros_<task>."),
    "python": Argument(
        AUTO,
        "Python interpreter of the nodes and the learner, which must have steadyhand; auto = that of the activated "
        "virtual environment, else of the one that built this package, else python3.",
    ),
}


def programs(given: Mapping[str, str], overrides: tuple[str, ...] = (), run_root: str = "runs") -> list[Program]:
    """Return the programs to start for these arguments, the robot first.

    Args:
        given: Values of `ARGUMENTS`, by name; a missing value means the default.
        overrides: More overrides of the configuration, for every node.
        run_root: Folder that holds the run folders.

    Raises:
        ArgumentError: The parameter file cannot be read, or the episode is no number.
    """
    values = _values(given)
    _overrides_in(values["params_file"])
    profile = _profile(values)
    is_mock = profile == MOCK_PROFILE
    common: dict[str, object] = {
        "robot": profile,
        "task": values["task"],
        "overrides": list(overrides) or [""],
        "config_dir": values["config_dir"],
        "use_sim_time": values["use_sim_time"] == ON,
    }
    actor = common | {
        "device": ("scripted" if is_mock else "none") if values["device"] == AUTO else values["device"],
        "learner_address": values["learner_address"],
        "work": _work(values),
        "policy": values["policy"],
        "recording": values["recording"],
        "episode": _episode(values["episode"]),
        "run_root": run_root,
        "run_name": _run_name(values),
        # On a real robot the operator configures and activates. Motion needs actor/enable in either case.
        "autostart": is_mock,
    }
    found = [Program("mock_robot_node", "actor_ros.mock_robot_node", "mock_robot", common)] if is_mock else []
    found.append(Program("watchdog_node", "actor_ros.watchdog_node", "watchdog", common))
    if actor["work"] != CALIBRATE:
        found.append(Program("actor_node", "actor_ros.actor_node", "actor", actor))
    if values["record"]:
        recorder = common | {"folder": values["record"]}
        found.append(Program("recorder_node", "actor_ros.recorder_node", "recorder", recorder))
    return found


def learner_words(given: Mapping[str, str], overrides: tuple[str, ...] = ()) -> list[str] | None:
    """Return the words after `steadyhand` that start the learner; None if no learner is to run here."""
    values = _values(given)
    is_wanted = _profile(values) == MOCK_PROFILE if values["learner"] == AUTO else values["learner"] == ON
    work = _work(values)
    if not is_wanted or work not in (TEACH, PRACTISE):
        return None
    return [
        "learn",
        *(["--await-demos"] if work == TEACH else []),
        *(["--config-dir", values["config_dir"]] if values["config_dir"] else []),
        f"task={values['task']}",
        f"run_name={_run_name(values)}",
        *link_words(values["learner_address"]),
        *overrides,
        *_overrides_in(values["params_file"]),
    ]


def link_words(address: str) -> list[str]:
    """Return the overrides with which both sides use this learner address.

    Raises:
        ArgumentError: The text is no address.
    """
    found = _ADDRESS.fullmatch(address)
    if found is None or not 0 < int(found[2]) <= _LAST_PORT:
        raise ArgumentError(f"learner_address: expected tcp://host:port, found {address!r}")
    host, port = found[1], int(found[2])
    return [
        *([] if address.startswith(LOCAL) else ["transport=network", f"transport.host={host}"]),
        f"transport.address={address}",
        f"transport.weights_address=tcp://{host}:{port + 1}",
    ]


def _overrides_in(params_file: str) -> list[str]:
    """Return the overrides that a parameter file gives the actor, which the learner needs as well.

    Raises:
        ArgumentError: The file cannot be read.
    """
    if not params_file:
        return []
    try:
        nodes = yaml.safe_load(Path(params_file).read_text(encoding="utf-8"))
        given = [
            part["ros__parameters"].get("overrides", [])
            for node, part in nodes.items()
            if node == "/**" or node.rpartition("/")[2] == "actor"
        ]
    except (OSError, yaml.YAMLError, AttributeError, KeyError, TypeError) as error:
        raise ArgumentError(
            f"params_file: expected a file of ROS parameters, found {params_file!r} ({type(error).__name__}); "
            "see docs/ros.md"
        ) from error
    return [str(override) for override in (given[-1] if given else []) if override]


def _values(given: Mapping[str, str]) -> dict[str, str]:
    return {name: given.get(name, argument.default) for name, argument in ARGUMENTS.items()}


def _work(values: Mapping[str, str]) -> str:
    if values["work"] != AUTO:
        return values["work"]
    return TEACH if _profile(values) == MOCK_PROFILE else PRACTISE


def _episode(text: str) -> int:
    if text and not text.isdecimal():
        raise ArgumentError(f"episode: expected the number of an episode, such as 3, found {text!r}")
    return int(text) if text else -1


def _profile(values: Mapping[str, str]) -> str:
    return MOCK_PROFILE if values["robot"] == "mock" else values["robot"]


def _run_name(values: Mapping[str, str]) -> str:
    return values["run_name"] or f"ros_{values['task']}"
