from steadyhand.actor.starts import Start, seeded_starts
from steadyhand.pipeline.comparing import shuffled
from steadyhand.pipeline.protocol import Starts


def test_listed_starts_come_in_a_random_order_once_in_every_repetition():
    listed = tuple(Start(seed) for seed in range(20))
    starts = Starts(listed * 3, {"starts": {"count": 20, "repeats": 3}})
    found = [start.seed for start in shuffled(starts, 7)]
    rounds = [found[:20], found[20:40], found[40:]]
    assert all(sorted(one) == list(range(20)) for one in rounds)
    assert len({tuple(one) for one in (*rounds, range(20))}) == 4
    assert [start.seed for start in shuffled(starts, 7)] == found
    assert [start.seed for start in shuffled(starts, 8)] != found


def test_drawn_starts_stay_as_they_are():
    assert tuple(shuffled(Starts(seeded_starts(0, 9), {}), 7)) == seeded_starts(0, 9)
