"""Frames that arrive late: exposures of the simulated world, and their way to the receiver.

An exposure is the state that a frame shows. It is rendered only when it is asked for, so that a camera renders no more
often than without latency. All times are counted in physics steps.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

import mujoco
import numpy as np

from steadyhand.robot_envs.frames import Array
from steadyhand.robot_envs.mock.gap import CameraGap

__all__ = ["Delivery", "Exposure", "Film", "Receipt"]


@dataclass(frozen=True)
class Exposure:
    """State of the world when a frame was exposed.

    Attributes:
        step: Physics step of the exposure.
        qpos: Positions of all joints.
        mocap_pos: Positions of the placed bodies. Shape (n, 3); [m].
        mocap_quat: Orientations of the placed bodies. Shape (n, 4); wxyz.
    """

    step: int
    qpos: Array
    mocap_pos: Array
    mocap_quat: Array

    def show(self, model: mujoco.MjModel, data: mujoco.MjData) -> None:
        """Set `data` to this state, for a renderer."""
        data.qpos[:] = self.qpos
        data.mocap_pos[:] = self.mocap_pos
        data.mocap_quat[:] = self.mocap_quat
        mujoco.mj_kinematics(model, data)
        mujoco.mj_comPos(model, data)
        mujoco.mj_camlight(model, data)


@dataclass(frozen=True)
class Receipt:
    """A frame on its way.

    Attributes:
        step: Physics step at which it is received.
        counter: Physics step of its own exposure.
        shown: What it shows: its own exposure, or an earlier one while the camera is frozen.
    """

    step: int
    counter: int
    shown: Exposure


class Delivery:
    """The way of one camera's frames: latency, jitter, loss and bursts of one picture.

    Args:
        gap: Settings of the way.
        latency_s: Latency of this camera.
        timestep_s: Length of a physics step.
        rng: Generator of this camera's draws.
    """

    def __init__(self, gap: CameraGap, latency_s: float, timestep_s: float, rng: np.random.Generator) -> None:
        self._gap, self._latency_s, self._timestep_s, self._rng = gap, latency_s, timestep_s, rng
        self._freeze_share = gap.freezes_per_s / gap.rate_hz if gap.rate_hz else 0.0
        self._on_way: deque[Receipt] = deque()
        self._frozen: Exposure | None = None
        self._frozen_until = 0

    def expose(self, exposure: Exposure) -> None:
        """Send the frame of an exposure. The first frame is never lost."""
        late, lost, freezes = self._rng.random(3)  # always three, so that no setting shifts the others' draws
        if exposure.step >= self._frozen_until:
            self._frozen = None
            if freezes < self._freeze_share:
                self._frozen = exposure
                self._frozen_until = exposure.step + round(self._gap.freeze_s / self._timestep_s)
        if self._on_way and lost < self._gap.dropped_share:
            return
        delay_s = self._latency_s + late * self._gap.jitter_s
        received = exposure.step + round(delay_s / self._timestep_s)
        if self._on_way:
            received = max(received, self._on_way[-1].step)
        self._on_way.append(Receipt(received, exposure.step, self._frozen or exposure))
        self._forget(exposure.step)

    def newest(self, step: int) -> Receipt:
        """Return the newest frame received by a physics step, or the first frame if none has been received."""
        self._forget(step)
        return self._on_way[0]

    def clear(self) -> None:
        """Forget all frames."""
        self._on_way.clear()
        self._frozen, self._frozen_until = None, 0

    def _forget(self, step: int) -> None:
        while len(self._on_way) > 1 and self._on_way[1].step <= step:
            self._on_way.popleft()


class Film:
    """Exposures of all cameras of a world, at the rate of the cameras.

    Args:
        gap: Settings of the frames' way.
        timestep_s: Length of a physics step.
    """

    def __init__(self, gap: CameraGap, timestep_s: float) -> None:
        self._gap, self._timestep_s = gap, timestep_s
        self._deliveries: dict[str, Delivery] = {}
        self._first = self._frames = 0
        self.next_step = 0

    @property
    def longest_s(self) -> float:
        """Time after which the newest frame has certainly been received, unless frames are lost."""
        period_s = 1.0 / self._gap.rate_hz if self._gap.rate_hz else self._timestep_s
        return max(self._gap.latency_s.values(), default=0.0) + self._gap.jitter_s + 2.0 * period_s

    def begin(self, rngs: Mapping[str, np.random.Generator]) -> None:
        """Begin an episode: new draws for each camera, by name. `restart` has to follow."""
        latency = self._gap.latency_s
        self._deliveries = {
            name: Delivery(self._gap, latency.get(name, 0.0), self._timestep_s, rng) for name, rng in rngs.items()
        }

    def restart(self, step: int, data: mujoco.MjData) -> None:
        """Forget all frames, because the world has jumped to another state, and expose that state."""
        for delivery in self._deliveries.values():
            delivery.clear()
        self._first, self._frames = step, 0
        self.expose(step, data)

    def expose(self, step: int, data: mujoco.MjData) -> None:
        """Expose a frame of every camera, and set the step of the next exposure."""
        exposure = Exposure(step, data.qpos.copy(), data.mocap_pos.copy(), data.mocap_quat.copy())
        for delivery in self._deliveries.values():
            delivery.expose(exposure)
        self._frames += 1
        rate_hz = self._gap.rate_hz
        after = round(self._frames / rate_hz / self._timestep_s) if rate_hz else self._frames
        self.next_step = max(self._first + after, step + 1)

    def newest(self, name: str, step: int) -> Receipt:
        """Return the newest frame of a camera that was received by a physics step."""
        return self._deliveries[name].newest(step)
