"""Scripted operators: a scripted expert's actions with human noise, reaction time and early release.

A `device` group names `ScriptedPerson` or `NoPerson` by its `entry_point`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from steadyhand.robot_envs.devices.device import InputSettings, InputSource
from steadyhand.robot_envs.devices.gripper_button import GripperButton
from steadyhand.robot_envs.devices.operator import NoOperator, Operator
from steadyhand.robot_envs.experts.expert import Expert
from steadyhand.robot_envs.teachable import Teachable
from steadyhand.runtime.ranges import expect, expect_above, expect_at_least

__all__ = [
    "CorrectorConfig",
    "HandConfig",
    "NoPerson",
    "ScriptedConfig",
    "ScriptedCorrector",
    "ScriptedDemonstrator",
    "ScriptedPerson",
]

Action = NDArray[np.float32]


@dataclass(frozen=True)
class HandConfig:
    """The scripted operator's hand.

    Attributes:
        noise: Standard deviation of the error in each entry of a normalised action.
        noise_memory: Correlation of the error from one step to the next, in [0, 1).
        press_steps: Steps for which a gripper button is pressed; the hand is at rest where the expert stands still.
            null = the button is held while the expert wants that state.
    """

    noise: float
    noise_memory: float
    press_steps: int | None

    def __post_init__(self) -> None:
        expect_at_least(self, 0.0, "noise")
        if self.press_steps is not None:
            expect_at_least(self, 1, "press_steps")
        memory = self.noise_memory
        expect(0.0 <= memory < 1.0, "noise_memory", "within [0, 1)", memory)


@dataclass(frozen=True)
class CorrectorConfig:
    """Conditions under which the scripted operator takes over, and releases control.

    Attributes:
        hand: Noise of its hand.
        stall_steps: Steps without progress after which it decides to intervene.
        stall_progress: Progress over those steps that counts as none, in the unit of ``info["progress"]``.
        disagreement: For tasks without ``progress``: mean absolute difference from the expert's actions over
            ``stall_steps`` that triggers an intervention.
        patience: For tasks without ``progress``: an episode that lasts longer than this times the demonstrations' mean
            length takes too long, and the operator intervenes until its end.
        delay_steps: Shortest and longest reaction time, in steps.
        act_steps: Shortest and longest intervention, in steps.
        release_progress: It releases control as soon as progress is below this, so that the policy finishes the task.
        wrong_share: Share of its interventions that are wrong, 0..1. Such a one pushes, at even odds, the opposite way
            or one random way from its first step to its last.
    """

    hand: HandConfig
    stall_steps: int
    stall_progress: float
    disagreement: float
    patience: float
    delay_steps: tuple[int, ...]
    act_steps: tuple[int, ...]
    release_progress: float
    wrong_share: float

    def __post_init__(self) -> None:
        expect_at_least(self, 1, "stall_steps")
        expect_at_least(self, 0.0, "stall_progress", "disagreement", "release_progress", "wrong_share")
        expect_above(self, 0.0, "patience")
        expect(self.wrong_share <= 1.0, "wrong_share", "at most 1", self.wrong_share)
        for name in ("delay_steps", "act_steps"):
            value = getattr(self, name)
            whole = len(value) == 2 and 0 <= value[0] <= value[1]
            expect(whole, name, "[shortest, longest], 0 <= shortest <= longest", value)


@dataclass(frozen=True)
class ScriptedConfig(InputSettings):
    """Settings of the scripted person.

    Attributes:
        demonstrator: Noise of its hand during demonstrations.
        corrector: Its behaviour while the policy is trained.
    """

    demonstrator: HandConfig
    corrector: CorrectorConfig


class ScriptedPerson(InputSource):
    """Scripted person: it demonstrates the task, and corrects the policy when there is no progress."""

    settings_type = ScriptedConfig
    name = "scripted"
    held_by_person = False

    def __init__(self, config: ScriptedConfig) -> None:
        self._config = config

    def demonstrator(self, expert: Expert, robot: Teachable, seed: int) -> Operator:
        """Return the operator that demonstrates the task with `robot`."""
        return ScriptedDemonstrator(expert, robot, self._config.demonstrator, seed)

    def corrector(self, expert: Expert, robot: Teachable, seed: int, usual_steps: float | None = None) -> Operator:
        """Return the operator that corrects the policy on `robot`; `usual_steps` is as in `make_corrector`."""
        return ScriptedCorrector(expert, robot, self._config.corrector, seed, usual_steps)


class NoPerson(ScriptedPerson):
    """Scripted person that demonstrates, but never corrects."""

    name = "none"

    def corrector(self, expert: Expert, robot: Teachable, seed: int, usual_steps: float | None = None) -> Operator:
        """Return an operator that is never engaged."""
        return NoOperator()


class _Hand:
    """An expert's action with first-order correlated noise, and its gripper buttons."""

    def __init__(self, expert: Expert, robot: Teachable, config: HandConfig, seed: int) -> None:
        self.expert = expert
        self._config = config
        self._button: GripperButton | None = None
        self._motions = robot.motion_entries
        entries = robot.gripper_entries
        if config.press_steps is not None and entries:
            self._button = GripperButton(entries, lambda: robot.commanded_grippers, config.press_steps)
        self._rng = np.random.default_rng(seed)
        self._error: NDArray[np.float64] | None = None

    def reset(self, info: dict[str, Any]) -> None:
        self._error = None
        self.release()
        self.expert.reset(info)

    def release(self) -> None:
        """Let go of the gripper buttons."""
        if self._button is not None:
            self._button.reset()

    def shake(self, action: Action) -> Action | None:
        """Return the hand's action for the expert's; None while a hand that presses its buttons is at rest."""
        memory = self._config.noise_memory
        fresh = self._rng.normal(0.0, self._config.noise, action.shape)
        last = self._error
        self._error = fresh if last is None else memory * last + np.sqrt(1.0 - memory**2) * fresh
        shaken = np.clip(action + self._error, -1.0, 1.0).astype(np.float32)
        if self._button is None:
            return shaken
        at_rest = not action[self._motions].any()
        if at_rest:
            shaken[self._motions] = 0.0
        pressed = self._button.press(action, shaken)
        return None if at_rest and not self._button.is_down else pressed

    def integer(self, bounds: tuple[int, ...]) -> int:
        return int(self._rng.integers(bounds[0], bounds[1] + 1))


