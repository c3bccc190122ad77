"""The weight behind a wrench sensor and the sensor's bias, from readings at rest in several orientations."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from steadyhand.calibration.conditioning import amplification
from steadyhand.calibration.rotations import matrix_from_quat
from steadyhand.robot_envs.frames import Array
from steadyhand.runtime.calibration_file import CalibrationError
from steadyhand.runtime.ranges import expect_above, expect_at_least

__all__ = ["GRAVITY_M_S2", "Payload", "PayloadSettings", "payload_from_wrenches"]

GRAVITY_M_S2 = 9.80665


@dataclass(frozen=True)
class PayloadSettings:
    """Numbers of the step.

    Attributes:
        min_readings: Least number of orientations.
        max_amplification: Largest amplification of a force's error into the weight's: 1 / the least singular value of
            the system, times the root of the number of orientations.
        max_residual_n: Largest root mean square residual of the force.
        min_mass_kg: Mass below which the weight counts as compensated by the robot; there is no centre of mass then.
    """

    min_readings: int
    max_amplification: float
    max_residual_n: float
    min_mass_kg: float

    def __post_init__(self) -> None:
        expect_at_least(self, 4, "min_readings")
        expect_above(self, 0.0, "max_amplification", "max_residual_n", "min_mass_kg")


@dataclass(frozen=True)
class Payload:
    """Weight and bias.

    Attributes:
        mass_kg: Mass of what hangs at the sensor and is not compensated. Below 0: the wrench has the other sign.
        centre_m: Centre of mass relative to the tool centre point, tool frame. Shape (3,); None = no weight is seen.
        bias: Constant part of the wrench, tool frame: force [N], then torque [Nm]. Shape (6,).
        force_residual_n: Root mean square residual of the forces, per axis.
        torque_residual_nm: Root mean square residual of the torques, per axis.
        amplification: See `PayloadSettings`.
    """

    mass_kg: float
    centre_m: Array | None
    bias: Array
    force_residual_n: float
    torque_residual_nm: float
    amplification: float


def payload_from_wrenches(quats: Array, wrenches: Array, settings: PayloadSettings) -> Payload:
    """Return mass, centre of mass and bias by least squares.

    In the tool frame the weight is f = R^T [0, 0, -m g], its torque c x f. So force = f + bias is linear in (m, bias),
    and torque = c x f + bias in (c, bias). These are the static rows of Kubus et al. 2008, "On-line estimation of
    inertial parameters using a recursive total least-squares approach", equation 5. A tare before the readings only
    changes the bias.

    Args:
        quats: Orientations of the tool at rest, xyzw, base frame with z up. Shape (n, 4).
        wrenches: Mean wrench of the environment on the tool at each, tool frame. Shape (n, 6); [N], [Nm].
        settings: Bounds.

    Raises:
        CalibrationError: There are too few readings, they do not determine the weight, or they do not fit.
    """
    n = len(quats)
    if n < settings.min_readings:
        raise CalibrationError(
            f"wrench: expected readings in at least {settings.min_readings} orientations, found {n}; take more"
        )
    down = -matrix_from_quat(quats)[:, 2, :]  # of the base, in the tool frame
    system = np.concatenate([down[:, :, None], np.broadcast_to(np.eye(3), (n, 3, 3))], axis=2).reshape(-1, 4)
    amplified = amplification(system, n)
    if amplified > settings.max_amplification:
        raise CalibrationError(
            f"wrench: expected orientations that amplify an error at most {settings.max_amplification:g} times, found "
            f"{min(amplified, 9999.0):.0f}; tilt the tool farther from upright, about two axes"
        )
    weight, *bias = np.linalg.lstsq(system, wrenches[:, :3].ravel(), rcond=None)[0]
    rest = wrenches[:, :3].ravel() - system @ np.array([weight, *bias])
    force_residual = float(np.sqrt(np.mean(rest**2)))
    if force_residual > settings.max_residual_n:
        raise CalibrationError(
            f"wrench: expected forces that fit a weight within {settings.max_residual_n:g} N, found "
            f"{force_residual:.2f} N; nothing may touch the tool, and the arm has to be at rest"
        )
    mass = float(weight) / GRAVITY_M_S2
    seen = abs(mass) >= settings.min_mass_kg
    centre, torque_bias, torque_residual = _centre(down * weight if seen else None, wrenches[:, 3:])
    return Payload(mass, centre, np.array([*bias, *torque_bias]), force_residual, torque_residual, amplified)


def _centre(weights: Array | None, torques: Array) -> tuple[Array | None, Array, float]:
    """Return centre of mass (3,) [m], bias of the torque (3,) and residual; `weights` (n, 3) is None without weight."""
    n = len(torques)
    bias_columns = np.broadcast_to(np.eye(3), (n, 3, 3))
    if weights is None:
        mean = torques.mean(axis=0)
        return None, mean, float(np.sqrt(np.mean((torques - mean) ** 2)))
    # c x f = -[f]x c
    x, y, z = weights.T
    zero = np.zeros(n)
    columns = np.moveaxis(np.array([[zero, z, -y], [-z, zero, x], [y, -x, zero]]), 2, 0)
    system = np.concatenate([columns, bias_columns], axis=2).reshape(-1, 6)
    found = np.linalg.lstsq(system, torques.ravel(), rcond=None)[0]
    residual = float(np.sqrt(np.mean((torques.ravel() - system @ found) ** 2)))
    return found[:3], found[3:], residual
