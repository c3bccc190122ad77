"""The command line, and what stands above actor and learner: the demo and its report."""
