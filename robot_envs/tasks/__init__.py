"""Tasks: each defines the start of an episode, its part of the observation, and success."""
