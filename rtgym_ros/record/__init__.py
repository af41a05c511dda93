"""Recording every time-step to MCAP files, reading, replaying and exporting them.

Needs the extra ``record`` (mcap, zstandard), and no ROS 2. ``import rtgym_ros.record`` alone needs nothing.
"""
