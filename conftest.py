"""What every test folder shares: a test in real time is told from a machine that stands still."""

pytest_plugins = ["tests.stalls"]
