"""Delays: measured, estimated, drawn. Arithmetic on stamps, without ROS and without reading a clock.

- :mod:`~rtgym_ros.delays.ledger`: the delays of every time-step (alpha, kappa, beta); ``echo_log``, ``alarm``.
- :mod:`~rtgym_ros.delays.clock_offset`: how far another machine's clock is off.
- :mod:`~rtgym_ros.delays.profiles`, ``network_profiles``, ``recorded_delays``, ``named_profile``: random delays, drawn.
- :mod:`~rtgym_ros.delays.due_queue`: commands that carry the time at which they shall be applied.
- :mod:`~rtgym_ros.delays.servo`: the delay of a robot that echoes nothing, from command and response.
- :mod:`~rtgym_ros.delays.recommendations`, :mod:`~rtgym_ros.delays.predictability`: what follows for the configuration.
- :mod:`~rtgym_ros.delays.phase`: the clock in phase with a periodic observation.
- :mod:`~rtgym_ros.delays.report`, :mod:`~rtgym_ros.delays.pictures`: the same for a reader.
"""
