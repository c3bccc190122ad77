"""Thin ROS 2 nodes around the core packages: conversions, QoS, lifecycle, diagnostics. The ROS package is `actor`."""
