"""Relabel recorded episodes with rewards by your own rule. Records are never rewritten: the newest label counts.

A learner that trains on the log uses such labels, also while it runs. A classifier or a person can write labels too
(`steadyhand relabel`).
"""

import sys

import steadyhand as sh
from steadyhand.runtime.clock import utc_text, wall_time_ns
from steadyhand.transport.label_log import Label, append_label
from steadyhand.transport.log import LogReader

SLOW_STEPS = 40


def speed_rewards(episode) -> tuple[float, ...]:
    """Return the rewards (T,): a faster success has a larger reward."""
    steps = len(episode)
    last = max(0.2, 1.0 - steps / SLOW_STEPS) if episode.success else 0.0
    return (0.0,) * (steps - 1) + (last,)


folder = sh.record("task=reach", "demo.demos=3", *sys.argv[1:])
log = sh.read_log(folder)
reader = LogReader(folder)
for episode in log:
    first = int(reader.gather(range(len(reader)), "episode_id").searchsorted(episode.episode_id))
    seq, rewards = reader.seq_at(first), speed_rewards(episode)
    date = utc_text(wall_time_ns())
    append_label(
        folder, Label(log.facts.session_id, seq, seq + len(episode), rewards, None, None, "speed_rewards", date)
    )
reader.close()

for episode in sh.read_log(folder):
    print(f"episode {episode.episode_id}: {len(episode)} steps, reward now {episode.rewards[-1]:.3f}")
