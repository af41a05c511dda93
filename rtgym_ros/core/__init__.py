"""Time, actions and configuration: pure Python and NumPy, no ROS, no Gymnasium, no clock read, no sleep.

The one exception is :class:`~rtgym_ros.core.time_source.MonotonicTimeSource`, which exists to be injected.
"""
