"""What the fault tests share: a robot that keeps its own account, faults by plan, and a practice to put them into."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from steadyhand.actor.action_selector import ActionSelector
from steadyhand.actor.arbiter import Arbiter
from steadyhand.actor.authority import AT_ONCE
from steadyhand.actor.control_loop import ControlLoop, EpisodeSummary
from steadyhand.actor.env_schema import env_schema
from steadyhand.robot_envs.robot import RobotCommand, RobotState
from steadyhand.transport.record import Phase
from tests.robot_kit import RecordingRobot, make_robot_env

# Nothing ends an episode here but the fault.
ENDLESS = (
    "task=reach",
    "task.settings.tolerance_m=0.000001",
    "task.drive.max_steps=1000",
    "robot.imperfections.command_latency_s=0",
)


@dataclass(frozen=True)
class Fault:
    """From reading `at` of an episode on (0 = the one after its reset), for `lasting` readings, a state is changed."""

    at: int
    change: Callable[[RobotState], RobotState]
    lasting: int = 1


def not_finite(field: str, value: float = np.nan) -> Callable[[RobotState], RobotState]:
    """Return a change that puts `value` into the last entry of a field of the state."""

    def change(state: RobotState) -> RobotState:
        values = getattr(state, field).copy()
        values.reshape(-1)[-1] = value
        return replace(state, **{field: values})

    return change


class FaultPlan:
    """The faults of one episode."""

    def __init__(self, *faults: Fault) -> None:
        self.faults = faults
        self.reading = -1

    def begin(self) -> None:
        """A new episode."""
        self.reading = -1

    def apply(self, state: RobotState) -> RobotState:
        """Return the next reading as the plan has it."""
        self.reading += 1
        for fault in self.faults:
            if fault.at <= self.reading < fault.at + fault.lasting:
                state = fault.change(state)
        return state


class WitnessRobot(RecordingRobot):
    """Notes what it is told and when, by the clock of its environment, and reads what the plan says.

    `log` has (time, what) with read, command, hold and reset. Times to a stop come from here, never from the code
    under test.
    """

    def __init__(self, robot, clock, plan: FaultPlan | None = None) -> None:
        super().__init__(robot)
        self._clock = clock
        self.plan = plan or FaultPlan()
        self.log: list[tuple[int, str]] = []

    def read(self) -> RobotState:
        state = self.plan.apply(super().read())
        self._note("read")
        return state

    def reset(self, tcp_pose, gripper_width, may_go_on) -> RobotState:
        self.plan.begin()
        state = self.plan.apply(super().reset(tcp_pose, gripper_width, may_go_on))
        self._note("reset")
        return state

    def command(self, command: RobotCommand) -> None:
        self._note("command")
        super().command(command)

    def hold(self) -> None:
        self._note("hold")
        super().hold()

    def _note(self, what: str) -> None:
        self.log.append((self._clock.now_ns(), what))

    def times(self, what: str) -> list[int]:
        """Return when it was told so [ns]."""
        return [when for when, told in self.log if told == what]

    def stop_periods(self, onset_ns: int, period_ns: int) -> float:
        """Return the control periods from `onset_ns` to the first hold; infinite without one."""
        holds = [when for when in self.times("hold") if when >= onset_ns]
        return (holds[0] - onset_ns) / period_ns if holds else float("inf")

    def commands_after_stop(self, onset_ns: int) -> int:
        """Return how many commands came after the first hold since `onset_ns`."""
        first = next(index for index, (when, what) in enumerate(self.log) if what == "hold" and when >= onset_ns)
        return sum(what == "command" for _, what in self.log[first:])


class Pusher:
    """An operator that always wants the same action, and allows the robot to go on when told so."""

    def __init__(self, action) -> None:
        self.action = None if action is None else np.asarray(action, np.float32)
        self.allows = False

    def reset(self, info):
        pass

    def act(self, observation, info, policy_action):
        return self.action

    def may_resume(self, stop_reason):
        return self.allows

    def wants_park(self):
        return False

    def close(self):
        pass


class StubPolicy:
    """A policy whose action of step `n` is `act(n)`."""

    policy_version, ready = 7, True

    def __init__(self, act) -> None:
        self._act, self.step, self.observed = act, 0, []

    def begin(self, observation):
        self.step, self.observed = 0, [observation]

    def observe(self, observation):
        self.observed.append(observation)

    def act(self, deterministic):
        self.step += 1
        return np.asarray(self._act(self.step - 1), np.float32)


class Practice:
    """A robot task on the mock, its real control loop, and the records that it makes."""

    def __init__(self, *overrides: str, plan: FaultPlan | None = None, operator=None, policy=None) -> None:
        self.env = make_robot_env(*ENDLESS, *overrides)
        self.robot = self.env.robot = WitnessRobot(self.env.robot, self.env.clock, plan)
        self.period_ns = round(self.env.config.control_period_s * 1e9)
        self.records: list[np.ndarray] = []
        size = self.env.action_space.shape[0]
        self.operator = operator or Pusher([0.5] + [0.0] * (size - 1) if policy is None else None)
        self.selector = ActionSelector(self.operator, Arbiter(np.zeros(size, np.bool_), AT_ONCE, 0.1), policy)
        self.loop = ControlLoop(self.env, env_schema(self.env), lambda record: self.records.append(record.copy()))

    def run(self, steps: int = 20, episode_id: int = 0) -> EpisodeSummary:
        """Run an episode of at most so many steps."""
        left = iter(range(steps))
        return self.loop.run_episode(
            episode_id, Phase.TRAIN, self.selector, seed=1, may_step=lambda: next(left, None) is not None
        )

    def onset_ns(self, at: int) -> int:
        """Return the moment after the last sound reading before reading `at`: the earliest that its fault can be."""
        return [when for when, what in self.robot.log if what in ("read", "reset")][at - 1]

    def rows(self) -> np.ndarray:
        """Return the records, numbered as a log would."""
        rows = np.stack(self.records)
        rows["seq"] = np.arange(len(rows))
        return rows
