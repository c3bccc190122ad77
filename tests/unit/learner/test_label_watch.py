import logging

import pytest

from steadyhand.learner.label_watch import LabelWatch
from steadyhand.transport.label_log import BY_REWARD, Label, append_label
from tests.unit.learner.logs import reader_of, session_id, write_episode, writer_in

STEPS = 2


@pytest.fixture
def log(tmp_path):
    """A log of 12 episodes without a recorded success."""
    writer = writer_in(tmp_path)
    for episode in range(12):
        write_episode(writer, episode, STEPS)
    writer.close()
    reader = reader_of(writer)
    yield reader
    reader.close()


def judge(log, episode, success, author="anna", **more):
    first = episode * (STEPS + 1)
    label = Label(session_id(0), first, first + STEPS + 1, None, None, success, author, "2026-01-01", **more)
    append_label(log.folder, label)


def test_labels_of_people_are_compared_and_a_fall_and_its_end_are_reported_once(log, caplog):
    watch = LabelWatch()
    watch.look([log])
    assert watch.agreement is None
    with caplog.at_level(logging.WARNING):
        for episode in range(5):
            judge(log, episode, True)
            watch.look([log])
        assert watch.agreement == 0.0
        for episode in range(5):
            judge(log, episode, False)  # the newest verdict counts
        watch.look([log])
        watch.look([log])
    assert watch.agreement == 1.0
    lines = [record.getMessage() for record in caplog.records]
    assert len(lines) == 2
    assert "their labels contradict 100 % of the newest 5" in lines[0]
    assert "confirm the recorded outcomes again (100 %)" in lines[1]


def test_labels_of_rewards_marks_and_records_that_are_not_here_do_not_count(log):
    watch = LabelWatch()
    judge(log, 0, True, author=f"{BY_REWARD}ClassifierReward")
    judge(log, 1, None, stages=(0, 0, 1))
    judge(log, 40, True)
    watch.look([log])
    assert watch.agreement is None
