"""A differential drive in a world with walls: pure simulation, no ROS."""
