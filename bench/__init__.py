"""Benchmarks against peers: each figure is a ratio of one run. `make bench` writes docs/benchmarks.md."""
