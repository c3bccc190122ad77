from steadyhand.robot_envs.safety.freshness import Freshness

SECOND = 1_000_000_000


def test_a_source_is_fresh_for_its_age_and_then_silent():
    source = Freshness(0.2)
    assert not source.was_heard
    assert not source.is_fresh(0)
    assert source.age_ns(0) is None
    source.heard(SECOND)
    assert source.age_ns(SECOND + 5) == 5
    assert source.is_fresh(SECOND + SECOND // 5)
    assert not source.is_fresh(SECOND + SECOND // 5 + 1)


def test_a_source_that_speaks_on_a_change_only_stays_fresh():
    source = Freshness(None)
    assert not source.is_fresh(0)
    source.heard(0)
    assert source.is_fresh(10**18)


def test_a_forgotten_source_was_never_heard():
    source = Freshness(0.2)
    source.heard(0)
    source.forget()
    assert not source.was_heard
