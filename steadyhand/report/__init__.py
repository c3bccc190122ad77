"""The report of a run: `report.json` for programs, and `report.html`, one self-contained file, for people.

`records` reads a run folder, `summary` computes the numbers, `chart` and `figures` draw, and `page` builds the page.
"""
