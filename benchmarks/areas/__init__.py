"""The areas of the benchmark, each a file with a function `rows`."""
