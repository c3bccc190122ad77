import re

import pytest

from steadyhand.identity import actor_id, host_actor_id
from steadyhand.transport import wire


@pytest.mark.parametrize(
    ("host", "name"),
    [("Lab-PC", "lab-pc"), ("MacBook.local", "macbook.local"), ("_x", "x"), ("Büro 3", "b-ro-3"), ("", "robot")],
)
def test_any_hosts_name_makes_an_actors_name_that_the_wire_takes(host, name):
    assert actor_id(host) == name


def test_this_machine_has_one():
    assert re.fullmatch(wire.ACTOR_ID, host_actor_id())
