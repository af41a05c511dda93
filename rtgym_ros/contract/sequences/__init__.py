"""Conditions, step sequences and what is repeated meanwhile, as pure logic: the graph is behind a port."""
