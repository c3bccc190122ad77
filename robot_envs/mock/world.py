"""The simulated world that the mock robot and its cameras share, and the clock that drives it.

Only the clock steps the physics. At ``pace: lockstep`` time jumps to the end of the control loop's sleep. At
``pace: realtime`` the loop really sleeps, and then the physics catches up.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import mujoco
import numpy as np

from steadyhand.robot_envs.frames import Array, pose
from steadyhand.robot_envs.mock.appearance import Appearance, table_patterns
from steadyhand.robot_envs.mock.clocks import RealtimeClock, SimulatedClock
from steadyhand.robot_envs.mock.config import SceneConfig, WorldConfig
from steadyhand.robot_envs.mock.driven_arm import WRENCH_SIZE, DrivenArm, wxyz
from steadyhand.robot_envs.mock.film import Film
from steadyhand.robot_envs.mock.gap import CAMERAS, GapConfig, generator
from steadyhand.robot_envs.mock.hidden import HiddenTruth, apply_hidden_truth, draw_hidden_truth
from steadyhand.robot_envs.mock.placed_arm import PlacedArm
from steadyhand.robot_envs.mock.scene import scene_textures, scene_xml
from steadyhand.robot_envs.mock.textures import texture_files
from steadyhand.robot_envs.mock.workpieces import part_names
from steadyhand.runtime.clock import Clock

__all__ = ["World"]

_NS = 1_000_000_000
# A real force-torque sensor filters; at the largest timestep this is the mean over 20 ms.
_SENSOR_STEPS = 10


class World:
    """MuJoCo model and data with an interface of plain poses, shape (7,), xyzw.

    The poses of workpieces are in the frame of the world, which is the base frame of the first arm.

    Args:
        config: Timestep, pace and gains.
        scene: The workpieces.
        arms: The arms of the scene.
        gap: Differences from the description, of a scene with one arm; None = none.

    Attributes:
        arms: The arms, in the order of `arms`. The methods for an arm are also those of the first one.
        hidden_truth: Hidden errors, for tests and benchmarks alone; None without a gap.
        appearance: Look of the present episode; None = always the same.
        film: Frames on their way; None = every frame is received at once.
    """

    def __init__(
        self, config: WorldConfig, scene: SceneConfig, arms: Sequence[PlacedArm], gap: GapConfig | None = None
    ) -> None:
        self.config, self.scene = config, scene
        self.n_joints = arms[0].model.n_joints
        self._gap = gap = None if gap is None or gap.is_none else gap
        self.hidden_truth: HiddenTruth | None = None
        if gap is not None:
            self.hidden_truth = draw_hidden_truth(gap.hidden, gap.seed, CAMERAS, self.n_joints)
        textures = [*scene_textures(scene), *(table_patterns(gap.picture, gap.seed) if gap else [])]
        xml = scene_xml(scene, config.impedance, config.physics_timestep_s, arms, textures, self.hidden_truth)
        self.model = mujoco.MjModel.from_xml_string(xml, texture_files(textures))
        self.data = mujoco.MjData(self.model)
        self.steps = 0
        self._lead = 0
        self._scheduled: list[tuple[int, Callable[[], None]]] = []
        self.commanding = threading.RLock()  # a hold from another thread also cancels scheduled commands
        self.clock: Clock = SimulatedClock(self) if config.pace == "lockstep" else RealtimeClock(self)
        self.arms = [DrivenArm(self.model, self.data, arm, config.impedance) for arm in arms]
        self._mocap = {name: int(self.model.body(name).mocapid[0]) for name in scene.fixtures}
        self._free = {name: int(self.model.body(name).jntadr[0]) for name in scene.objects}
        parts = [part for name, values in scene.fixtures.items() for part in part_names(values, name)]
        self._bodies = {name: self.model.body(name).id for name in (*scene.fixtures, *scene.objects, *parts)}
        self._joints = {name: self.model.joint(name) for name in scene.articulated}
        if self.hidden_truth is not None:
            apply_hidden_truth(self.model, self.data, self.hidden_truth)
        self.appearance: Appearance | None = None
        if gap is not None and not gap.picture.is_none:
            self.appearance = Appearance(gap.picture, gap.seed, self.model)
        self.film: Film | None = None
        if gap is not None and not gap.camera.is_none:
            self.film = Film(gap.camera, config.physics_timestep_s)
        self.begin(0)

    def begin(self, episode: int, at_home: bool = True) -> None:
        """Draw the gap of an episode from its seed; time goes on.

        Args:
            episode: The seed.
            at_home: Whether the arm jumps to its home posture, at rest, and every object to its first place.
        """
        if self.appearance is not None:
            self.appearance.begin(episode)
        if self.film is not None:
            assert self._gap is not None
            seed = self._gap.seed
            self.film.begin({name: generator(seed, f"frames of {name}", episode) for name in CAMERAS})
        if at_home:
            self.reset()

    def reset(self) -> None:
        """Move every arm to its home posture, at rest; time goes on."""
        mujoco.mj_resetData(self.model, self.data)
        for arm in self.arms:
            arm.go_home()
        mujoco.mj_forward(self.model, self.data)
        for arm in self.arms:
            arm.set_target(arm.tcp_pose())
        self._jumped()

    def step(self, n: int) -> None:
        """Advance the physics by ``n`` steps in one call; only the last few are single, to average the wrist sensor."""
        averaged = min(n, _SENSOR_STEPS)
        if averaged <= 0:
            return
        self._advance(n - averaged)
        total = np.zeros(WRENCH_SIZE * len(self.arms))
        for _ in range(averaged):
            self._advance(1)
            total += self.data.sensordata
        self._share_sensors(total / averaged)

    def _share_sensors(self, readings: Array) -> None:
        for index, arm in enumerate(self.arms):
            arm.measured = readings[WRENCH_SIZE * index : WRENCH_SIZE * (index + 1)]

    def _advance(self, n: int) -> None:
        last = self.steps + n
        while self.steps < last:
            film = self.film
            until = last if film is None else min(last, film.next_step)
            mujoco.mj_step(self.model, self.data, nstep=until - self.steps)
            self.steps = until
            if film is not None and film.next_step == until:
                film.expose(until, self.data)

    def _jumped(self) -> None:
        if self.film is not None:
            self.film.restart(self.steps, self.data)

    def now_ns(self) -> int:
        """Return the simulated time since the world was constructed [ns]; a reset does not change it."""
        return round(self.steps * self.config.physics_timestep_s * _NS)

    def time_of(self, step: int) -> int:
        """Return the time of a physics step on the clock [ns]."""
        return round((step - self._lead) * self.config.physics_timestep_s * _NS)

    def advance_to(self, t_ns: int) -> None:
        """Step the physics up to a simulated time, with the scheduled actions at their times."""
        last = self._step_at(t_ns / _NS) + self._lead
        while (due := self._next_due()) is not None and due < last:
            self.step(due - self.steps)
            with self.commanding:  # unless the action was cancelled meanwhile
                if self._next_due() == due:
                    self._scheduled.pop(0)[1]()
        self.step(last - self.steps)

    def _next_due(self) -> int | None:
        with self.commanding:
            return self._scheduled[0][0] if self._scheduled else None

    def meet_clock(self) -> None:
        """Synchronise with the clock: an existing lead or lag is kept, and not caught up."""
        self._lead = self.steps - self._step_at(self.clock.now_ns() / _NS)

    def after(self, delay_s: float, action: Callable[[], None]) -> None:
        """Schedule an action in ``delay_s`` of simulated time, after earlier ones; without a delay, call it at once."""
        if delay_s <= 0.0 and not self._scheduled:
            action()
        else:
            due = self.steps + self._step_at(delay_s)
            self._scheduled.append((max(due, self._scheduled[-1][0]) if self._scheduled else due, action))

    def forget_scheduled(self) -> None:
        """Cancel all scheduled actions."""
        self._scheduled.clear()

    def _step_at(self, seconds: float) -> int:
        return round(seconds / self.config.physics_timestep_s)

    def set_target(self, tcp_pose: Array) -> None:
        """Set the target of the impedance controller."""
        self.arms[0].set_target(tcp_pose)

    def set_impedance(self, stiffness_n_m: float, rotation_stiffness_nm_rad: float) -> None:
        """Set the controller's stiffness; its damping ratio and reference limits are unchanged."""
        self.arms[0].set_impedance(stiffness_n_m, rotation_stiffness_nm_rad)

    def hold_posture(self) -> None:
        """Set the rest position of the redundant joint's weak spring to the present posture."""
        self.arms[0].hold_posture()

    def set_gripper(self, width_m: float) -> None:
        """Set the target opening of the fingers [m]."""
        self.arms[0].set_gripper(width_m)

    def place(self, name: str, pose_: Array) -> None:
        """Place a workpiece at a pose, at rest.

        Raises:
            KeyError: There is no such workpiece.
        """
        if name in self._mocap:
            self.data.mocap_pos[self._mocap[name]] = pose_[:3]
            self.data.mocap_quat[self._mocap[name]] = wxyz(pose_[3:])
        else:
            joint = self._free[name]
            position, velocity = self.model.jnt_qposadr[joint], self.model.jnt_dofadr[joint]
            self.data.qpos[position : position + 7] = np.concatenate([pose_[:3], wxyz(pose_[3:])])
            self.data.qvel[velocity : velocity + 6] = 0.0

    def pose_of(self, name: str) -> Array:
        """Return the pose of a workpiece, or of a part of one."""
        body = self._bodies[name]
        return pose(self.data.xpos[body], self.data.xquat[body][[1, 2, 3, 0]])

    def set_position(self, name: str, position: float) -> None:
        """Move the joint of a workpiece, at rest [m or rad].

        Raises:
            KeyError: There is no such workpiece, or it has no joint.
            ValueError: The position is beyond the joint's range.
        """
        joint = self._joints[name]
        low, high = joint.range
        if not low <= position <= high:
            raise ValueError(f"{name}: expected a position from {low} to {high}, found {position}")
        self.data.qpos[joint.qposadr[0]] = position
        self.data.qvel[joint.dofadr[0]] = 0.0

    def position_of(self, name: str) -> float:
        """Return the joint position of a workpiece [m or rad]. Raises KeyError where there is no joint."""
        return float(self.data.qpos[self._joints[name].qposadr[0]])

    def tcp_pose(self) -> Array:
        """Return the pose of the tool centre point."""
        return self.arms[0].tcp_pose()

    def tcp_twist(self) -> Array:
        """Return the linear then angular velocity of the TCP in the base frame. Shape (6,)."""
        return self.arms[0].tcp_twist()

    def tcp_wrench(self) -> Array:
        """Return force and torque of the environment on the tool at the TCP, tool frame, not tared. Shape (6,)."""
        return self.arms[0].tcp_wrench()

    def contact_force(self, body: str) -> float:
        """Return the sum of the normal forces on a body [N]. Raises KeyError for a body that is not in the scene."""
        wanted, total = self.model.body(body).id, 0.0
        for index, contact in enumerate(self.data.contact[: self.data.ncon]):
            if wanted in self.model.geom_bodyid[contact.geom]:
                force = np.zeros(6)
                mujoco.mj_contactForce(self.model, self.data, index, force)
                total += float(force[0])
        return total

    def gripper_width(self) -> float:
        """Return the opening between the fingers [m]."""
        return self.arms[0].gripper_width()

    def set_configuration(self, tcp_pose: Array, gripper_width_m: float, arm: int = 0) -> None:
        """Set an arm to a pose in its own base frame, at rest.

        Raises:
            RobotError: The arm cannot reach the pose within its joint limits.
        """
        self.arms[arm].set_configuration(tcp_pose, gripper_width_m)
        mujoco.mj_forward(self.model, self.data)
        self._share_sensors(self.data.sensordata.copy())
        self._jumped()

    def settle(self, seconds: float) -> None:
        """Simulate for a time so that the world comes to rest. The clock also advances by this time."""
        self.step(self._step_at(seconds))
