from dataclasses import replace

import msgspec
import pytest

from steadyhand.transport.hello_terms import HelloTerms
from steadyhand.transport.run_identity import UNKNOWN, Identity
from steadyhand.transport.schema import SchemaError
from tests.transport_kit import ACTION, SCHEMA, hello


def terms(schema=None, identity=UNKNOWN):
    return HelloTerms(1 << 20, schema, identity, accept_other_robot=False)


def test_the_first_hello_gives_schema_and_robot():
    found = terms()
    greeting = msgspec.structs.replace(hello(), identity=Identity(robot="fr3"))
    assert found.mistakes(greeting) == found.objections(greeting) == []
    found.take(greeting)
    assert (found.schema, found.identity.robot) == (SCHEMA, "fr3")
    other = msgspec.structs.replace(hello(), identity=Identity(robot="ur"))
    assert "robot: expected fr3, found ur" in found.objections(other)[0]


def test_a_hello_that_contradicts_itself_is_a_mistake():
    assert "schema_hash" in terms().mistakes(msgspec.structs.replace(hello(), schema_hash="0" * 64))[0]
    assert "protocol_version" in terms().mistakes(msgspec.structs.replace(hello(), protocol_version=1))[0]


def test_another_schema_is_refused():
    found = terms(SCHEMA)
    assert found.objections(hello()) == []
    other = replace(SCHEMA, action=replace(ACTION, shape=(3,)))
    assert "action" in found.objections(hello(schema=other))[0]
    with pytest.raises(SchemaError, match="action"):
        found.require(other)
