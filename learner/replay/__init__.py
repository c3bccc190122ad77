"""Replay: an index over the logs, a sampler that is a pure function of its seed, and the demo mixer."""
