"""Torch networks that the actor and the learner share, and the specification that makes both build the same one."""

from steadyhand.policies.encoders import Backbone, EncoderError, load_backbone
from steadyhand.policies.policy import Policy, PolicyWeightsError
from steadyhand.policies.spec import InputSpec, PolicySpec, PolicySpecError

__all__ = [
    "Backbone",
    "EncoderError",
    "InputSpec",
    "Policy",
    "PolicySpec",
    "PolicySpecError",
    "PolicyWeightsError",
    "load_backbone",
]
