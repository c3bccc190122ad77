"""Rewards: one file each, found by the `entry_point` of the YAML file in `configs/reward/`."""
