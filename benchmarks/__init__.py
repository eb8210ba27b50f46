"""Benchmarks of `confirma_async` against real peers: `python -m benchmarks`."""
