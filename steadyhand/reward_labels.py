"""Labels that give stored records the scores of a reward component. Records are not changed."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from steadyhand.robot_envs.rewards.reward import LAST_STEP, Reward, SeenField
from steadyhand.robot_envs.tasks.task import Outcome
from steadyhand.runtime.clock import utc_text, wall_time_ns
from steadyhand.transport.label_log import BY_REWARD, Label
from steadyhand.transport.labelled import EpisodeRows, LabelledColumns, labelled_columns
from steadyhand.transport.log import LogError, LogReader
from steadyhand.transport.record import OBSERVATION

__all__ = ["reward_labels"]


def reward_labels(
    folder: Path, reward: Reward, episode_id: int | None = None, keep_verdicts: bool = False
) -> tuple[list[Label], int]:
    """Score every step of stored episodes, and return the resulting labels.

    An episode that already has these scores needs no label, so a second call returns none. A step that ended its
    episode as a failure stays a failure, for instance a stop caused by the action or an operator's mark.

    Args:
        folder: A demo set or a log.
        reward: The component. It gets the steps in order, episode by episode, with the recorded outcome and no robot
            state.
        episode_id: The only episode to score; None = all.
        keep_verdicts: True if an episode on which a person has given a verdict afterwards stays as it is.

    Returns:
        One label for each episode that changes; the number of scored episodes.

    Raises:
        ConfigError: The reward reads a field that was not recorded.
        LogError: There is no such log, or no such episode in it.
        LabelError: The label log is damaged.
    """
    with closing(LogReader(folder)) as reader:
        fields = reader.schema.observation
        reward.check({field.name: SeenField(field.shape, field.dtype, field.frame) for field in fields})
        reward.set_period(reader.schema.control_period_s)
        now = labelled_columns(reader)
        episodes = [one for one in now.episodes() if episode_id in (None, one.episode_id) and len(one.seen) > 1]
        if episode_id is not None and not episodes:
            raise LogError(f"{folder}: expected a recorded episode, found no episode {episode_id}; see `inspect`")
        if keep_verdicts:
            episodes = [one for one in episodes if not now.by_person[one.seen].any()]
        labels = [_label(reader, now, reward, episode) for episode in episodes]
        return [label for label in labels if label is not None], len(episodes)


def _label(reader: LogReader, now: LabelledColumns, reward: Reward, episode: EpisodeRows) -> Label | None:
    """Score one episode; return its label, or None when nothing changes."""
    rows = episode.seen
    record = reader.read(int(rows[0]), int(rows[-1]) + 1)
    names = [field.name for field in reader.schema.observation]
    rewards, terminated, success = now.reward[rows], now.terminated[rows], False
    reward.begin()
    for step in range(len(rows) - 1):  # the last row ends the episode, or a crash cut off its next observation
        row = record[step]
        terms = dict(zip(reader.schema.reward_terms, row["reward_terms"].tolist(), strict=True))
        outcome = Outcome(float(row["reward"]), bool(row["success"]), float("nan"), terms)
        seen = {name: record[step + 1][OBSERVATION + name] for name in names}
        score = reward.score(seen, None, outcome, {LAST_STEP: step == len(rows) - 2})
        failed = bool(row["terminated"]) and not row["success"]
        rewards[step] = 0.0 if failed and score.success else score.reward
        terminated[step] = failed or score.success
        success |= score.success and not failed
    same = (now.reward[rows] == rewards).all() and (now.terminated[rows] == terminated).all()
    if same and bool(now.success[rows].any()) == success:
        return None
    return Label(
        session_id=reader.session_id,
        first_seq=int(now.seq[rows[0]]),
        end_seq=int(now.seq[rows[-1]]) + 1,
        rewards=tuple(rewards.tolist()),
        terminated=tuple(terminated.tolist()),
        success=success,
        author=f"{BY_REWARD}{type(reward).__name__}",
        date=utc_text(wall_time_ns()),
    )
