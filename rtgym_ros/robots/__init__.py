"""Simulated robots and their tasks, pure; a node under :mod:`rtgym_ros.nodes` puts each on topics."""
