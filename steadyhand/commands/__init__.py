"""One module per verb: `EPILOG`, `add_options` and `run`. Its docstring is the first text of `--help`."""
