"""The steps of `steadyhand calibrate`: each measures one thing of the cell and writes one dated file."""

__all__: list[str] = []
