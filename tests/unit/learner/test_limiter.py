import pytest

from steadyhand.learner.limiter import UpdateLimiter, true_utd


@pytest.mark.parametrize(
    ("transitions", "updates", "may"),
    [(0, 0, False), (9, 0, False), (10, 0, True), (10, 20, True), (10, 21, False), (100, 199, True), (100, 201, False)],
)
def test_updates_wait_for_transitions(transitions, updates, may):
    assert UpdateLimiter(2.0, slack=4, block=4, start_transitions=10).may_update(transitions, updates) == may


@pytest.mark.parametrize("utd_ratio", [0.1, 0.5, 1.0, 2.0, 3.7, 20.0])
@pytest.mark.parametrize("slack", [0, 1, 50])
@pytest.mark.parametrize("block", [1, 4, 20])
@pytest.mark.parametrize("start", [0, 1, 100])
def test_lockstep_never_stops_both_and_keeps_the_ratio(utd_ratio, slack, block, start):
    limiter = UpdateLimiter(utd_ratio, slack, block, start)
    transitions = updates = 0
    for _ in range(3000):
        moved = False
        if transitions < limiter.transitions_allowed(updates):
            transitions, moved = transitions + 1, True
        elif limiter.may_update(transitions, updates):
            updates, moved = updates + block, True
        assert moved
        assert updates <= utd_ratio * transitions + slack
    lead = utd_ratio * transitions - updates
    assert lead <= slack + block + utd_ratio or transitions == start


def test_start_lets_a_lockstep_actor_reach_it():
    assert UpdateLimiter(1.0, 0, 1, start_transitions=500).transitions_allowed(0) == 500


def test_true_utd():
    assert true_utd(0, 0) == 0.0
    assert true_utd(50, 100) == 2.0


@pytest.mark.parametrize(("utd_ratio", "slack"), [(0.0, 1.0), (1.0, -1.0)])
def test_what_makes_no_pace_is_refused(utd_ratio, slack):
    with pytest.raises(ValueError, match="utd_ratio"):
        UpdateLimiter(utd_ratio, slack, 1, 0)
