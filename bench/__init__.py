"""What `make bench` measures: each row a ratio, in one interleaved run, kept in docs/benchmarks.md."""
