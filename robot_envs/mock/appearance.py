"""The look of a simulated cell: light, colours and camera poses of an episode, and the noise of each frame."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import mujoco
import numpy as np
from numpy.typing import NDArray

from steadyhand.robot_envs.frames import Array, pose_compose, pose_from_vector
from steadyhand.robot_envs.mock.gap import PictureGap, generator
from steadyhand.robot_envs.mock.optics import mount_of, set_mount
from steadyhand.robot_envs.mock.textures import Texture

__all__ = ["Appearance", "Look", "draw_look", "table_patterns"]

PATTERN_PIXELS = 64
PATTERN_CELLS = (2, 4, 8, 16)  # cells along an edge of the layers that make up a pattern
PATTERN_LOW = 0.6  # darkest channel of a pattern, as a share of the table's colour
NOISE_SHIFTS = 1 << 16  # a frame's noise is a part of one long draw: drawing it anew takes as long as rendering
LEVELS = np.arange(256, dtype=np.float32)


@dataclass(frozen=True)
class Look:
    """Draws of one episode.

    Attributes:
        brightness: Factor of the light.
        light_m: Displacement of the lamp. Shape (3,); [m].
        colours: Factors of the surfaces' colours. Shape (n_geoms, 3).
        pattern: Number of the pattern on the table, from 0.
        cameras: By name: camera in its mean pose, OpenCV axes. Shape (7,); [m], xyzw.
        gains: By name: factor of the picture's brightness.
    """

    brightness: float
    light_m: Array
    colours: Array
    pattern: int
    cameras: Mapping[str, Array]
    gains: Mapping[str, float]


def draw_look(gap: PictureGap, rng: np.random.Generator, cameras: tuple[str, ...], n_geoms: int) -> Look:
    """Draw the look of an episode."""

    def within(size: int) -> Array:
        return rng.uniform(-1.0, 1.0, size)

    return Look(
        brightness=1.0 + float(within(1)[0]) * gap.brightness_share,
        light_m=within(3) * gap.light_m,
        colours=1.0 + within(3 * n_geoms).reshape(n_geoms, 3) * gap.colour_share,
        pattern=int(rng.integers(max(gap.table_patterns, 1))),
        cameras={name: pose_from_vector(within(6) * np.repeat([gap.camera_m, gap.camera_rad], 3)) for name in cameras},
        gains={name: 1.0 + float(within(1)[0]) * gap.exposure_share for name in cameras},
    )


def table_patterns(gap: PictureGap, seed: int) -> list[Texture]:
    """Return the random patterns of the table: sums of coloured squares of several sizes."""
    textures = []
    for index in range(gap.table_patterns):
        rng = generator(seed, "table pattern", index)
        pattern = np.zeros((PATTERN_PIXELS, PATTERN_PIXELS, 3))
        for cells in PATTERN_CELLS:
            layer = rng.uniform(0.0, 1.0, (cells, cells, 3))
            pattern += np.kron(layer, np.ones((PATTERN_PIXELS // cells, PATTERN_PIXELS // cells, 1)))
        share = PATTERN_LOW + (1.0 - PATTERN_LOW) * pattern / len(PATTERN_CELLS)
        textures.append(Texture(f"table_pattern{index}", np.round(255.0 * share).astype(np.uint8)))
    return textures


class Appearance:
    """Look of a world and its pictures.

    Args:
        gap: Ranges of the draws.
        seed: Seed of the gap.
        model: The model, with its hidden errors already applied.
    """

    def __init__(self, gap: PictureGap, seed: int, model: mujoco.MjModel) -> None:
        self._gap, self._seed, self._model = gap, seed, model
        self._cameras = tuple(model.camera(index).name for index in range(model.ncam))
        self._mounts = {name: mount_of(model, name) for name in self._cameras}
        self._table = model.geom("table").id
        self._coloured = model.geom_matid == -1
        self._rgb = model.geom_rgba[:, :3].copy()
        self._light = model.light_pos.copy(), model.light_diffuse.copy()
        self._headlight = model.vis.headlight.ambient.copy(), model.vis.headlight.diffuse.copy()
        self._episode = 0
        self._noise: NDArray[np.int16] = np.zeros(0, np.int16)
        self.look: Look
        self.begin(0)

    def begin(self, episode: int) -> None:
        """Draw the look of an episode from its seed, and set it in the model."""
        model, gap = self._model, self._gap
        rng = generator(self._seed, "look", episode)
        self._episode, self.look = episode, (look := draw_look(gap, rng, self._cameras, model.ngeom))
        position, diffuse = self._light
        model.light_pos[:] = position + look.light_m
        model.light_diffuse[:] = diffuse * look.brightness
        model.vis.headlight.ambient[:] = self._headlight[0] * look.brightness
        model.vis.headlight.diffuse[:] = self._headlight[1] * look.brightness
        coloured = np.clip(self._rgb * look.colours, 0.0, 1.0)
        model.geom_rgba[self._coloured, :3] = coloured[self._coloured]
        if gap.table_patterns:
            model.geom_matid[self._table] = model.material(f"table_pattern{look.pattern}").id
        for name, shake in look.cameras.items():
            set_mount(model, name, pose_compose(self._mounts[name], shake))

    def develop(self, pixels: NDArray[np.uint8], name: str, step: int) -> NDArray[np.uint8]:
        """Return a rendered picture with the gain and noise of a camera.

        The noise belongs to the physics step that the picture shows: the same frame always has the same noise.

        Args:
            pixels: The picture. Shape (height, width, 3).
            name: Name of the camera.
            step: Physics step that it shows.
        """
        gain, noise = self.look.gains[name], self._gap.noise_levels
        if gain == 1.0 and noise == 0.0:
            return pixels
        developed = np.rint(LEVELS * np.float32(gain)).astype(np.int16)[pixels]
        if noise:
            shift = int(generator(self._seed, f"noise {name}", self._episode, step).integers(NOISE_SHIFTS))
            developed += self._long_noise(pixels.size)[shift : shift + pixels.size].reshape(pixels.shape)
        finished: NDArray[np.uint8] = np.clip(developed, 0, 255, out=developed).astype(np.uint8)
        return finished

    def _long_noise(self, size: int) -> NDArray[np.int16]:
        """Return noise [levels] of which a picture of `size` channels takes a part. Shape (size + shifts or more,)."""
        if self._noise.size < size + NOISE_SHIFTS:
            drawn = generator(self._seed, "noise").standard_normal(size + NOISE_SHIFTS, np.float32)
            self._noise = np.rint(drawn * np.float32(self._gap.noise_levels)).astype(np.int16)
        return self._noise
