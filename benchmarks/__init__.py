"""How precise the clock is, beside its peers in the same run: ``./dev bench``, and README.md on how to read it."""
