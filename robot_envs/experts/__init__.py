"""Scripted experts: they see the truth that a person beside the robot would see, and stand in for the person."""
