"""Robots that are driven without ROS, one file each; `make new-robot NAME=...` begins one (docs/extend.md)."""
