"""The hidden truth of a simulated cell: errors that one seed draws, and their effect on the model.

Tests and benchmarks compare an estimate with it. Policies, tasks and calibration never read it; a test checks that no
other package names it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import mujoco
import numpy as np

from steadyhand.robot_envs.frames import Array, pose_compose, pose_from_vector
from steadyhand.robot_envs.mock.gap import HiddenGap, generator
from steadyhand.robot_envs.mock.optics import mount_of, set_mount

__all__ = ["HiddenTruth", "apply_hidden_truth", "draw_hidden_truth"]


@dataclass(frozen=True)
class HiddenTruth:
    """Errors of one cell. A pose is that of the true frame in the nominal one, shape (7,): [m] and xyzw.

    Attributes:
        seed: The seed that they are drawn from.
        cameras: By name: true camera in the nominal camera, OpenCV axes (x right, y down, z forward).
        workspace: True table and workpieces in the base frame: `true = workspace * nominal`.
        tool: True tool in the nominal tool, axes of the hand, about the TCP.
        payload_kg: Mass at the hand that the controller does not compensate.
        tare_n: Constant error of the measured force, tool frame. Shape (3,); [N].
        friction_nm: Coulomb friction of the joints. Shape (n_joints,); [Nm].
        damping: Factors of the joints' damping. Shape (n_joints,).
    """

    seed: int
    cameras: Mapping[str, Array]
    workspace: Array
    tool: Array
    payload_kg: float
    tare_n: Array
    friction_nm: Array
    damping: Array

    def __post_init__(self) -> None:
        arrays = (*self.cameras.values(), self.workspace, self.tool, self.tare_n, self.friction_nm, self.damping)
        for array in arrays:
            array.setflags(write=False)


def draw_hidden_truth(ranges: HiddenGap, seed: int, cameras: Sequence[str], n_joints: int) -> HiddenTruth:
    """Draw the errors of a cell. The same seed draws the same directions at every range.

    Args:
        ranges: Largest errors.
        seed: Seed of the gap.
        cameras: Names of the cameras.
        n_joints: Number of the arm's joints.
    """

    def drawn(purpose: str, size: int) -> Array:
        return generator(seed, purpose).uniform(-1.0, 1.0, size)

    def offset(purpose: str, metres: float, radians: float) -> Array:
        return pose_from_vector(drawn(purpose, 6) * np.repeat([metres, radians], 3))

    workspace = drawn("workspace", 6) * np.array([*ranges.workspace_m, 0.0, 0.0, ranges.workspace_rad])
    return HiddenTruth(
        seed=seed,
        cameras={name: offset(f"camera {name}", ranges.camera_m, ranges.camera_rad) for name in cameras},
        workspace=pose_from_vector(workspace),
        tool=offset("tool", ranges.tool_m, ranges.tool_rad),
        payload_kg=float(drawn("payload", 1)[0] * ranges.payload_kg),
        tare_n=drawn("tare", 3) * ranges.tare_n,
        friction_nm=(0.5 + 0.5 * drawn("friction", n_joints)) * ranges.friction_nm,
        damping=1.0 + drawn("damping", n_joints) * ranges.damping_share,
    )


def apply_hidden_truth(model: mujoco.MjModel, data: mujoco.MjData, truth: HiddenTruth) -> None:
    """Change the compiled model by the errors that are not in its MJCF: cameras, payload and joints.

    Args:
        model: The model; its first joints are the arm's.
        data: Data of the model; its state is reset.
        truth: The errors.
    """
    for name, offset in truth.cameras.items():
        set_mount(model, name, pose_compose(mount_of(model, name), offset))
    n = len(truth.friction_nm)
    model.dof_frictionloss[:n] = truth.friction_nm
    model.dof_damping[:n] *= truth.damping
    hand = model.body("hand").id
    nominal = model.body_mass[hand]
    true = nominal + truth.payload_kg
    model.body_mass[hand] = true
    model.body_inertia[hand] *= true / nominal
    model.body_gravcomp[hand] *= nominal / true  # the controller still compensates the nominal weight
    mujoco.mj_setConst(model, data)
