"""The skill of a person's hand at the insertion: from what is seen to a push of the cap."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from steadyhand.robot_envs.experts.expert import ActionScale

__all__ = ["InsertionSkill", "SkillConfig"]

Vector = NDArray[np.float64]
CLOSE_M = 0.004  # height at which the peg stands on the block, or nearly
FELT_S = 0.2  # time there after which the person has noticed the contact
HOVER_M = 0.005
ALIGNED_M, ALIGNED_RAD = 0.003, 0.04  # from which on the person goes down
OVER_M = 0.0008  # distance at which the peg is over the hole
GAIN = 3.0  # 1/s: a person with a delay of 0.2 s who pushed harder would overshoot
GLIDE = 0.45  # push across the rim: less does not overcome the friction
PRESS, LOWER, TOUCH = 0.6, 0.45, 0.6  # the lighter the press, the slower the peg glides past the hole


@dataclass(frozen=True)
class SkillConfig:
    """Errors of the person.

    Attributes:
        misjudged_m: The hole is seen wrong by up to this, per axis, until the peg has touched.
        tremor: Standard deviation of the error of a deflection.
        faint: Deflections below this are not made.
    """

    misjudged_m: float = 0.002
    tremor: float = 0.08
    faint: float = 0.08


class InsertionSkill:
    """One attempt: align above the hole, as it is seen, go down, feel the rim, glide to the hole, press.

    Args:
        config: Errors of the person.
        scale: Size of an action of 1.
        period_s: Period of an action.
        rng: The person's own chance.
    """

    def __init__(self, config: SkillConfig, scale: ActionScale, period_s: float, rng: np.random.Generator) -> None:
        self._config, self._rng = config, rng
        self._m_s, self._rad_s = scale.metres / period_s, scale.radians / period_s
        self.begin()

    def begin(self) -> None:
        """Look at a new attempt."""
        self._misjudged = self._rng.uniform(-1.0, 1.0, 2) * self._config.misjudged_m
        self._close_s, self._touched = 0.0, False

    def push(self, hole: Vector, since_s: float) -> Vector:
        """Return the deflection of the cap as a twist in [-1, 1]. Shape (6,).

        Args:
            hole: The hole relative to the peg's tip, as seen [m, rad]. Shape (6,).
            since_s: Time since the last call.
        """
        self._close_s += since_s if abs(hole[2]) < CLOSE_M else 0.0
        self._touched = self._touched or self._close_s >= FELT_S
        wanted = np.zeros(6)
        wanted[3:] = GAIN * hole[3:] / self._rad_s
        wanted[:3] = self._on_the_rim(hole) if self._touched else self._above(hole)
        shaken = wanted + self._rng.normal(0.0, self._config.tremor, 6) * (np.abs(wanted) > 0.02)
        shaken[np.abs(shaken) < self._config.faint] = 0.0
        return np.clip(shaken, -1.0, 1.0)

    def _above(self, hole: Vector) -> Vector:
        aside = hole[:2] + (self._misjudged if hole[2] > -CLOSE_M else 0.0)
        if float(np.abs(aside).max()) > ALIGNED_M or float(np.abs(hole[3:]).max()) > ALIGNED_RAD:
            down = GAIN * (hole[2] - HOVER_M) / self._m_s
        else:
            down = LOWER if hole[2] > HOVER_M + 0.001 else TOUCH
        return np.array([*(GAIN * aside / self._m_s), down])

    def _on_the_rim(self, hole: Vector) -> Vector:
        aside, distance = hole[:2], float(np.linalg.norm(hole[:2]))
        if float(np.abs(aside).max()) < OVER_M or hole[2] < -0.002:
            return np.array([*(GAIN * aside / self._m_s), 1.0])
        return np.array([*(aside / distance * max(GLIDE, GAIN * distance / self._m_s)), PRESS])
