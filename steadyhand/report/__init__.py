"""What a run came to: `report.json` for machines, and `report.html` for people, in one file without a network.

`records` reads a run folder, `summary` makes numbers of it, `chart` and `figures` draw, `page` puts it together.
"""
