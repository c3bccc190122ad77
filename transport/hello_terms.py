"""The terms of a learner: the protocol, the schema, the run and the robot that an actor's HELLO has to fit."""

from __future__ import annotations

from steadyhand.transport.run_identity import Identity
from steadyhand.transport.schema import Schema, SchemaError
from steadyhand.transport.session_limits import schema_objections
from steadyhand.transport.wire import PROTOCOL_VERSION, Hello

__all__ = ["HelloTerms"]


class HelloTerms:
    """Schema and identity of a learner as far as they are known; the first actor's HELLO gives the rest.

    Args:
        max_frame_bytes: The largest record.
        schema: The required schema; None = not known yet.
        identity: The run, the task and the robot.
        accept_other_robot: Whether another robot is only a warning.
    """

    def __init__(
        self, max_frame_bytes: int, schema: Schema | None, identity: Identity, accept_other_robot: bool
    ) -> None:
        self.schema, self.identity = schema, identity
        self._max_frame_bytes, self._accept_other_robot = max_frame_bytes, accept_other_robot

    def require(self, schema: Schema) -> None:
        """Take a schema as the required one, or check it against the one already required.

        Raises:
            SchemaError: It lacks a required field.
        """
        self.schema = self.schema or schema
        if lines := self.schema.diff(schema, extras=False):
            raise SchemaError(f"schema: does not fit what this run learns from: {'; '.join(lines)}")

    def fill(self, identity: Identity) -> None:
        """Take over the task and the robot from an identity, where they are not known."""
        self.identity = self.identity.filled(identity)

    def take(self, hello: Hello) -> None:
        """Take over from an accepted HELLO what is not known."""
        self.schema = self.schema or hello.schema
        self.fill(hello.identity)

    def mistakes(self, hello: Hello) -> list[str]:
        """Return the reasons why a HELLO is of no use to any learner."""
        if hello.protocol_version != PROTOCOL_VERSION:
            return [f"protocol_version: expected {PROTOCOL_VERSION}, found {hello.protocol_version}; update the older"]
        if hello.schema_hash != hello.schema.hash or hello.control_period_s != hello.schema.control_period_s:
            return ["schema_hash, control_period_s: expected those of the schema itself, found others"]
        return schema_objections(hello.schema, self._max_frame_bytes)

    def objections(self, hello: Hello) -> list[str]:
        """Return the reasons why a HELLO does not fit this learner."""
        reasons = self.identity.objections(hello.identity, hello.actor_id, self._accept_other_robot)
        return reasons + (self.schema.diff(hello.schema, extras=False) if self.schema else [])
