"""The actor's own status report, published once a second."""

from __future__ import annotations

from typing import Any

from actor_ros import diagnostics
from actor_ros.hardware import RosHardware
from actor_ros.jobs import ActorJob
from steadyhand.actor.supervision.motion_enable import MotionEnable

__all__ = ["report"]


def report(cell: RosHardware, motion: MotionEnable, work: ActorJob | None) -> tuple[Any, str, dict[str, str]]:
    """Return level, message and values of the actor's status on /diagnostics."""
    values = {f"age_s.{name}": f"{age_s:.3f}" for name, age_s in cell.sources.ages_s().items()}
    values["active"] = str(work is not None)
    values["enabled"] = str(motion.enabled)
    values["stop_reason"] = motion.reason
    values["needs_recover"] = str(motion.needs_recover)
    values["watchdog"] = cell.link.watchdog_stop
    values |= {f"gain.{name}": f"{value:g}" for name, value in cell.gains.items()}
    times = work.times if work is not None else None
    if times is not None:
        values |= diagnostics.period_values(times.period, times.missed)
        values["catch_up_bursts"] = str(times.bursts)
    training = work.training if work is not None else None
    if training is not None:
        status = training.status()
        values |= {
            "learner": status.learner_phase if status.connected else "not connected",
            "policy_version": str(status.policy_version),
            "policy_age_s": f"{status.policy_age_s:.1f}",
            "intervention_rate": f"{status.intervention_rate:.3f}",
            "episodes": str(status.episode),
            "env_steps": str(status.env_steps),
            "waiting": status.waiting,
        }
    objection = cell.sources.objection()
    if objection or motion.needs_recover:
        message = objection or "fault: actor/recover, then actor/enable"
        return diagnostics.ERROR, message, values
    if not motion.enabled:
        return diagnostics.WARN, motion.reason, values
    return diagnostics.OK, "moving is allowed", values
