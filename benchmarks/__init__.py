"""Benchmarks: each prints one table with the machine on its first line, and writes benchmarks/results/."""
