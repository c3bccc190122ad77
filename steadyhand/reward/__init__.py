"""The steps of `steadyhand reward`, one module each."""
