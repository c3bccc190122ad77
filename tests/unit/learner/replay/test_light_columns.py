import numpy as np
import pytest

from steadyhand.learner.replay.light_columns import LightColumns
from steadyhand.transport.label_log import Label

REWARDS = [0.5, -1.0, 2.0]


def rows_of(first, count, **changes):
    """Return the columns of rows numbered from `first` on, of one episode of the policy."""
    false, true = np.zeros(count, np.bool_), np.ones(count, np.bool_)
    rows = {"seq": np.arange(first, first + count), "episode_id": np.zeros(count), "reward": np.resize(REWARDS, count)}
    rows |= {"terminated": false, "online": true, "demo": false, "practised": true, "failed": false, "lost": false}
    return rows | changes


@pytest.fixture
def columns():
    columns = LightColumns()
    columns.append(np.array([True, True, False]), rows_of(10, 3, demo=np.array([False, True, False])))
    return columns


def label(first_seq, end_seq, rewards=None, terminated=None, success=None):
    return Label("0" * 32, first_seq, end_seq, rewards, terminated, success, "ann", "2026-01-01")


def test_the_last_row_is_decided_with_its_successor(columns):
    assert (len(columns), columns.steps, columns.online_starts, columns.demo_starts) == (3, 3, 2, 1)
    columns.append(np.array([True, False]), rows_of(13, 1))
    assert columns["start"].tolist() == [True, True, True, False]
    assert (len(columns), columns.steps, columns.online_starts, columns.demo_starts) == (4, 4, 3, 1)


def test_counting_anew_counts_the_same_and_sees_what_was_replaced(columns):
    columns.count()
    assert (columns.steps, columns.online_starts, columns.demo_starts) == (3, 2, 1)
    columns.replace(np.array([1]), {"online": np.array([False]), "demo": np.array([False])})
    columns.count()
    assert (columns.steps, columns.online_starts, columns.demo_starts) == (3, 1, 0)


def test_a_label_changes_its_rows_from_the_given_one_on(columns):
    columns.apply(label(10, 13, (7.0, 8.0, 9.0), (False, True, True), success=False), 1)
    assert columns["reward"].tolist() == [0.5, 8.0, 9.0]
    assert columns["terminated"].tolist() == [False, True, True]
    assert columns["failed"].tolist() == [False, True, True]


def test_rows_come_back_as_they_were_saved_and_the_last_one_is_open(columns):
    failure = label(10, 12, success=False)
    columns.apply(failure, 0)
    loaded = LightColumns()
    loaded.load(columns.save(2), np.zeros(2, np.bool_), [failure])
    assert loaded["start"].tolist() == [True, False]
    for name in ("seq", "episode_id", "reward", "terminated", "online", "demo", "practised", "failed"):
        np.testing.assert_array_equal(loaded[name], columns[name][:2])
    assert (loaded.steps, loaded.online_starts, loaded.demo_starts) == (2, 1, 0)


def test_rewards_are_summed_up_to_the_newest_visible_row(columns):
    reached, reward, discount = columns.n_step(np.array([0, 1]), 5, 0.5, visible=3)
    assert reached.tolist() == [2, 2]
    np.testing.assert_allclose(reward, [0.0, -1.0])
    np.testing.assert_allclose(discount, [0.25, 0.5])
    assert columns.n_step(np.array([0]), 5, 0.5, visible=2)[0].tolist() == [1]


def test_history_repeats_the_first_row_of_an_episode(columns):
    assert columns.history(np.array([0, 2]), 3).tolist() == [[0, 0, 0], [0, 1, 2]]


@pytest.mark.parametrize(
    ("n_step", "reached", "reward", "discount"),
    [
        (1, [1, 2, 3, 4, 5], [1.0, 1.0, 1.0, 1.0, 1.0], [0.5, 0.1, 0.5, 0.5, 0.0]),
        (3, [2, 2, 5, 5, 5], [1.5, 1.0, 1.75, 1.5, 1.0], [0.05, 0.1, 0.0, 0.0, 0.0]),
    ],
)
def test_the_policy_keeps_a_share_of_the_value_where_a_person_takes_over(n_step, reached, reward, discount):
    columns = LightColumns()  # two steps of the policy, two of a person, and the last one of the policy
    demo = np.array([False, False, True, True, False, False])
    changes = {"reward": np.ones(6), "demo": demo, "terminated": np.arange(6) == 4}
    columns.append(np.arange(6) < 5, rows_of(0, 6, **changes))
    found = columns.n_step(np.arange(5), n_step, 0.5, visible=6, takeover_value=0.2)
    np.testing.assert_allclose(found[0], reached)
    np.testing.assert_allclose(found[1], reward)
    np.testing.assert_allclose(found[2], discount)
    whole = columns.n_step(np.arange(5), n_step, 0.5, visible=6)
    assert whole[2].tolist() == ([0.5, 0.5, 0.5, 0.5, 0.0] if n_step == 1 else [0.125, 0.125, 0.0, 0.0, 0.0])