class ScriptedDemonstrator:
    """Operator that demonstrates the whole task."""

    def __init__(self, expert: Expert, robot: Teachable, hand: HandConfig, seed: int) -> None:
        self._hand = _Hand(expert, robot, hand, seed)

    def reset(self, info: dict[str, Any]) -> None:
        """Start a new demonstration."""
        self._hand.reset(info)

    def act(
        self, observation: dict[str, NDArray[Any]], info: dict[str, Any], policy_action: Action | None
    ) -> Action | None:
        """Return the expert's action: always engaged."""
        return self._hand.shake(self._hand.expert.act(observation, info))

    def may_resume(self, stop_reason: str) -> bool:
        """Return True: in simulation, resuming is always safe."""
        return True

    def wants_park(self) -> bool:
        """Return False: a scripted operator needs no break."""
        return False

    def close(self) -> None:
        """Do nothing: there is no device."""


class ScriptedCorrector:
    """Operator that intervenes when the policy makes no progress, and releases control early.

    Args:
        expert: Its knowledge of the task.
        robot: The robot that it corrects.
        config: When it takes over and lets go.
        seed: Fixes its noise.
        usual_steps: Mean length of the demonstrations [steps]; None = it has endless patience.
    """

    def __init__(
        self, expert: Expert, robot: Teachable, config: CorrectorConfig, seed: int, usual_steps: float | None = None
    ) -> None:
        self._hand = _Hand(expert, robot, config.hand, seed)
        self._config = config
        self._watched: deque[float] = deque(maxlen=config.stall_steps + 1)
        self._mistakes = np.random.default_rng([seed, 1])  # of its own: the hand shakes as it does without mistakes
        self._mistake: Callable[[Action], Action] = _as_wanted
        self._latest = np.inf if usual_steps is None else config.patience * usual_steps
        self._steps = 0  # of this episode
        self._wait = 0
        self._left = 0

    def reset(self, info: dict[str, Any]) -> None:
        """Start a new episode and forget the observed steps."""
        self._hand.reset(info)
        self._watched.clear()
        self._steps = self._wait = self._left = 0

    def act(
        self, observation: dict[str, NDArray[Any]], info: dict[str, Any], policy_action: Action | None
    ) -> Action | None:
        """Return the expert's action during an intervention, else None."""
        # The expert sees every step, so that it knows about past contacts when it takes over.
        wanted = self._hand.expert.act(observation, info)
        self._steps += 1
        if self._left == 0:
            self._hand.release()
            self._watch(wanted, info, policy_action)
            return None
        if self._wait > 0:
            self._wait -= 1
            return None
        self._left -= 1
        if info.get("progress", np.inf) < self._config.release_progress:
            self._left = 0
            return None
        return self._hand.shake(self._mistake(wanted))

    def may_resume(self, stop_reason: str) -> bool:
        """Return True: in simulation, resuming is always safe."""
        return True

    def wants_park(self) -> bool:
        """Return False: a scripted operator needs no break."""
        return False

    def close(self) -> None:
        """Do nothing: there is no device."""

    def _watch(self, wanted: Action, info: dict[str, Any], policy_action: Action | None) -> None:
        c = self._config
        if "progress" in info:
            self._watched.append(float(info["progress"]))
            stalled = len(self._watched) > c.stall_steps and self._watched[0] - min(self._watched) < c.stall_progress
        elif policy_action is not None:
            self._watched.append(float(np.abs(wanted - policy_action).mean()))
            stalled = len(self._watched) > c.stall_steps and float(np.mean(self._watched)) > c.disagreement
            stalled = stalled or self._steps > self._latest
        else:
            stalled = False
        if stalled:
            self._wait = self._hand.integer(c.delay_steps)
            self._left = self._hand.integer(c.act_steps)
            self._mistake = self._next_mistake(wanted)
            self._watched.clear()

    def _next_mistake(self, wanted: Action) -> Callable[[Action], Action]:
        """Return what the next intervention makes of the expert's actions."""
        if self._mistakes.random() >= self._config.wrong_share:
            return _as_wanted
        if self._mistakes.random() < 0.5:
            return np.negative
        pushed = self._mistakes.uniform(-1.0, 1.0, wanted.shape).astype(np.float32)
        return lambda _: pushed


def _as_wanted(wanted: Action) -> Action:
    return wanted
