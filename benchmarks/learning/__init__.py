"""How well the whole architecture learns: ``python -m benchmarks.learning``."""
