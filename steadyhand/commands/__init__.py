"""One module per verb: `EPILOG`, `add_options` and `run`; the docstring is what `--help` says first."""
