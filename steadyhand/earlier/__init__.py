"""The start of a run from an earlier one: its parts, an account of what fits, and their use."""
