"""The steps of `steadyhand log`, one module each."""
