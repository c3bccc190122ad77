import pytest

from actor_ros.permission import Permission


@pytest.fixture
def told():
    return []


@pytest.fixture
def permission(told):
    return Permission(told.append)


def test_nothing_moves_until_a_person_gives_leave(permission, told):
    assert not permission.given
    assert permission.reason
    assert permission.give() == ""
    assert permission.given
    assert permission.reason == ""
    assert told == []


def test_the_first_reason_stays_until_leave_is_given_again(permission, told):
    permission.give()
    permission.withdraw("person_stop")
    permission.withdraw("stale_state")
    assert (permission.given, permission.reason, told) == (False, "person_stop", ["person_stop"])
    permission.give()
    assert permission.reason == ""


def test_leave_that_was_asked_for_before_a_stop_is_not_given_after_it(permission):
    since = permission.withdrawals
    permission.withdraw("person_stop")  # nothing was allowed yet: it counts all the same
    assert "stop came meanwhile" in permission.give(since)
    assert not permission.given
    assert permission.give(permission.withdrawals) == ""


def test_after_a_fault_leave_is_refused_until_somebody_recovers(permission, told):
    permission.give()
    permission.fault()
    permission.fault()
    assert told == ["robot_fault"]
    assert "actor/recover" in permission.give()
    assert not permission.given
    permission.recovered()
    assert not permission.given
    assert permission.give() == ""


def test_a_mark_is_taken_once(permission):
    assert permission.take_mark() is None
    permission.mark("success")
    assert permission.take_mark() == "success"
    assert permission.take_mark() is None
