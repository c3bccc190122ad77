"""The learner: replay over the logs, SAC and its relatives, and everything that makes a run resume bit for bit."""
