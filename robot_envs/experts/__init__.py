"""Scripted experts: they act on the true state that an operator beside the robot would see, in the operator's place."""
