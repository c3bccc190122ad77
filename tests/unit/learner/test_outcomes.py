import pytest

from steadyhand.learner.outcomes import Outcomes, OutcomeWatch
from steadyhand.learner.replay.store import ReplayStore
from steadyhand.transport.record import Kind
from tests.unit.learner.logs import append, reader_of, writer_in


@pytest.fixture
def logs(tmp_path):
    writers = [writer_in(tmp_path / name, number) for number, name in enumerate(("a", "b"))]
    yield writers
    for writer in writers:
        writer.close()


def practise(writer, episode, success=False, human=(), steps=3):
    for step in range(steps):
        append(writer, episode, step, has_human=step in human, success=success and step == steps - 1)
    append(writer, episode, steps, kind=Kind.FINAL)


def looked_at(store, watch, readers):
    for reader in readers:
        reader.refresh()
    store.advance(store.refresh(readers))
    return watch.look(store)


def test_the_first_and_the_newest_episodes_are_compared(logs):
    store, watch, readers = ReplayStore(1_000), OutcomeWatch(2, 2), [reader_of(logs[0])]
    found = []
    episodes = [(True, ()), (True, (1,)), (False, ()), (True, ()), (True, ()), (False, ())]
    for number, (success, human) in enumerate(episodes):
        practise(logs[0], number, success, human)
        found.append(looked_at(store, watch, readers))
    # An episode counts once the next one has begun.
    begin = [Outcomes(0.0, 0.0, 0, 0, 0.0, 0), Outcomes(1.0, 1.0, 1, 1, 1.0, 1)]
    rates = [(0.5, 0.5), (0.5, 0.0), (0.5, 0.5), (0.5, 1.0)]
    assert found == begin + [Outcomes(*pair, 2, ended, pair[1], 2) for ended, pair in enumerate(rates, 2)]


def test_episodes_of_several_actors_are_in_the_order_of_their_ends(logs):
    store, watch, readers = ReplayStore(1_000), OutcomeWatch(2, 2), [reader_of(log) for log in logs]
    for number in range(3):
        practise(logs[0], number, success=True)
        looked_at(store, watch, readers)
    for number in range(3):
        practise(logs[1], number, success=False)
        found = looked_at(store, watch, readers)
    assert (found.first, found.newest) == (1.0, 0.0)


@pytest.mark.parametrize(
    ("first", "lasting", "is_gain"), [(0.4, 0.6, False), (0.4, 0.65, True), (0.95, 0.95, False), (0.95, 1.0, True)]
)
def test_a_gain_is_more_than_chance(first, lasting, is_gain):
    """Of twenty episodes; a rate of 0.4 has a spread of 0.15 against another one of the same policy."""
    assert Outcomes(first, lasting, 10, 99, lasting, 20).is_gain == is_gain


def test_only_visible_records_count(logs):
    store, watch, reader = ReplayStore(1_000), OutcomeWatch(2, 2), reader_of(logs[0])
    for number in range(4):
        practise(logs[0], number, success=True)
    reader.refresh()
    session, everything = next(iter(store.refresh([reader]).items()))
    store.advance({session: everything // 4})
    assert watch.look(store).ended < 2
    store.advance({session: everything})
    assert watch.look(store) == Outcomes(1.0, 1.0, 2, 3, 1.0, 2)


def test_every_ended_episode_is_counted_however_few_starts_are_looked_at(logs, monkeypatch):
    monkeypatch.setattr("steadyhand.learner.outcomes.ROWS", 6)
    store, watch, readers = ReplayStore(1_000), OutcomeWatch(1, 1), [reader_of(log) for log in logs]
    for number in range(9):
        practise(logs[0], number)
        practise(logs[1], number)
        found = looked_at(store, watch, readers)
    assert found.ended == 16


def test_the_first_rate_is_of_more_episodes_than_the_newest(logs):
    store, watch, reader = ReplayStore(1_000), OutcomeWatch(4, 2), reader_of(logs[0])
    found = []
    for number, success in enumerate((True, False, False, False, True, True, True)):
        practise(logs[0], number, success)
        outcomes = looked_at(store, watch, [reader])
        found.append((outcomes.first, outcomes.newest, outcomes.lasting))
    rates = [(0.0, 0.0, 0.0), (1.0, 1.0, 1.0), (0.5, 0.5, 0.5), (1 / 3, 0.0, 1 / 3), (0.25, 0.0, 0.25)]
    rates += [(0.25, 0.5, 0.25), (0.25, 1.0, 0.5)]
    assert found == [pytest.approx(pair) for pair in rates]
