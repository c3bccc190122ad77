import numpy as np

from steadyhand.transport.label_log import BY_REWARD, UNSURE, Label, append_label
from steadyhand.transport.labelled import UNMARKED, labelled_columns
from steadyhand.transport.log import LogReader
from tests.unit.learner.logs import session_id, write_episode, writer_in


def labelled(folder):
    reader = LogReader(folder)
    columns = labelled_columns(reader)
    reader.close()
    return columns


def test_episodes_have_a_row_more_than_steps_unless_a_crash_cut_the_last_one_off(tmp_path):
    writer = writer_in(tmp_path)
    write_episode(writer, 3, 2)
    write_episode(writer, 5, 3, "crash")
    write_episode(writer, 6, 1)
    writer.close()
    found = [(one.episode_id, one.steps.tolist(), one.seen.tolist()) for one in labelled(tmp_path).episodes()]
    assert found == [(3, [0, 1], [0, 1, 2]), (5, [3, 4, 5], [3, 4, 5]), (6, [6], [6, 7])]


def test_the_newest_label_counts_and_one_beyond_the_records_does_no_harm(tmp_path):
    writer = writer_in(tmp_path)
    write_episode(writer, 0, 2)
    write_episode(writer, 1, 2)
    writer.close()
    before = labelled(tmp_path)
    assert (before.labels, before.reward.tolist()) == (0, [0, 1, 0, 0, 1, 0])
    for reward in (0.5, 0.25):
        said = ((0.0, reward, 0.0), (False, False, True), True)
        append_label(tmp_path, Label(session_id(0), 3, 6, *said, "me", "2026-01-01"))
    append_label(tmp_path, Label(session_id(0), 5, 40, None, None, False, "me", "2026-01-01"))
    now = labelled(tmp_path)
    assert now.labels == 3
    assert now.reward.tolist() == [0, 1, 0, 0, 0.25, 0]
    assert now.terminated.tolist() == [False, True, False, False, False, True]
    assert now.success.tolist() == [False, False, False, True, True, False]
    np.testing.assert_array_equal(now.seq, before.seq)


def test_marks_say_which_stage_an_observation_shows_and_persons_verdicts_are_told_from_a_reward_s(tmp_path):
    writer = writer_in(tmp_path)
    write_episode(writer, 0, 2)
    write_episode(writer, 1, 2)
    writer.close()
    append_label(tmp_path, Label(session_id(0), 0, 3, None, None, None, "me", "2026-01-01", stages=(0, UNSURE, 2)))
    append_label(tmp_path, Label(session_id(0), 0, 3, None, None, False, "me", "2026-01-01"))
    append_label(tmp_path, Label(session_id(0), 3, 6, None, None, True, f"{BY_REWARD}Near", "2026-01-01"))
    now = labelled(tmp_path)
    assert now.stage.tolist() == [0, UNSURE, 2, UNMARKED, UNMARKED, UNMARKED]
    assert now.by_person.tolist() == [True] * 3 + [False] * 3
    append_label(tmp_path, Label(session_id(0), 1, 2, None, None, None, "me", "2026-01-02", stages=(1,)))
    assert labelled(tmp_path).stage.tolist()[:3] == [0, 1, 2]
