"""Failures, step timing, throughput and memory of distant training: ``python -m benchmarks.distant NAME``."""
