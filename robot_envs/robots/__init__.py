"""Robots that are driven without ROS, one file each; `make new-robot NAME=...` creates one (docs/extend.md)."""
