"""Measurements, run alone: ``python -m benchmarks.NAME --json FILE [--quick]``; never part of the tests."""
