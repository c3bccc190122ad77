"""Foundation of every other package: time, configuration, run folders and logging."""
