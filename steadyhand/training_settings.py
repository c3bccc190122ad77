"""The settings of a run with a learner: those of the machine beside the robot, plus the groups that need torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from steadyhand.config import DemoConfig
from steadyhand.earlier.settings import EarlierConfig
from steadyhand.evaluation_settings import EvaluationConfig
from steadyhand.learner.algos.algorithm import Algorithm, find_algorithm
from steadyhand.learner.algos.bc import Bc
from steadyhand.learner.config import ClassifierConfig, LearnerConfig
from steadyhand.policies.config import PolicyConfig
from steadyhand.robot_envs.make import RobotTaskConfig
from steadyhand.runtime.build import ConfigError, build
from steadyhand.runtime.component import Component, find_component
from steadyhand.runtime.config import compose
from steadyhand.settings import Settings, base_values

__all__ = ["TrainingSettings", "compose_training_settings", "read_training_settings"]

CLONING = "bc"  # the key in the group `demo` that holds a group `algo`


@dataclass(frozen=True)
class TrainingSettings(Settings):
    """The settings of every program that trains or evaluates a policy.

    Attributes:
        policy: The network.
        algo: The algorithm that trains it online, with its settings.
        learner: The learner process.
        demo: Settings from the demonstrations to the evaluation.
        cloning: Behaviour cloning of the baseline, with its settings: the key `bc` of the group `demo`.
        classifier: Settings of the fit of a success classifier.
        evaluation: Protocol of an evaluation.
        earlier: The start from an earlier run.
    """

    policy: PolicyConfig
    algo: Component[Algorithm[Any]]
    learner: LearnerConfig
    demo: DemoConfig
    cloning: Component[Bc]
    classifier: ClassifierConfig
    evaluation: EvaluationConfig
    earlier: EarlierConfig


def compose_training_settings(overrides: Sequence[str]) -> TrainingSettings:
    """Compose the configuration and build the whole settings tree.

    Args:
        overrides: The overrides of the command line.

    Raises:
        ConfigError: A setting is wrong; the line names it.
    """
    return read_training_settings(compose(overrides))


def read_training_settings(config: Mapping[str, Any]) -> TrainingSettings:
    """Build the whole tree of a composed configuration.

    Args:
        config: The configuration that `compose` returned.

    Raises:
        ConfigError: A group is missing, a key is unknown, or a number is out of its range.
    """
    base = base_values(config)
    learner = build(LearnerConfig, config["learner"], "learner")
    if not isinstance(config["demo"], Mapping) or not isinstance(config["demo"].get(CLONING), Mapping):
        raise ConfigError(f"demo.{CLONING}: expected a mapping of keys, found none")
    demo = {key: value for key, value in config["demo"].items() if key != CLONING}
    algo = find_algorithm(config["algo"])
    if algo.settings.needs_gripper and not _learns_gripper(base["task"]):
        raise ConfigError(
            "algo: expected a task whose actions have a gripper entry, found one without; choose another task, name "
            "the entries in algo.gripper_entries, or choose algo=residual"
        )
    return TrainingSettings(
        **base,
        learner=learner,
        demo=build(DemoConfig, demo, "demo"),
        policy=build(PolicyConfig, config["policy"], "policy"),
        algo=algo,
        cloning=find_component(config["demo"][CLONING], Bc, f"demo.{CLONING}"),
        classifier=build(ClassifierConfig, config["classifier"], "classifier"),
        evaluation=build(EvaluationConfig, config["evaluation"], "evaluation"),
        earlier=build(EarlierConfig, config["earlier"], "earlier"),
    )


def _learns_gripper(task: object) -> bool:
    return isinstance(task, RobotTaskConfig) and task.drive.learns_gripper
