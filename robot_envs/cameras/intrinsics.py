"""Intrinsics of a camera: the pinhole model of its pictures, and of a cropped and resized view of them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from steadyhand.robot_envs.camera import Crop

__all__ = ["Intrinsics"]


@dataclass(frozen=True)
class Intrinsics:
    """Pinhole model with distortion. The centre of the upper left pixel is at (0, 0); z points into the scene.

    Attributes:
        height: Height of a picture [pixels].
        width: Width of a picture [pixels].
        fx: Focal length along the width [pixels].
        fy: Focal length along the height [pixels].
        cx: Principal point from the left [pixels].
        cy: Principal point from the top [pixels].
        distortion: Name of the distortion model, as the camera's library has it.
        coefficients: Coefficients of the distortion model.
    """

    height: int
    width: int
    fx: float
    fy: float
    cx: float
    cy: float
    distortion: str
    coefficients: tuple[float, ...]

    def of_view(self, crop: Crop, height: int, width: int) -> Intrinsics:
        """Return the intrinsics of a view that shows `crop` in `height` x `width` pixels."""
        rows, columns = crop.spans(self.height, self.width)
        left, top = columns.start, rows.start
        across, down = width / (columns.stop - left), height / (rows.stop - top)
        return replace(
            self,
            height=height,
            width=width,
            fx=self.fx * across,
            fy=self.fy * down,
            cx=(self.cx + 0.5 - left) * across - 0.5,
            cy=(self.cy + 0.5 - top) * down - 0.5,
        )
