"""Torch networks that the actor and the learner share, and the specification that makes both build the same one."""

from policies.encoders import EncoderError
from policies.policy import Policy, PolicyWeightsError
from policies.spec import InputSpec, PolicySpec, PolicySpecError

__all__ = ["EncoderError", "InputSpec", "Policy", "PolicySpec", "PolicySpecError", "PolicyWeightsError"]
