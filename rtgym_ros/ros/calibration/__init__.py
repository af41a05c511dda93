"""Measuring a robot's delays over ROS 2, for ``rtgym_ros calibrate``."""
