"""Benchmarks: figures with a baseline from the same run, never asserted in tests."""
