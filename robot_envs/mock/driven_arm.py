"""One arm of the simulated world, with an interface of plain poses in the frame of its own base."""

from __future__ import annotations

import mujoco
import numpy as np

from steadyhand.robot_envs.frames import (
    Array,
    cross,
    pose,
    pose_compose,
    pose_relative,
    quat_from_matrix,
    quat_inverse,
    quat_rotate,
)
from steadyhand.robot_envs.mock.config import ImpedanceConfig
from steadyhand.robot_envs.mock.placed_arm import PlacedArm
from steadyhand.robot_envs.robot import RobotError

__all__ = ["WRENCH_SIZE", "DrivenArm", "wxyz"]

WRENCH_SIZE = 6
_IK_STEPS = 60
_IK_TOLERANCE = 1e-6


def wxyz(quat_xyzw: Array) -> Array:
    """Return a quaternion in MuJoCo's order. Shape (4,)."""
    return quat_xyzw[[3, 0, 1, 2]]


class DrivenArm:
    """An arm under its own impedance controller. All poses are in the arm's base frame, shape (7,), xyzw.

    Args:
        model: Model of the world.
        data: Its data.
        placed: The arm and its place.
        gains: Gains of the impedance controller.

    Attributes:
        measured: Mean of the wrist sensor, which the world keeps. Shape (6,); [N], [Nm].
    """

    def __init__(self, model: mujoco.MjModel, data: mujoco.MjData, placed: PlacedArm, gains: ImpedanceConfig) -> None:
        self.name, self.n_joints = placed.name, placed.model.n_joints
        self.measured = np.zeros(WRENCH_SIZE)
        self._model, self._data, self._gains, self._prefix = model, data, gains, placed.prefix
        self._base = placed.base_pose
        self._home = np.array(placed.model.home_rad)
        self._low, self._high = np.array(placed.model.limits_rad).T
        first, n = model.joint(f"{self._prefix}joint1"), self.n_joints
        self._qpos = slice(int(first.qposadr[0]), int(first.qposadr[0]) + n)
        self._dofs = slice(int(first.dofadr[0]), int(first.dofadr[0]) + n)
        self._tcp = model.site(f"{self._prefix}tcp").id
        self._sensor = model.site(f"{self._prefix}wrist_sensor").id
        self._target = int(model.body(f"{self._prefix}target").mocapid[0])
        fingers = [f"{self._prefix}{side}_finger" for side in ("left", "right")]
        self._fingers = [int(model.joint(name).qposadr[0]) for name in fingers]
        self._finger_actuators = [model.actuator(name).id for name in fingers]
        self._tool_weight = model.body(f"{self._prefix}hand").subtreemass[0] * model.opt.gravity
        model.jnt_stiffness[first.id : first.id + n] = gains.posture_stiffness_nm_rad

    def go_home(self) -> None:
        """Set the joints to the home posture; the caller computes the kinematics."""
        self._data.qpos[self._qpos] = self._home

    def joint_position(self) -> Array:
        """Return the positions of the joints [rad]. Shape (n_joints,)."""
        found: Array = self._data.qpos[self._qpos].copy()
        return found

    def joint_velocity(self) -> Array:
        """Return the velocities of the joints [rad/s]. Shape (n_joints,)."""
        found: Array = self._data.qvel[self._dofs].copy()
        return found

    def set_target(self, tcp_pose: Array) -> None:
        """Set the target of the impedance controller."""
        target = self._in_world(tcp_pose)
        self._data.mocap_pos[self._target] = target[:3]
        self._data.mocap_quat[self._target] = wxyz(target[3:])

    def set_impedance(self, stiffness_n_m: float, rotation_stiffness_nm_rad: float) -> None:
        """Set the controller's stiffness; its damping ratio and reference limits are unchanged."""
        gains, limit = self._gains, np.array([-1.0, 1.0])
        for axis in range(6):
            wanted, first, damping, reach = (
                (stiffness_n_m, gains.stiffness_n_m, gains.damping_ns_m, gains.reference_limit_m)
                if axis < 3
                else (
                    rotation_stiffness_nm_rad,
                    gains.rotation_stiffness_nm_rad,
                    gains.rotation_damping_nms_rad,
                    gains.reference_limit_rad,
                )
            )
            actuator = self._model.actuator(f"{self._prefix}impedance{axis}").id
            self._model.actuator_biasprm[actuator, 1:3] = -wanted, -damping * np.sqrt(wanted / first)
            self._model.actuator_forcerange[actuator] = wanted * reach * limit

    def hold_posture(self) -> None:
        """Set the rest position of the redundant joint's weak spring to the present posture."""
        self._model.qpos_spring[self._qpos] = self._data.qpos[self._qpos]

    def set_gripper(self, width_m: float) -> None:
        """Set the target opening of the fingers [m]."""
        self._data.ctrl[self._finger_actuators] = width_m / 2

    def gripper_width(self) -> float:
        """Return the opening between the fingers [m]."""
        return float(self._data.qpos[self._fingers[0]] + self._data.qpos[self._fingers[1]])

    def tcp_pose(self) -> Array:
        """Return the pose of the tool centre point."""
        data = self._data
        found = pose(data.site_xpos[self._tcp], quat_from_matrix(data.site_xmat[self._tcp].reshape(3, 3)))
        return found if self._base is None else pose_relative(self._base, found)

    def tcp_twist(self) -> Array:
        """Return the linear then angular velocity of the TCP in the base frame. Shape (6,)."""
        twist = np.zeros(6)
        mujoco.mj_objectVelocity(self._model, self._data, mujoco.mjtObj.mjOBJ_SITE, self._tcp, twist, 0)
        found = twist[[3, 4, 5, 0, 1, 2]]
        if self._base is None:
            return found
        return quat_rotate(quat_inverse(self._base[3:])[None], found.reshape(2, 3)).ravel()

    def tcp_wrench(self) -> Array:
        """Return force and torque of the environment on the tool at the TCP, tool frame, not tared. Shape (6,)."""
        rotation = self._data.site_xmat[self._sensor].reshape(3, 3)
        # The sensor measures the wrist's wrench on the tool, the opposite of that of environment and weight.
        wrench = -self.measured
        wrench[:3] -= rotation.T @ self._tool_weight
        tcp_in_sensor = rotation.T @ (self._data.site_xpos[self._tcp] - self._data.site_xpos[self._sensor])
        wrench[3:] -= cross(tcp_in_sensor, wrench[:3])
        return wrench

    def set_configuration(self, tcp_pose: Array, gripper_width_m: float) -> None:
        """Set the arm to a pose by damped least squares from the home posture (deterministic); the world is at rest.

        Raises:
            RobotError: The arm cannot reach the pose within its joint limits.
        """
        model, data = self._model, self._data
        goal = self._in_world(tcp_pose)
        self.go_home()
        data.qvel[:] = 0.0
        data.qpos[self._fingers] = gripper_width_m / 2
        jacobian = np.zeros((6, model.nv))
        error = np.zeros(6)
        wanted = wxyz(goal[3:])
        for _ in range(_IK_STEPS):
            mujoco.mj_kinematics(model, data)
            mujoco.mj_comPos(model, data)
            current = np.zeros(4)
            mujoco.mju_mat2Quat(current, data.site_xmat[self._tcp])
            rotation = np.zeros(3)
            mujoco.mju_subQuat(rotation, wanted, current)
            error[:3] = goal[:3] - data.site_xpos[self._tcp]
            error[3:] = data.site_xmat[self._tcp].reshape(3, 3) @ rotation
            if np.abs(error).max() < _IK_TOLERANCE:
                break
            mujoco.mj_jacSite(model, data, jacobian[:3], jacobian[3:], self._tcp)
            arm = jacobian[:, self._dofs]
            step = arm.T @ np.linalg.solve(arm @ arm.T + 1e-6 * np.eye(6), error)
            data.qpos[self._qpos] = np.clip(data.qpos[self._qpos] + step, self._low, self._high)
        else:
            raise RobotError(
                f"pose {np.round(tcp_pose, 3).tolist()} is out of the {f'{self.name} ' if self.name else ''}arm's "
                "reach; move the task's workspace"
            )
        # A weak spring holds the redundant joint near its initial posture.
        self.hold_posture()
        self.set_target(tcp_pose)
        self.set_gripper(gripper_width_m)

    def _in_world(self, pose_: Array) -> Array:
        return pose_ if self._base is None else pose_compose(self._base, pose_)
