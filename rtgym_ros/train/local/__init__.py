"""Everything on one machine: ``./dev train``."""
