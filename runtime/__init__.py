"""What every other package stands on: time, configuration, run folders and logging."""
