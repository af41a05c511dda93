"""Policies as plain NumPy: robots need no learning library."""
