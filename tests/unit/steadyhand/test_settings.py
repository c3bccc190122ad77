"""Every number of the composed configuration has a range, whichever options of the groups are chosen."""

import copy
import math
import pathlib
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steadyhand.robot_envs.mock.workpieces import SceneError, workpiece_xml
from steadyhand.runtime.build import ConfigError, build, check_finite
from steadyhand.runtime.component import load_entry_point
from steadyhand.runtime.config import compose
from steadyhand.training_settings import read_training_settings

# Together these have every group's every option whose numbers differ.
CHOICES = {
    "peg_insert": [],
    "reach": ["task=reach", "camera=wrist_side", "policy=pixels", "algo=sac"],
    "pick_place": ["task=pick_place", "camera=wrist_side_close", "policy=pretrained", "device=gamepad"],
    "gym": ["task=gym", "task.entry_point=a.b:make", "task.max_steps=10", "device=keyboard"],
    "classifier": ["task=reach", "reward=classifier", "reward.model=reach.onnx"],
    "spacemouse": ["task=reach", "device=spacemouse", "transport=network", "transport.host=10.0.0.7"],
    "calibration": ["task=calibration_cell", "camera=calibration", "gap=real"],
    "ros": ["robot=crisp_fr3", "device=joy"],
    "mock over ros": ["robot=mock_ros"],
    "fzi": ["robot=fzi_cartesian"],
    "ur": ["robot=ur_fzi"],
    "servo": ["robot=ur_servo"],
}
# Numbers that may have any finite value here, and why; the pattern is that of the whole path.
ANY_VALUE = {
    r"algo\.(value_range|target_clip)\[0\]": "returns may be negative; the pair must rise",
    r"safety\.workspace_low_m\[.\]": "a coordinate in the base frame; the pair must rise",
    r"safety\.joints\.low_rad\[.\]": "an angle; the pair must rise",
    r"safety\.joints\.singularities\[.\]\.at_rad": "an angle",
    r"device\.mapping\.scale\[.\]": "of either sign; the twist that it makes is clipped to [-1, 1]",
    r"device\.mapping\.buttons\..*": "the device decides which buttons there are",
    r"robot\.profile\.gripper\..*": "of either sign: a gripper may be reversed",
    r"(gripper|homing)\..*": "stands in the robot's profile too, where it is checked",
    r"robot\.profile\.(activate|recover|checks)\[.\]\.request\..*": "a number of the driver's own message",
    r"robot\.joint_limits\..*": "stands in safety.joints too, where it is checked",
    r"robot\.mock_node\..*": "the node's own, which checks them when it starts",
    r"device\..*": "of a device over ROS, whose node checks them",
}
Path = tuple[Any, ...]
ROOT = pathlib.Path(__file__).resolve().parents[3]


@cache
def composed(choice: str) -> dict[str, Any]:
    return compose(CHOICES[choice])


def numbers(value: Any, path: Path = ()) -> Iterator[Path]:
    """Yield the path of every number below `value`."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from numbers(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from numbers(item, (*path, index))
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield path


def name(path: Path) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).removeprefix(".")


def changed(choice: str, path: Path, value: float) -> dict[str, Any]:
    config = copy.deepcopy(composed(choice))
    node: Any = config
    for part in path[:-1]:
        node = node[part]
    node[path[-1]] = type(node[path[-1]])(value) if math.isfinite(value) else value
    return config


def check_everything(config: dict[str, Any]) -> None:
    """What a verb that makes the mock's environment checks."""
    read_training_settings(config)
    task = config["task"]
    if task["kind"] == "robot":
        build(load_entry_point(task["entry_point"], "task").settings_type, task["settings"], "task.settings")
        scene = task["scene"]
        for workpiece in [scene["tool"], *scene["fixtures"].values(), *scene["objects"].values()]:
            if workpiece:
                workpiece_xml(workpiece, **({"tcp_m": 0.1} if workpiece is scene["tool"] else {}))


def leaves(choice: str) -> list[Path]:
    return list(numbers(composed(choice)))


@pytest.mark.parametrize("choice", CHOICES)
def test_the_shipped_numbers_are_taken(choice):
    check_everything(composed(choice))


@pytest.mark.slow
@pytest.mark.parametrize("robot", sorted(path.stem for path in (ROOT / "configs" / "robot").glob("*.yaml")))
def test_every_robot_is_taken(robot):
    settings = read_training_settings(
        compose([f"robot={robot}", *(["task=handover"] if robot.endswith("_pair") else [])])
    )
    assert (settings.robot.profile is None) == (settings.composed["robot"].get("kind") != "ros")


@pytest.mark.slow
@pytest.mark.parametrize("choice", CHOICES)
def test_no_number_may_be_far_below_what_makes_sense(choice):
    taken = []
    for path in leaves(choice):
        try:
            check_everything(changed(choice, path, -(10**9)))
            taken.append(name(path))
        except (ConfigError, SceneError):
            continue
    assert [path for path in taken if not any(re.fullmatch(pattern, path) for pattern in ANY_VALUE)] == []


@pytest.mark.slow
@pytest.mark.parametrize("choice", CHOICES)
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_no_number_may_be_nan_or_infinite(choice, value):
    for path in leaves(choice):
        with pytest.raises(ConfigError, match=re.escape(f"{name(path)}: expected a finite number, found {value}")):
            check_finite(changed(choice, path, value))


@pytest.mark.slow
@settings(max_examples=12, deadline=None)
@given(st.data(), st.sampled_from(["nan", "inf", "-inf"]))
def test_the_command_line_refuses_it_too(data, value):
    choice = data.draw(st.sampled_from(["peg_insert", "reach", "pick_place", "gym"]))
    # An entry of a list has no override of its own, nor what safety and robot take from other groups.
    taken_over = (("safety", "joints"), ("safety", "extent"), ("robot", "gap"), ("robot", "joint_limits"))
    own = [
        path for path in leaves(choice) if all(isinstance(part, str) for part in path) and path[:2] not in taken_over
    ]
    path = data.draw(st.sampled_from(own))
    with pytest.raises(ConfigError, match=re.escape(f"{name(path)}: expected a finite number")):
        compose([*CHOICES[choice], f"{name(path)}={value}"])
