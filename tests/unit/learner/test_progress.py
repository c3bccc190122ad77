import pytest

from steadyhand.learner.progress import Progress

BEFORE = Progress(40, 2, "online", 100, 100, {"a": 60, "b": 40})


@pytest.mark.parametrize(
    ("after", "released"),
    [
        (Progress(41, 2, "online", 101, 100, {"a": 60, "b": 40}), True),  # one more step is allowed
        (Progress(41, 2, "online", 101, 140, {"a": 80, "b": 60}), False),  # the actors are ahead
        (Progress(40, 2, "online", 100, 101, {"a": 61, "b": 40}), False),
        (Progress(41, 2, "finished", -1, 140, {"a": 80, "b": 60}), True),
        (Progress(41, 3, "finished", -1, 140, {"a": 80, "b": 60}), True),
    ],
)
def test_actors_are_released_by_permission_or_another_phase(after, released):
    assert after.releases(BEFORE) is released


def test_a_session_that_is_not_released_has_the_permission_that_it_had():
    """Actors in lockstep are announced to when they may go on, not after each update of a learner that is behind."""
    behind = Progress(41, 2, "online", 101, 140, {"a": 80, "b": 60})
    assert (behind.status("a").transitions_allowed, behind.status("b").transitions_allowed) == (80, 60)
    ahead = Progress(80, 2, "online", 143, 140, {"a": 80, "b": 60})
    assert ahead.status("a").transitions_allowed == 83
    assert ahead.releases(behind)
