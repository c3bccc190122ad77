"""Detection of a camera that was moved since its reference picture.

Points on edges of the reference are searched in the present picture along the edge's normal, as the moving edges of
Bouthemy (1989) and of Harris's tracker (1992) are. Normalised correlation makes the search independent of brightness
and contrast. A motion of the whole picture is then fitted to the displacements with random sample consensus. The arm
and workpieces move too; their points agree with no motion of the whole picture.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from steadyhand.calibration.board import grey
from steadyhand.calibration.sharpness import sampled
from steadyhand.robot_envs.frames import Array
from steadyhand.runtime.calibration_file import CalibrationError
from steadyhand.runtime.camera_calibration_settings import DriftConfig

__all__ = [
    "Drift",
    "EdgePoints",
    "NotFoundError",
    "NothingToCompareError",
    "edge_points",
    "find_drift",
    "points_at",
    "stable_points",
]

Pixels = NDArray[np.uint8]
ALONG, ACROSS = 4, 6  # half the length of a patch along and across its edge [px]
CELL_PX = 6  # at most one point in a cell of this size
MIN_STEP = 8.0  # smallest brightness gradient of an edge [1/px of 255]
SAMPLE, SAMPLES = 6, 400  # points of a random sample, one for each parameter of the motion; number of samples
MORE = 1.25  # a motion has to explain this many times the points that agree with none
SMALL_PX = 0.9  # standard deviation of the smoothing: takes the picture's noise


class NotFoundError(CalibrationError):
    """A picture with edges, among which those of the reference are not found."""


class NothingToCompareError(CalibrationError):
    """A picture that shows too few edges for any comparison."""


@dataclass(frozen=True)
class EdgePoints:
    """Points on edges of a picture.

    Attributes:
        places: Column and row [px]. Shape (m, 2).
        normals: Unit normals of the edges, towards the brighter side. Shape (m, 2).
        patches: Brightness around each, of mean 0 and norm 1. Shape (m, 2 * ACROSS + 1, 2 * ALONG + 1).
    """

    places: Array
    normals: Array
    patches: Array

    def chosen(self, mask: NDArray[np.bool_]) -> EdgePoints:
        """Return the points whose entry in `mask` (m,) is true."""
        return EdgePoints(self.places[mask], self.normals[mask], self.patches[mask])


@dataclass(frozen=True)
class Drift:
    """Result of a comparison.

    Attributes:
        moved: True if the camera was moved.
        motion_px: Root mean square displacement of the picture's content by the best motion [px].
        agreeing: Edge points that agree with that motion.
        resting: Edge points that have not moved.
        found: Edge points that were found again.
        expected: Edge points of the reference.
    """

    moved: bool
    motion_px: float
    agreeing: int
    resting: int
    found: int
    expected: int


def edge_points(picture: Pixels, wanted: DriftConfig) -> EdgePoints:
    """Return the strongest edge points of a picture (h, w, 3) RGB or (h, w), spread over it."""
    shades, right, down = _gradients(picture)
    strength = np.hypot(right, down)
    border = wanted.search_px + ACROSS + 2
    strength[:border] = strength[-border:] = 0.0
    strength[:, :border] = strength[:, -border:] = 0.0
    return _described(shades, right, down, *_strongest(strength, wanted.edges))


def points_at(picture: Pixels, places: Array) -> EdgePoints:
    """Return the edge points of a picture at whole places (m, 2), column and row [px]."""
    columns, rows = places.astype(np.int64).T
    return _described(*_gradients(picture), rows, columns)


def find_drift(reference: EdgePoints, picture: Pixels, wanted: DriftConfig) -> Drift:
    """Compare a picture with the points of a reference.

    Raises:
        NothingToCompareError: The picture has too few edges: it is dark, covered or out of focus.
        NotFoundError: Too few points are found again: the camera was moved far, or something covers the scene.
    """
    displacement, likeness = _search(reference, picture, wanted)
    found = likeness >= wanted.min_likeness
    if int(found.sum()) < wanted.min_edges:
        if (edges := len(edge_points(picture, wanted).places)) < wanted.min_edges:
            raise NothingToCompareError(
                f"expected at least {wanted.min_edges} edge points in the picture, found {edges}; it is dark, covered "
                "or out of focus"
            )
        raise NotFoundError(
            f"expected at least {wanted.min_edges} edge points of the reference in the picture, found {found.sum()}; "
            f"the camera was moved far (by more than {wanted.search_px} px), or something covers the scene"
        )
    places, normals, moved_px = reference.places[found], reference.normals[found], displacement[found]
    motion, agreeing = _consensus(places, normals, moved_px, wanted.tolerance_px)
    flow = motion[agreeing]
    motion_px = float(np.sqrt(np.mean(np.sum(flow**2, axis=1))))
    resting = int((np.abs(moved_px) <= wanted.tolerance_px).sum())
    count = int(agreeing.sum())
    moved = motion_px > wanted.max_motion_px and count > MORE * resting
    return Drift(moved, motion_px, count, resting, int(found.sum()), len(found))


def stable_points(reference: EdgePoints, picture: Pixels, wanted: DriftConfig) -> NDArray[np.bool_]:
    """Return the points (m,) that another picture of the unmoved camera shows at the same place.

    With the arm elsewhere in that picture, points on the arm are not among them.
    """
    displacement, likeness = _search(reference, picture, wanted)
    stable: NDArray[np.bool_] = (likeness >= wanted.min_likeness) & (np.abs(displacement) <= wanted.tolerance_px)
    return stable


def _gradients(picture: Pixels) -> tuple[Array, Array, Array]:
    """Return the smoothed brightness (h, w), and its gradients to the right and down."""
    import cv2

    shades = cv2.GaussianBlur(grey(picture).astype(np.float32), (0, 0), SMALL_PX)
    right, down = (cv2.Sobel(shades, cv2.CV_32F, *order, ksize=3) / 8.0 for order in ((1, 0), (0, 1)))
    return shades, right, down


def _described(
    shades: Array, right: Array, down: Array, rows: NDArray[np.int64], columns: NDArray[np.int64]
) -> EdgePoints:
    places = np.stack([columns, rows], axis=-1).astype(np.float64)
    normals = np.stack([right[rows, columns], down[rows, columns]], axis=-1).astype(np.float64)
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)
    return EdgePoints(places, normals, _normalised(_strips(shades, places, normals, ACROSS)))


def _strongest(strength: Array, count: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return rows and columns of the largest entries, at most one for each cell."""
    height, width = (size // CELL_PX for size in strength.shape)
    cells = strength[: height * CELL_PX, : width * CELL_PX].reshape(height, CELL_PX, width, CELL_PX)
    by_cell = cells.transpose(0, 2, 1, 3).reshape(height, width, -1)
    inside = by_cell.argmax(axis=-1)
    peak = by_cell.max(axis=-1)
    best = np.argsort(peak, axis=None)[::-1][:count]
    best = best[peak.ravel()[best] >= MIN_STEP]
    down, right = np.unravel_index(best, peak.shape)
    within = inside[down, right]
    return down * CELL_PX + within // CELL_PX, right * CELL_PX + within % CELL_PX


def _strips(shades: Array, places: Array, normals: Array, reach: int) -> Array:
    """Return the brightness around each place. Shape (m, 2 * reach + 1, 2 * ALONG + 1): across, then along the edge."""
    along = np.stack([-normals[:, 1], normals[:, 0]], axis=-1)
    steps_across, steps_along = np.arange(-reach, reach + 1), np.arange(-ALONG, ALONG + 1)
    at = places[:, None, None] + steps_across[None, :, None, None] * normals[:, None, None]
    return sampled(shades, at + steps_along[None, None, :, None] * along[:, None, None])


def _normalised(patches: Array) -> Array:
    """Return patches (..., a, b) of mean 0 and norm 1; a patch without contrast becomes 0."""
    centred = patches - patches.mean(axis=(-2, -1), keepdims=True)
    norm = np.sqrt(np.sum(centred**2, axis=(-2, -1), keepdims=True))
    found: Array = centred / np.maximum(norm, 1e-6)
    return found


def _search(reference: EdgePoints, picture: Pixels, wanted: DriftConfig) -> tuple[Array, Array]:
    """Return the displacement of each point along its normal (m,) [px], and the correlation there (m,)."""
    import cv2

    shades = cv2.GaussianBlur(grey(picture).astype(np.float32), (0, 0), SMALL_PX)
    strips = _strips(shades, reference.places, reference.normals, ACROSS + wanted.search_px)
    windows = np.lib.stride_tricks.sliding_window_view(strips, 2 * ACROSS + 1, axis=1)  # (m, shifts, along, across)
    patches = np.swapaxes(reference.patches, 1, 2)
    # The patch has mean 0, so the window's mean drops out of the product.
    products = np.einsum("msab,mab->ms", windows, patches)
    square = np.einsum("msab,msab->ms", windows, windows)
    size = patches.shape[1] * patches.shape[2]
    spread = square - windows.sum(axis=(2, 3)) ** 2 / size
    likeness = products / np.sqrt(np.maximum(spread, 1e-6))
    peak = np.clip(likeness.argmax(axis=1), 1, likeness.shape[1] - 2)
    rows = np.arange(len(peak))
    before, at, after = (likeness[rows, peak + step] for step in (-1, 0, 1))
    bend = before - 2.0 * at + after
    shift = np.where(bend < -1e-9, 0.5 * (before - after) / np.minimum(bend, -1e-9), 0.0)
    return peak - wanted.search_px + np.clip(shift, -1.0, 1.0), at


def _consensus(places: Array, normals: Array, moved_px: Array, tolerance_px: float) -> tuple[Array, NDArray[np.bool_]]:
    """Fit an affine motion of the picture to displacements along normals (Fischler and Bolles 1981).

    Returns:
        The motion at each place [px] (m, 2), and the points that agree with it (m,).
    """
    scaled = (places - places.mean(axis=0)) / max(float(places.std()), 1e-9)
    terms = np.concatenate([scaled, np.ones((len(scaled), 1))], axis=1)
    system = np.concatenate([normals[:, :1] * terms, normals[:, 1:] * terms], axis=1)  # (m, 6)
    rng = np.random.default_rng(0)  # the same pictures give the same result
    chosen = np.stack([rng.choice(len(system), SAMPLE, replace=False) for _ in range(SAMPLES)])
    left, right = system[chosen], moved_px[chosen]
    # A little regularisation keeps samples of parallel edges finite.
    square = np.swapaxes(left, 1, 2) @ left + 1e-6 * np.eye(SAMPLE)
    guesses = np.linalg.solve(square, np.einsum("sij,si->sj", left, right)[..., None])[..., 0]
    guesses = np.concatenate([np.zeros((1, SAMPLE)), guesses])
    counts = (np.abs(guesses @ system.T - moved_px) <= tolerance_px).sum(axis=1)
    motion = guesses[counts.argmax()]
    for _ in range(5):
        agreeing = np.abs(system @ motion - moved_px) <= tolerance_px
        motion, *_ = np.linalg.lstsq(system[agreeing], moved_px[agreeing], rcond=None)
    agreeing = np.abs(system @ motion - moved_px) <= tolerance_px
    return np.stack([terms @ motion[:3], terms @ motion[3:]], axis=-1), agreeing
