"""The line of the account about the reward of practice and demonstrations."""

from __future__ import annotations

from steadyhand.demo_compat import check_rewards, reward_objection
from steadyhand.earlier.line import DIFFERS, FITS, REFUSED, Line, joined
from steadyhand.earlier.run import EarlierRun
from steadyhand.job import Job
from steadyhand.runtime.component import present_name
from steadyhand.transport.demo_set import DemoSetError, is_demo_set

__all__ = ["reward_line"]

ENTRY_POINT = "entry_point"


def reward_line(job: Job, earlier: EarlierRun) -> Line:
    """Compare the rewards, in the configuration and in the records."""
    own = [job.run.demos] if is_demo_set(job.run.demos) else []
    try:
        check_rewards(job, [*own, *earlier.demos])
    except DemoSetError as error:
        return Line("reward", REFUSED, f"{error}")
    for log in earlier.logs:
        if line := reward_objection(job, log):
            return Line("reward", REFUSED, f"{log}: {line}")
    then, now = earlier.config.get("reward") or {}, job.settings.composed["reward"]
    old, new = (present_name(str(one.get(ENTRY_POINT))).rpartition(":")[2] for one in (then, now))
    advice = "practice keeps the rewards that were recorded; `steadyhand relabel --reward` scores it anew"
    if old != new:
        return Line("reward", DIFFERS, f"{old} then, {new} now; {advice}")
    changed = [key for key in dict.fromkeys([*then, *now]) if then.get(key) != now.get(key)]
    if changed:
        told = joined([f"reward.{key}={then.get(key)} then, {now.get(key)} now" for key in changed])
        return Line("reward", DIFFERS, f"{told}; {advice}")
    return Line("reward", FITS, new)
