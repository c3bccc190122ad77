from steadyhand.actor.operator_break import PARKED, OperatorBreak
from tests.unit.actor.point_env import ParkedEnv, PointEnv, Tired


def test_a_wish_is_kept_until_the_break():
    person = Tired()
    rest = OperatorBreak(PointEnv(), person)
    assert not rest.requested()
    person.parks = True
    assert rest.requested()
    assert rest.requested()
    rest.run(lambda: False, lambda reason: None)
    assert not rest.requested()
    assert person.asked == [PARKED]


def test_it_parks_waits_for_the_person_and_looks_before_going_on(caplog):
    env, person, shown = ParkedEnv(), Tired(), []
    env.objections, person.refusals = 1, 3
    OperatorBreak(env, person).run(lambda: False, shown.append)
    assert env.calls == ["park", "preflight", "preflight"]
    objection = "the operator to end the break (not yet: stale_state (joint_states))"
    assert shown == ["the operator to end the break"] * 3 + [objection]
    assert "stale_state (joint_states)" in caplog.text


def test_the_end_of_the_process_ends_the_break():
    env, person = ParkedEnv(), Tired()
    person.refusals = 1_000
    looks = iter([False, False, True])
    OperatorBreak(env, person).run(lambda: next(looks, True), lambda reason: None)
    assert env.calls == ["park"]
