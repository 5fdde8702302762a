"""Benchmarks: ratios within one run, behind `make bench-*`."""
