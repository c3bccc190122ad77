"""The areas of the benchmark: one file each, with a function `rows`."""
