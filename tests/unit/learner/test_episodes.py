import pytest

from steadyhand.learner.episodes import FIRST_ROWS, Episodes
from steadyhand.transport.record import Kind, Phase
from tests.unit.learner.logs import append, reader_of, write_episode, writer_in


@pytest.fixture
def log(tmp_path):
    writer = writer_in(tmp_path / "a")
    yield writer
    writer.close()


def practise(writer, episode, steps, human=(), success=False, reward=None):
    """An episode of practice whose last step says whether it succeeded."""
    for step in range(steps):
        last = step == steps - 1
        gain = float(success and last) if reward is None else reward
        append(writer, episode, step, has_human=step in human, reward=gain, success=success and last)
    append(writer, episode, steps, kind=Kind.FINAL)


def test_nothing_is_said_before_the_first_episode_has_ended(log):
    episodes = Episodes(3)
    append(log, 0, 0)
    episodes.refresh([reader_of(log)])
    assert episodes.scalars() == {}


def test_success_help_and_return_are_those_of_the_newest_episodes(log):
    reader, episodes = reader_of(log), Episodes(3)
    practise(log, 0, 5)  # too old for the window in the end
    practise(log, 1, 4, human=(1, 2), success=True)
    practise(log, 2, 6, success=True)
    practise(log, 3, 10, human=(9,), reward=0.5)
    reader.refresh()
    episodes.refresh([reader])
    assert episodes.scalars() == {
        "success": pytest.approx(2 / 3),
        "success_alone": pytest.approx(1 / 3),
        "intervention_share": pytest.approx(3 / 20),
        "episode_return": pytest.approx((1.0 + 1.0 + 5.0) / 3),
        "episode_steps": pytest.approx(20 / 3),
    }


def test_an_episode_that_arrives_in_parts_counts_once_and_whole(log):
    reader, episodes = reader_of(log), Episodes(10)
    for step in range(4):
        append(log, 0, step, reward=1.0, success=step == 3)
        reader.refresh()
        episodes.refresh([reader])
    append(log, 0, 4, kind=Kind.FINAL)
    for _ in range(2):
        reader.refresh()
        episodes.refresh([reader])
    assert episodes.scalars()["episode_return"] == 4.0
    assert episodes.scalars()["success"] == 1.0


def test_a_crash_leaves_no_steps_to_the_next_episode_and_demonstrations_do_not_count(log):
    write_episode(log, 0, 3, ending="crash")
    practise(log, 1, 2, success=True)
    write_episode(log, 2, 7, phase=Phase.DEMO)
    episodes = Episodes(10)
    episodes.refresh([reader_of(log)])
    assert episodes.scalars()["episode_steps"] == 2.0


def test_sessions_are_taken_together(tmp_path):
    writers = [writer_in(tmp_path / str(number), number) for number in range(2)]
    for writer, success in zip(writers, (True, False), strict=True):
        practise(writer, 0, 2, success=success)
    episodes = Episodes(10)
    episodes.refresh([reader_of(writer) for writer in writers])
    assert episodes.scalars()["success"] == 0.5


def test_a_resumed_learner_looks_back_at_the_newest_rows_alone(log, monkeypatch):
    monkeypatch.setattr("steadyhand.learner.episodes.FIRST_ROWS", 8)
    assert FIRST_ROWS >= 1000
    practise(log, 0, 9)
    practise(log, 1, 3, success=True)
    practise(log, 2, 3, success=True)
    episodes = Episodes(10)
    episodes.refresh([reader_of(log)])
    assert episodes.scalars()["success"] == 1.0


def test_the_first_and_the_newest_episodes_are_compared_once_they_are_others(log):
    reader, episodes = reader_of(log), Episodes(2)
    rates = []
    for number, (success, human) in enumerate([(True, ()), (True, (1,)), (False, ()), (True, ()), (True, ())]):
        practise(log, number, 3, human=human, success=success)
        reader.refresh()
        episodes.refresh([reader])
        rates.append(episodes.success_alone())
    assert rates == [None, None, None, (0.5, 0.5), (0.5, 1.0)]
