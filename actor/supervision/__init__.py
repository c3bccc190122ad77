"""Supervision of the arm by a person: motion has to be enabled, and episodes can be ended and labelled."""
