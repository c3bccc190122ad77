"""The control loop on the robot: observe, select, act, append. It never waits for a disk, a network or a person."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import gymnasium
import numpy as np

from steadyhand.actor.action_selector import ActionSelector
from steadyhand.actor.arbiter import Decision
from steadyhand.actor.episode import Append, Episode
from steadyhand.actor.events import (
    ActionChosen,
    AuthorityChanged,
    EpisodeBegan,
    EpisodeEnded,
    Events,
    StepEnded,
    StopLatched,
)
from steadyhand.actor.gripper_state import GripperState
from steadyhand.actor.timing import Timing
from steadyhand.robot_envs.rewards.scoring import Judge
from steadyhand.robot_envs.teachable import EndedError, teachable
from steadyhand.runtime.clock import FakeClock, MonotonicClock
from steadyhand.runtime.logging import get_logger
from steadyhand.transport.record import Phase
from steadyhand.transport.schema import Schema

__all__ = ["INTERRUPTED", "NON_FINITE_OBSERVATION", "ControlLoop", "EpisodeSummary", "episode_seed"]

INTERRUPTED = "interrupted"  # the process was asked to stop
NON_FINITE_OBSERVATION = "non_finite_observation"
BAD_REWARDS = 5  # in a row, until it is an error
LATE = 1.5  # periods; an environment that does not report overruns is late from here on

logger = get_logger("actor.control_loop")


@dataclass(frozen=True)
class EpisodeSummary:
    """The result of one episode.

    `stop_reason` is "" when the task or its time ended it; a stopped episode is no success. `duration_s` is control
    time, `reset_s` the time of the reset before it; 0 where an environment has no clock. `peak_force_n` is the largest
    measured force; None where the environment reports none. `success` is the recorded verdict, and `judged_by` its
    source. `task_success` is the task's own verdict; None where the task has none. `discarded`: the person wants the
    episode again, without a label.
    """

    episode_id: int
    phase: Phase
    steps: int
    episode_return: float
    success: bool
    human_steps: int
    stop_reason: str
    duration_s: float
    policy_version: int
    judged_by: Judge = "task"
    task_success: bool | None = None
    reset_s: float = 0.0
    peak_force_n: float | None = None
    discarded: bool = False

    @property
    def helped(self) -> bool:
        """Return whether a person acted in any step."""
        return self.human_steps > 0


class ControlLoop:
    """Runs episodes of one environment, one step per control period.

    `env.step` passes the safety gate, commands, waits for the end of the period and reads the sensors. The loop's own
    work falls between a reading and the next command.

    Args:
        env: The environment, as `robot_envs.make_env` returns it.
        schema: Schema of `env`.
        append: Called with every record; it must copy the record.
        notify: Called after every append; it must not block.
        events: Gets the episodes, the steps, and the changes of authority.
    """

    def __init__(
        self,
        env: gymnasium.Env[Any, Any],
        schema: Schema,
        append: Append,
        notify: Callable[[], None] = lambda: None,
        events: Events | None = None,
    ) -> None:
        self.env = env
        self.events = events or Events()
        self.has_human = self.holds = False  # in the newest step
        self._holder: Literal["person", "policy", "nobody"] = "nobody"
        self.overruns = 0
        self.bad_rewards = 0  # steps whose reward no record can hold
        self._bad_rewards = 0  # the same, in a row
        self.period = Timing()  # from reading to reading, in control time
        self.compute = Timing()  # a step without `env.step`
        self._notify = notify
        self._episode = Episode(schema, append)
        self._robot = teachable(env)
        self._grippers = GripperState(self._robot.gripper_entries)
        self._period_ns = round(schema.control_period_s * 1e9)
        self._work = MonotonicClock()
        clock = self._robot.clock
        # Without a clock of its own, an environment's time passes by steps.
        self._stepped = FakeClock() if clock is None else None
        self._clock = clock or self._stepped or self._work

    def run_episode(
        self,
        episode_id: int,
        phase: Phase,
        selector: ActionSelector,
        seed: int | None = None,
        may_step: Callable[[], bool] = lambda: True,
        options: dict[str, Any] | None = None,
    ) -> EpisodeSummary:
        """Reset the environment and act until the episode ends. On every error the robot holds.

        Args:
            episode_id: Number of the episode, written into every record.
            phase: Phase of the episode, written into every record.
            selector: Selects the actions.
            seed: Seed of the environment's reset.
            may_step: Asked before every step; False interrupts the episode. It may wait, in simulation only.
            options: Options of the environment's reset.

        Raises:
            OSError: The log could not be written.
        """
        try:
            ended = self._run(episode_id, phase, selector, seed, may_step, options)
        except BaseException:
            self.hold()
            raise
        finally:
            self.has_human = self.holds = False
        self._pass_authority("nobody")
        stop_reason = ended.summary.stop_reason
        if stop_reason not in ("", INTERRUPTED):
            self.events.emit(StopLatched(stop_reason))
        self.events.emit(ended)
        return ended.summary

    def _run(
        self,
        episode_id: int,
        phase: Phase,
        selector: ActionSelector,
        seed: int | None,
        may_step: Callable[[], bool],
        options: dict[str, Any] | None,
    ) -> EpisodeEnded:
        asked_ns = self._clock.now_ns()
        try:
            observation, info = self.env.reset(seed=seed, options=options)
        except EndedError:
            self.hold()
            summary = EpisodeSummary(episode_id, phase, 0, 0.0, False, 0, INTERRUPTED, 0.0, selector.policy_version)
            return EpisodeEnded(summary, INTERRUPTED)
        self._grippers.begin(self._robot.commanded_grippers)
        began_ns = now_ns = self._clock.now_ns()
        stop_reason, ended, terminated = "", False, False
        self.events.emit(EpisodeBegan(episode_id, phase, now_ns, observation))
        if self._episode.begin(episode_id, phase, observation, now_ns):
            selector.begin(observation, info)
        else:
            stop_reason, ended = NON_FINITE_OBSERVATION, True
        steps = human_steps = 0
        valid = True
        episode_return = 0.0
        peak_force_n: float | None = None
        while not ended:
            if not may_step():
                stop_reason = INTERRUPTED
                break
            started_ns = self._work.now_ns()
            decision = self._grippers.complete(selector.select(observation, info, now_ns))
            self._tell(decision)
            chosen_ns = self._work.now_ns()
            observation, reward, terminated, truncated, info = self.env.step(decision.sent)
            looked_ns = self._work.now_ns()
            now_ns = self._time_step(now_ns, info)
            stop_reason = str(info.get("stop_reason", ""))
            ended = bool(terminated or truncated or stop_reason)
            # A stop that the environment calls terminal was caused by the action: training may use it.
            valid = bool(terminated) or not stop_reason
            reward = float(reward)
            if not self._episode.step(decision, selector.policy_version, reward, terminated, truncated, info, valid):
                self._note_bad_reward(reward)
                reward = 0.0
            else:
                self._bad_rewards = 0
            if self._episode.advance(observation, now_ns):
                selector.observe(observation)
            else:
                stop_reason, ended, valid = stop_reason or NON_FINITE_OBSERVATION, True, False
            self._notify()
            steps, human_steps = steps + 1, human_steps + decision.has_human
            episode_return += reward
            if "force_n" in info:
                peak_force_n = max(peak_force_n or 0.0, float(info["force_n"]))
            if self.events.wants(StepEnded):
                self.events.emit(StepEnded(episode_id, steps, observation, reward, now_ns))
            self.compute.add(self._work.now_ns() - looked_ns + chosen_ns - started_ns)
        if stop_reason:
            self.hold()
        if steps:
            self._episode.end(valid)
            self._notify()
        ended_soundly = steps > 0 and not stop_reason
        succeeded = bool(info.get("success", False))
        by_task = info.get("task_success", succeeded)
        outcome = stop_reason or ("success" if succeeded else "failure" if terminated else "truncated")
        summary = EpisodeSummary(
            episode_id=episode_id,
            phase=phase,
            steps=steps,
            episode_return=episode_return,
            success=ended_soundly and succeeded,
            human_steps=human_steps,
            stop_reason=stop_reason,
            duration_s=(now_ns - began_ns) / 1e9,
            policy_version=selector.policy_version,
            judged_by=info.get("judged_by", "task"),
            task_success=None if by_task is None else ended_soundly and bool(by_task),
            reset_s=(began_ns - asked_ns) / 1e9,
            peak_force_n=peak_force_n,
            discarded=bool(info.get("discarded", False)),
        )
        return EpisodeEnded(summary, outcome)

    def hold(self) -> None:
        """Hold the robot, if the environment has one."""
        self._robot.hold()

    def _tell(self, decision: Decision) -> None:
        """Note and emit the source of this step's action."""
        self.has_human, self.holds = decision.has_human, decision.holds
        by_policy = decision.policy_action is not None and decision.action is decision.policy_action
        self._pass_authority("person" if decision.has_human else "policy" if by_policy else "nobody")
        if self.events.wants(ActionChosen):
            self.events.emit(ActionChosen(decision.sent, *decision[1:5]))

    def _pass_authority(self, holder: Literal["person", "policy", "nobody"]) -> None:
        if holder != self._holder:
            self._holder = holder
            self.events.emit(AuthorityChanged(holder))

    def _note_bad_reward(self, reward: float) -> None:
        """Count a bad reward: one costs a record, many in a row mean that the source of the rewards is broken."""
        self.bad_rewards += 1
        self._bad_rewards += 1
        if self._bad_rewards == 1:
            logger.warning("reward: expected a finite number, found %s; the step is not learnt from", reward)
        elif self._bad_rewards == BAD_REWARDS:
            logger.error("reward: not finite in %d steps in a row; look at what gives the reward", BAD_REWARDS)

    def _time_step(self, before_ns: int, info: Mapping[str, Any]) -> int:
        """Return the control time now, and note the duration of the step."""
        if self._stepped is not None:
            self._stepped.advance_ns(self._period_ns)
        now_ns = self._clock.now_ns()
        self.period.add(now_ns - before_ns)
        late = now_ns - before_ns > LATE * self._period_ns
        self.overruns += bool(info.get("overrun", late))
        return now_ns


def episode_seed(seed: int, phase: Phase, index: int) -> int:
    """Return the seed of one episode's reset: no two phases of a run, and no two episodes, share one."""
    return int(np.random.SeedSequence((seed, int(phase), index)).generate_state(1)[0])
