"""Distant training: rollout workers on robots, a central server, a trainer; samples go up, weights come back.

The architecture is that of TMRL (Bouteiller et al., https://github.com/trackmania-rl/tmrl), on Ray and zenoh.

- :mod:`~rtgym_ros.train.protocol`: what is said, and what a sample is.
- :mod:`~rtgym_ros.train.links`: how it gets from one process to another.
- :mod:`~rtgym_ros.train.server`, :mod:`~rtgym_ros.train.worker`, :mod:`~rtgym_ros.train.trainer`: the three roles.
- :mod:`~rtgym_ros.train.policy`: the network as plain NumPy, which is all that a robot needs of it.
"""
