"""The learner: replay over the logs, SAC and its relatives, and the bit-for-bit resume of a run."""
