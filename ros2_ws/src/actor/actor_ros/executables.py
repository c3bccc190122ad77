"""The one table of what is started, with which parameters: by the launch file, and by the demo. Needs no ROS."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["ARGUMENTS", "Argument", "Program", "learner_words", "programs"]

MOCK_PROFILE = "mock_ros"
ON, OFF = "true", "false"


@dataclass(frozen=True)
class Argument:
    """One argument of the launch file.

    Attributes:
        default: As text.
        description: For `ros2 launch actor robot.launch.py --show-args`.
        choices: The values that it may have; empty = any.
    """

    default: str
    description: str
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Program:
    """One node as a process of its own.

    Attributes:
        executable: As `setup.py` names it.
        module: What Python runs.
        node: Its name in the graph.
        parameters: Of the node.
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
        "tcp://127.0.0.1:5555", "Where the learner takes records; it sends weights from the next port."
    ),
    "learner": Argument("auto", "Whether to start a learner here; auto = with the mock.", ("auto", ON, OFF)),
    "device": Argument(
        "auto", "What the person has in hand: a file of configs/device/; auto = a stand-in on the mock, else none."
    ),
    "params_file": Argument("", "YAML file with more parameters of the nodes; it wins over these arguments."),
    "use_sim_time": Argument(OFF, "Whether a simulator's /clock drives the control loop.", (ON, OFF)),
    "record": Argument("", "Folder for a bag of the actor's topics in MCAP; empty = no bag."),
    "work": Argument(
        "practise", "What the actor does once motion is enabled.", ("practise", "demonstrate", "evaluate")
    ),
    "run_name": Argument("", "The run in runs/, which an existing one continues; empty = ros_<task>."),
}


def programs(given: Mapping[str, str], overrides: tuple[str, ...] = (), run_root: str = "runs") -> list[Program]:
    """What is started for these arguments, the robot first.

    Args:
        given: Values of `ARGUMENTS`, by name; a missing one has its default.
        overrides: More choices of the configuration, for every node.
        run_root: Folder of the run folders.
    """
    values = _values(given)
    profile = _profile(values)
    is_mock = profile == MOCK_PROFILE
    common: dict[str, object] = {
        "robot": profile,
        "task": values["task"],
        "overrides": list(overrides) or [""],
        "use_sim_time": values["use_sim_time"] == ON,
    }
    actor = common | {
        "device": ("scripted" if is_mock else "none") if values["device"] == "auto" else values["device"],
        "learner_address": values["learner_address"],
        "work": values["work"],
        "run_root": run_root,
        "run_name": _run_name(values),
        # On a real robot a person configures and activates; motion needs actor/enable either way.
        "autostart": is_mock,
    }
    found = [Program("mock_robot_node", "actor_ros.mock_robot_node", "mock_robot", common)] if is_mock else []
    found += [
        Program("watchdog_node", "actor_ros.watchdog_node", "watchdog", common),
        Program("actor_node", "actor_ros.actor_node", "actor", actor),
    ]
    if values["record"]:
        recorder = common | {"folder": values["record"]}
        found.append(Program("recorder_node", "actor_ros.recorder_node", "recorder", recorder))
    return found


def learner_words(given: Mapping[str, str], overrides: tuple[str, ...] = ()) -> list[str] | None:
    """The words after `steadyhand` that start the learner; None where none is to run here."""
    values = _values(given)
    is_wanted = _profile(values) == MOCK_PROFILE if values["learner"] == "auto" else values["learner"] == ON
    if not is_wanted or values["work"] != "practise":
        return None
    address, _, port = values["learner_address"].rpartition(":")
    return [
        "learn",
        f"task={values['task']}",
        f"run_name={_run_name(values)}",
        f"transport.address={address}:{port}",
        f"transport.weights_address={address}:{int(port) + 1}",
        *overrides,
    ]


def _values(given: Mapping[str, str]) -> dict[str, str]:
    return {name: given.get(name, argument.default) for name, argument in ARGUMENTS.items()}


def _profile(values: Mapping[str, str]) -> str:
    return MOCK_PROFILE if values["robot"] == "mock" else values["robot"]


def _run_name(values: Mapping[str, str]) -> str:
    return values["run_name"] or f"ros_{values['task']}"
