from steadyhand.actor.schedule import Schedule

MS = 1_000_000


def test_a_period_that_begins_late_does_not_move_the_next_one():
    schedule = Schedule(100.0, 0)
    assert schedule.due_ns == 10 * MS
    schedule.begin(13 * MS)
    assert schedule.due_ns == 20 * MS
    schedule.begin(20 * MS)
    assert (schedule.due_ns, schedule.missed, schedule.timing.count) == (30 * MS, 0, 2)


def test_after_an_overrun_it_starts_anew_and_catches_nothing_up():
    schedule = Schedule(100.0, 0)
    schedule.begin(47 * MS)
    assert (schedule.due_ns, schedule.missed) == (57 * MS, 1)
