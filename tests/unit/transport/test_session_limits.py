from dataclasses import replace

import pytest

from steadyhand.runtime.clock import FakeClock
from steadyhand.transport.session_limits import MAX_NEW_IN_ALL, MAX_NEW_SESSIONS, SessionLimits, schema_objections
from tests.transport_kit import ACTION, CONFIG, SCHEMA, STATE, WRIST


def test_an_actor_and_all_actors_together_are_limited():
    clock = FakeClock()
    limits = SessionLimits(clock)
    for _ in range(MAX_NEW_SESSIONS):
        assert limits.objections("a", "arm", (), ()) == []
        limits.count("arm")
    assert "of an actor" in limits.objections("a", "arm", (), ())[0]
    assert limits.objections("a", "arm", (), ("a",)) == []  # an earlier one goes on
    assert limits.objections("a", "leg", (), ()) == []
    for index in range(MAX_NEW_IN_ALL):
        limits.count(f"arm{index}")
    assert "at most 256 new ones" in limits.objections("a", "leg", (), ())[0]
    clock.advance_ns(60_000_000_000)
    assert limits.objections("a", "leg", (), ()) == []


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"observation": (replace(STATE, shape=(65_537,)), WRIST)}, "observation state: expected at most 65536"),
        ({"action": replace(ACTION, shape=(1025,))}, "action: expected at most 1024"),
        ({"command_size": 1025}, "command_size: expected at most 1024"),
        ({"observation": (replace(WRIST, shape=(4000, 4000, 3)),)}, "record: expected at most max_frame_bytes"),
    ],
)
def test_a_schema_that_would_take_too_much_memory_is_refused(changes, line):
    assert schema_objections(SCHEMA, CONFIG.max_frame_bytes) == []
    (found,) = schema_objections(replace(SCHEMA, **changes), CONFIG.max_frame_bytes)
    assert line in found
