"""Settings of the reality gap: the differences between a simulated cell and its description. Needs no MuJoCo.

The numbers are in `configs/gap/`; docs/reality-gap.md lists where each one acts.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np

from steadyhand.runtime.ranges import expect, expect_above, expect_at_least, expect_length, expect_within

__all__ = ["CAMERAS", "CameraGap", "CommandGap", "GapConfig", "HiddenGap", "PictureGap", "generator"]

CAMERAS = ("wrist", "side")  # of every simulated cell
LONGEST_S = 10.0  # a longer delay is a mistake, such as one in milliseconds


@dataclass(frozen=True)
class HiddenGap:
    """Ranges of the errors that one seed hides in a cell; they are the same in every episode.

    Attributes:
        camera_m: Position of each camera's mount, within +- this, per axis.
        camera_rad: Orientation of each camera's mount, within +- this, per axis.
        workspace_m: Position of table and workpieces in the base frame, within +- this, per axis.
        workspace_rad: Orientation of table and workpieces about the vertical, within +- this.
        tool_m: Position of the tool in the hand, within +- this, per axis.
        tool_rad: Orientation of the tool in the hand, within +- this, per axis.
        payload_kg: Mass at the hand that the controller does not compensate, within +- this.
        tare_n: Constant error of the measured force, within +- this, per axis of the tool.
        friction_nm: Coulomb friction of each joint, from 0 to this.
        damping_share: Share of each joint's damping, within +- this.
    """

    camera_m: float
    camera_rad: float
    workspace_m: tuple[float, ...]
    workspace_rad: float
    tool_m: float
    tool_rad: float
    payload_kg: float
    tare_n: float
    friction_nm: float
    damping_share: float

    def __post_init__(self) -> None:
        expect_length(self, 3, "workspace_m")
        expect_at_least(self, 0.0, *(field.name for field in fields(self)))
        expect_within(self, 0.0, 0.05, "tool_m", "camera_m", "workspace_m")
        expect_within(self, 0.0, 0.3, "tool_rad", "camera_rad", "workspace_rad", "payload_kg")
        expect_within(self, 0.0, 0.9, "damping_share")


@dataclass(frozen=True)
class CommandGap:
    """Delay of commands on the way to the controller. A later command never overtakes an earlier one.

    Attributes:
        latency_s: Delay of every command, beyond `robot.imperfections.command_latency_s`.
        jitter_s: Additional delay of one command, uniform from 0 to this.
    """

    latency_s: float
    jitter_s: float

    def __post_init__(self) -> None:
        expect_within(self, 0.0, LONGEST_S, "latency_s", "jitter_s")


@dataclass(frozen=True)
class CameraGap:
    """Delay and loss of frames on the way from the sensor. A later frame never overtakes an earlier one.

    Attributes:
        rate_hz: Frames of each camera; null = one for each physics step.
        latency_s: Time from exposure until a frame is received, by view.
        jitter_s: Additional delay of one frame, uniform from 0 to this.
        dropped_share: Share of the frames that never arrive.
        freezes_per_s: Mean number of bursts a second in which every frame repeats one picture.
        freeze_s: Length of such a burst.
    """

    rate_hz: float | None
    latency_s: Mapping[str, float]
    jitter_s: float
    dropped_share: float
    freezes_per_s: float
    freeze_s: float

    def __post_init__(self) -> None:
        expect_above(self, 0.0, "rate_hz")
        expect_within(self, 0.0, LONGEST_S, "jitter_s", "freeze_s")
        expect_at_least(self, 0.0, "freezes_per_s")
        expect_within(self, 0.0, 0.9, "dropped_share")
        for name, value in self.latency_s.items():
            expect(name in CAMERAS, "latency_s", f"names of cameras, {' and '.join(CAMERAS)}", name)
            expect(0.0 <= value <= LONGEST_S, f"latency_s.{name}", f"a time within [0, {LONGEST_S:g}]", value)
        needs_rate = self.dropped_share > 0.0 or self.freezes_per_s > 0.0
        expect(self.rate_hz is not None or not needs_rate, "rate_hz", "a rate, as frames are lost", self.rate_hz)

    @property
    def is_none(self) -> bool:
        """True if every frame is received at once."""
        delays = (*self.latency_s.values(), self.jitter_s, self.dropped_share, self.freezes_per_s * self.freeze_s)
        return self.rate_hz is None and not any(delays)


@dataclass(frozen=True)
class PictureGap:
    """Ranges of what the cameras show. All but the noise are drawn for every episode.

    Attributes:
        brightness_share: Share of the light, within +- this.
        light_m: Position of the lamp, within +- this, per axis.
        colour_share: Share of each surface's colour, within +- this, per channel.
        table_patterns: Number of random patterns, one of which is on the table; 0 = a plain table.
        camera_m: Position of each camera, within +- this, per axis, beyond the hidden mount.
        camera_rad: Orientation of each camera, within +- this, per axis, beyond the hidden mount.
        exposure_share: Share of a camera's gain, within +- this.
        noise_levels: Standard deviation of each channel of each pixel, of 255 levels.
    """

    brightness_share: float
    light_m: float
    colour_share: float
    table_patterns: int
    camera_m: float
    camera_rad: float
    exposure_share: float
    noise_levels: float

    def __post_init__(self) -> None:
        expect_at_least(self, 0.0, *(field.name for field in fields(self)))
        expect_within(self, 0.0, 0.9, "brightness_share", "colour_share", "exposure_share")
        expect_within(self, 0.0, 64, "table_patterns", "noise_levels")

    @property
    def is_none(self) -> bool:
        """True if every episode looks alike, and pictures have no noise."""
        return not any(getattr(self, field.name) for field in fields(self))


@dataclass(frozen=True)
class GapConfig:
    """The reality gap of a simulated cell.

    Attributes:
        seed: Seed of all draws.
        hidden: Errors that are the same in every episode.
        command: Delay of commands.
        camera: Delay and loss of frames.
        picture: Light, colours, camera poses and noise.
    """

    seed: int
    hidden: HiddenGap
    command: CommandGap
    camera: CameraGap
    picture: PictureGap

    def __post_init__(self) -> None:
        expect_at_least(self, 0, "seed")

    @property
    def is_none(self) -> bool:
        """True if the cell is exactly as its description states."""
        hides = any(np.any(getattr(self.hidden, field.name)) for field in fields(self.hidden))
        delays = self.command.latency_s > 0.0 or self.command.jitter_s > 0.0
        return not (hides or delays) and self.camera.is_none and self.picture.is_none


def generator(seed: int, purpose: str, *more: int) -> np.random.Generator:
    """Return the generator of one purpose, so that a further kind of error changes no other draw.

    Args:
        seed: `GapConfig.seed`.
        purpose: Name of the draw, such as `camera wrist`.
        more: Further seeds, such as that of the episode.
    """
    return np.random.default_rng([seed, zlib.crc32(purpose.encode()), *more])
