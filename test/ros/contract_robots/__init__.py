"""A robot that was not written for this package, for tests of contracts over real topics."""
