"""Rewards: each a file of its own, found by the `entry_point` of its YAML file in `configs/reward/`."""
