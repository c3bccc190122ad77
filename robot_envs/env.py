"""A robot, its cameras, a task and the safety gate as one gymnasium environment.

Actions are steps of the tool in its own frame. `observed.py` defines the observation.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from steadyhand.robot_envs.camera import Camera
from steadyhand.robot_envs.control_period import ControlPeriod
from steadyhand.robot_envs.env_config import EnvConfig
from steadyhand.robot_envs.exposure import Exposure
from steadyhand.robot_envs.frames import length
from steadyhand.robot_envs.gripper import commanded_wish
from steadyhand.robot_envs.observed import Observation, Observed, privileged_fields
from steadyhand.robot_envs.rewards.reward import Reward
from steadyhand.robot_envs.rewards.scoring import Scoring
from steadyhand.robot_envs.robot import Robot, RobotCommand, RobotError, RobotState
from steadyhand.robot_envs.safety.gate import CAUSED_BY_ACTION, SafetyGate, StopReason
from steadyhand.robot_envs.safety.motion_watch import MotionWatch
from steadyhand.robot_envs.safety.tare import TareError
from steadyhand.robot_envs.sensor import Sensor
from steadyhand.robot_envs.sources import Sources
from steadyhand.robot_envs.start_pose import start_pose
from steadyhand.robot_envs.tasks.task import Outcome, Task
from steadyhand.robot_envs.teachable import StopLatchedError
from steadyhand.robot_envs.tool_steps import ToolSteps
from steadyhand.robot_envs.workpieces import Workpieces
from steadyhand.runtime.clock import Clock
from steadyhand.runtime.logging import get_logger

logger = get_logger("env")

_MOTION = 6  # entries of an action that move one arm; the gripper's follows them


class RobotEnv(gymnasium.Env[Observation, NDArray[np.float32]]):
    """Observation: a Dict of float32 vectors and uint8 frames. Action: Box(-1, 1), per arm 6 (or 7 with the gripper).

    Args:
        config: Periods and scales.
        robot: Connected here, closed by ``close``.
        cameras: Their names become keys of the observation.
        task: Draws episodes and evaluates them.
        workpieces: Arranges the workpieces.
        gate: Limits every command.
        clock: Drives the control period.
        lockstep: True if the clock is simulated: time stands still between steps, and the actor may wait for the
            learner.
        reward: Scores every step after the task's evaluation.
        sensors: Their names become keys of the observation.
        latencies_s: Latency of each view that has one; the observation's motion is that of the frames' exposure.
    """

    metadata = {"render_modes": []}  # noqa: RUF012  gymnasium's own declaration

    def __init__(
        self,
        config: EnvConfig,
        robot: Robot,
        cameras: Sequence[Camera],
        task: Task,
        workpieces: Workpieces,
        gate: SafetyGate,
        clock: Clock,
        lockstep: bool,
        reward: Reward,
        sensors: Sequence[Sensor] = (),
        latencies_s: Mapping[str, float] | None = None,
    ) -> None:
        self.config = config
        self.robot = robot
        self._task = task
        self._workpieces = workpieces
        self._seen: Workpieces = getattr(
            workpieces, "seen", workpieces
        )  # verdict and expert use what a person would see
        self.clock = clock
        self.gate = gate
        self.lockstep = lockstep
        self._sources = Sources(cameras, sensors, gate.limits.cameras)
        self._motion = MotionWatch(gate.limits.motion, config.control_period_s)
        self._period = ControlPeriod(config.control_period_s)
        per_arm = config.entries_per_arm
        self.action_space = spaces.Box(-1.0, 1.0, (robot.n_arms * per_arm,), np.float32)
        self.motion_entries: NDArray[np.bool_] = np.arange(robot.n_arms * per_arm) % per_arm < _MOTION
        self.gripper_entries = tuple(range(6, robot.n_arms * per_arm, per_arm)) if config.learns_gripper else ()
        self._exposure = Exposure(latencies_s or {})
        self._observed = Observed(robot.n_arms, config, task.observed, cameras, sensors, self._exposure.has_latency)
        self.field_specs = self._observed.field_specs
        self.privileged = privileged_fields(task)
        self.observation_space = self._observed.space  # type: ignore[assignment]  # Dict is a Space of dicts
        self.command_size = robot.n_arms * 8
        self.control_period_s = config.control_period_s
        # `Workpieces` that only note placements cannot show a task that a workpiece has been moved.
        follows, only_noted = getattr(task, "follows_workpieces", False), getattr(workpieces, "only_noted", False)
        self._task_judges = not (follows and only_noted)
        self._scoring = Scoring(
            reward,
            task.reward_terms,
            self._observed.space,
            self.field_specs,
            config.control_period_s,
            task_latches=True,
        )
        self.reward_terms = self._scoring.reward_terms
        self._state: RobotState
        self._start_pose, self._start_wrench = np.zeros((0, 7)), np.zeros((0, 6))  # before the first episode
        self._tool_steps = ToolSteps(config, robot.n_arms)
        # Objections to the places of the cameras, given the measured state.
        self.in_place: Callable[[RobotState], str] = lambda state: ""  # after a break
        self.in_place_at_start: Callable[[RobotState], str] = lambda state: ""  # at the start of an episode
        self._sending = threading.RLock()  # a stop from another thread comes before or after a command, never between
        robot.connect()
        self._sources.connect()

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Draw an episode, arrange the workpieces, move the arm to its start.

        Args:
            seed: Seed of the episode.
            options: `start_pose` replaces the drawn pose of the tools: base frame, shape (n_arms, 7); [m], xyzw.

        Raises:
            RobotError: The start pose has another shape, or the arm cannot reach it.
            StopLatchedError: A stop is latched; call ``resume`` when the operator confirms that it is safe.
        """
        super().reset(seed=seed)
        if self.gate.stop_reason is not None:
            raise StopLatchedError(f"stopped ({self.gate.stop_text}); a person has to resume before the next episode")
        plan = self._task.begin(self.np_random)
        self._workpieces.begin(int(self.np_random.integers(2**31)))
        for name, pose in plan.placements.items():
            self._workpieces.place(name, pose)
        for name, position in plan.positions.items():
            self._workpieces.set_position(name, position)
        self._move(start_pose(plan.start_pose, options), plan.gripper_width)
        self._sources.begin()
        self._motion.begin()
        if self.gate.stop_reason is None and (moved := self.in_place_at_start(self._state)):
            self.gate.latch(StopReason.CAMERA_MOVED, moved)
        # An existing fault stops the robot before the first step, which then moves nothing.
        self._check()
        self._start_pose, self._start_wrench = self._state.tcp_pose, self._state.wrench
        self._exposure.begin(self._state)
        self._gripper_width = plan.gripper_width
        self._previous_action = np.zeros(self.action_space.shape or (0,), np.float32)
        self._steps = 0
        self._period.begin(self.clock)
        outcome = self._task.evaluate(self._state, self._seen)
        return self._observe(), self._info(outcome) | self._scoring.begin(outcome, self._task_judges)

    def step(self, action: NDArray[np.float32]) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Gate the action, command it, wait for the end of the control period, and observe.

        A stop of the gate ends the episode, and the robot holds where it is. The episode is terminated without reward
        if the action caused the stop (a force beyond the limit), else truncated. A failure of the task terminates it
        too, and nothing latches.
        """
        # The state may have become stale while the policy or the operator chose the action.
        stopped_before = self.gate.check_state(self._state, self.clock.now_ns()) is not None
        wanted = self._tool_steps.command(np.asarray(action, np.float64), self._state.tcp_pose, self._gripper_width)
        with self._sending:
            command = self.gate.pass_command(wanted, self._state)
            if command is None:
                self.robot.hold()
            else:
                self.robot.command(command)
                if self.gate.stop_reason is not None:  # a stop that was latched without the lock
                    self.robot.hold()
        if command is None:
            command = RobotCommand(self._state.tcp_pose, self._gripper_width)
        else:
            if self._tool_steps.is_moving:
                self._motion.commanded(command, self._state)
            else:
                self._motion.begin()  # the steady error of a held pose is not a commanded motion
            self._gripper_width = command.gripper_width
        overrun = self._period.wait(self.clock)
        self._state = self.gate.believe(self.robot.read(), self._state)
        self._exposure.add(self._state)
        if self._check() is not None:
            self.robot.hold()
        self._previous_action = np.asarray(action, np.float32)
        if not np.isfinite(self._previous_action).all():
            self._previous_action = np.nan_to_num(self._previous_action, posinf=1.0, neginf=-1.0)
        self._steps += 1
        outcome = self._task.evaluate(self._state, self._seen)
        observation, info = self._observe(), self._info(outcome)
        is_last = self._steps >= self.config.max_steps
        score, facts = self._scoring.score(observation, self._state, outcome, info, self._task_judges, is_last)
        stop = self.gate.stop_reason  # read after the score, which takes time
        stopped = stop is not None
        if stopped:
            score, facts = self._scoring.stopped(outcome, self._task_judges)
        # A stop caused by the action is a failure to learn from; any other stop only truncates the episode.
        failed = outcome.failure and self._task_judges and not (stopped or score.success)
        terminated = stop in CAUSED_BY_ACTION and not stopped_before if stopped else score.success or failed
        truncated = not terminated and (stopped or is_last)
        facts |= {"stop_reason": self.gate.stop_text, "gated_command": command.flat(), "overrun": overrun}
        facts["failed"] = failed
        return observation, score.reward, terminated, truncated, info | facts

    @property
    def stop_reason(self) -> StopReason | None:
        """Reason of the latched stop; None while nothing is latched."""
        return self.gate.stop_reason

    @property
    def commanded_grippers(self) -> NDArray[np.float64]:
        """Gripper entries (n_arms,) that would command the present widths again; 0 where none does."""
        return commanded_wish(self._gripper_width, self.config.gripper_open_m)

    @property
    def stops(self) -> int:
        """Number of stops so far, for `resume`."""
        return self.gate.stops

    def resume(self, since: int | None = None) -> bool:
        """Clear the latched stop after the operator's confirmation, so that the next episode may start.

        Args:
            since: Value of `stops` when the operator confirmed; a later stop stays latched.

        Returns:
            True when no stop is latched now.
        """
        return self.gate.resume(since)

    def stop(self, reason: StopReason) -> None:
        """Latch a stop and hold, from any thread. No command is sent between the two."""
        with self._sending:
            self.gate.stop(reason)
            self.robot.hold()

    def hold(self) -> None:
        """Keep the arm where it is."""
        self.robot.hold()
        if len(self._start_pose):
            self.gate.begin(self._state.tcp_pose)

    def park(self) -> None:
        """Move the arm to its park pose for the operator's break, and hold there. Nothing latches."""
        if self.gate.stop_reason is None and len(self._start_pose):
            pose = self._start_pose.copy()
            for index, limits in enumerate(self.gate.limits.each_arm):
                if limits.park_position_m is not None:
                    pose[index] = [*limits.park_position_m, *limits.nominal_quat]
            try:
                self._move(pose, self._gripper_width)
            except RobotError as error:
                logger.warning("not parked, the arm stays where it is: %s", error)
        self.robot.hold()

    def preflight(self) -> str:
        """Return the objection to moving after a break, as a stop reason; "" = there is none.

        A fault found here does not latch, and a latched stop stays.
        """
        self.robot.forget_pose()
        self._state = self.robot.read()
        self._sources.begin()
        if self.gate.stop_reason is not None:
            return self.gate.stop_text
        trial = SafetyGate(self.gate.limits, self.config.control_period_s)
        trial.check_state(self._state, self.clock.now_ns())
        self._look(trial)
        return trial.stop_text or self.in_place(self._state)

    def close(self) -> None:
        """Hold, and close robot, cameras and sensors."""
        self.robot.close()
        self._sources.close()

    def _check(self) -> StopReason | None:
        """Check cameras, sensors and arm; latch and return the most basic fault."""
        self.gate.check_state(self._state, self.clock.now_ns())
        self._look(self.gate)
        return self.gate.latch(self._motion.check(self._state))

    def _look(self, gate: SafetyGate) -> None:
        self._sources.look(gate, self.clock.now_ns())

    def _move(self, tcp_pose: NDArray[np.float64], gripper_width: NDArray[np.float64]) -> None:
        """Move outside an episode, under the same limits; a fault on the way latches, and the arm holds there."""
        try:
            self._state = self.robot.reset(tcp_pose, gripper_width, self._may_go_on)
        except TareError as error:
            self._state = self.robot.read()
            self.gate.latch(StopReason.NOT_TARED, str(error))
        finally:
            self._tool_steps.release()
        self.gate.begin(self._state.tcp_pose)

    def _may_go_on(self, state: RobotState) -> bool:
        return self.gate.check_state(state, self.clock.now_ns()) is None

    def _observe(self) -> Observation:
        state = self._exposure.state(self._state, self._sources)
        of_task = self._task.observe(state, self._workpieces)
        vectors = self._observed.vectors(state, self._start_pose, self._start_wrench, self._previous_action, of_task)
        return vectors | self._sources.observation()

    def _info(self, outcome: Outcome) -> dict[str, Any]:
        return {
            "progress": outcome.progress,
            "stop_reason": self.gate.stop_text,
            "force_n": float(length(self._state.wrench[:, :3]).max()),
            "truth": self._task.truth(self._state, self._seen),
        }
