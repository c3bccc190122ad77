import numpy as np
import pytest

from steadyhand.learner.replay.replay_log import ReplayLog
from steadyhand.transport.record import Kind, Phase
from tests.unit.learner.logs import append, reader_of, write_episode, writer_in


@pytest.fixture
def writer(tmp_path):
    writer = writer_in(tmp_path / "log")
    yield writer
    writer.close()


def opened(writer):
    log = ReplayLog(reader_of(writer))
    return log, log.advance(log.next_seq)


def test_starts_by_phase_and_person(writer):
    write_episode(writer, 0, 3, phase=Phase.DEMO)  # rows 0-3
    write_episode(writer, 1, 3, phase=Phase.EVAL)  # rows 4-7
    write_episode(writer, 2, 3, human=(1,))  # rows 8-11
    log, (online, demo) = opened(writer)
    assert online.tolist() == [8, 9, 10]
    assert demo.tolist() == [0, 1, 2, 9]
    assert log.steps == 3
    np.testing.assert_array_equal(log.is_demo(np.array([8, 9])), [False, True])


def test_a_record_without_a_valid_successor_is_no_start(writer):
    write_episode(writer, 0, 3, ending="crash")  # row 2 has no successor
    append(writer, 1, 0)
    append(writer, 1, 1, valid=False)
    append(writer, 1, 2)
    append(writer, 1, 4)  # step 3 is missing
    append(writer, 1, 5)
    _, (online, _) = opened(writer)
    assert online.tolist() == [0, 1, 6]


def test_a_start_appears_with_its_successor(writer):
    append(writer, 0, 0)
    append(writer, 0, 1)
    log, (online, _) = opened(writer)
    assert online.tolist() == [0]
    assert log.steps == 2
    append(writer, 0, 2, kind=Kind.FINAL)
    log.refresh()
    assert log.advance(2)[0].tolist() == []
    assert log.advance(3)[0].tolist() == [1]
    assert log.steps == 2


def test_advancing_bit_by_bit_gives_the_same_starts(writer):
    rng = np.random.default_rng(0)
    for episode in range(30):
        ending = rng.choice(["terminated", "truncated", "crash"])
        write_episode(writer, episode, int(rng.integers(1, 9)), ending, human=(1, 2))
    whole, (online, demo) = opened(writer)
    log = ReplayLog(reader_of(writer))
    parts = [log.advance(next_seq) for next_seq in [*range(0, whole.next_seq, 3), whole.next_seq]]
    np.testing.assert_array_equal(np.concatenate([part[0] for part in parts]), online)
    np.testing.assert_array_equal(np.concatenate([part[1] for part in parts]), demo)


def test_refresh_bit_by_bit_loads_the_same_columns(writer):
    log = None
    for episode in range(10):
        write_episode(writer, episode, 3, human=(0,))
        log = log or ReplayLog(reader_of(writer))
        log.refresh()
    whole, starts = opened(writer)
    assert (log.steps, log.online_starts, log.demo_starts) == (whole.steps, 30, 10)
    for one, other in zip(log.advance(whole.next_seq), starts, strict=True):
        np.testing.assert_array_equal(one, other)


def n_step_by_hand(rewards, row, n_step, gamma, last, terminated):
    """Sum over an episode whose steps are 0..last, seen to its end."""
    steps = min(n_step, last + 1 - row)
    total = sum(gamma**j * rewards[row + j] for j in range(steps))
    ended = terminated and row + steps == last + 1
    return row + steps, total, 0.0 if ended else gamma**steps


@pytest.mark.parametrize("ending", ["terminated", "truncated"])
@pytest.mark.parametrize("n_step", [1, 3, 10])
def test_n_step_against_hand_sums(writer, ending, n_step):
    rewards = [0.5, -1.0, 2.0, 0.25, 3.0]
    write_episode(writer, 0, 5, ending, reward=rewards)
    write_episode(writer, 1, 5, ending, reward=[100.0] * 5)
    log, _ = opened(writer)
    rows = np.arange(5)
    reached, reward, discount = log.n_step(rows, n_step, 0.9)
    for row in range(5):
        expected = n_step_by_hand(rewards, row, n_step, 0.9, 4, ending == "terminated")
        assert reached[row] == expected[0]
        np.testing.assert_allclose((reward[row], discount[row]), expected[1:], rtol=1e-6)


def test_n_step_stops_where_an_episode_was_cut_off(writer):
    write_episode(writer, 0, 4, ending="crash", reward=[1.0, 2.0, 4.0, 8.0])
    write_episode(writer, 1, 3, reward=[100.0] * 3)
    log, _ = opened(writer)
    reached, reward, discount = log.n_step(np.array([0, 1, 2]), 3, 0.5)
    assert reached.tolist() == [3, 3, 3]
    np.testing.assert_allclose(reward, [1 + 0.5 * 2 + 0.25 * 4, 2 + 0.5 * 4, 4])
    np.testing.assert_allclose(discount, [0.125, 0.25, 0.5])


def test_n_step_sees_only_what_is_visible(writer):
    write_episode(writer, 0, 6, reward=[1.0] * 6)
    log = ReplayLog(reader_of(writer))
    log.advance(3)
    reached, reward, discount = log.n_step(np.array([0, 1]), 5, 0.5)
    assert reached.tolist() == [2, 2]
    np.testing.assert_allclose(reward, [1.5, 1.0])
    np.testing.assert_allclose(discount, [0.25, 0.5])


def test_history_repeats_the_first_observation_of_an_episode(writer):
    write_episode(writer, 0, 3)  # rows 0-3
    write_episode(writer, 1, 3)  # rows 4-7
    log, _ = opened(writer)
    rows = log.history(np.array([0, 2, 4, 5, 7]), 4)
    assert rows.tolist() == [[0, 0, 0, 0], [0, 0, 1, 2], [4, 4, 4, 4], [4, 4, 4, 5], [4, 5, 6, 7]]


def test_history_does_not_reach_across_an_invalid_record(writer):
    for step in range(5):
        append(writer, 0, step, valid=step != 1)
    log, _ = opened(writer)
    assert log.history(np.array([3]), 4).tolist() == [[2, 2, 2, 3]]
