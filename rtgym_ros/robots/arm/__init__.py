"""A six-joint arm whose servos lag: pure simulation, no ROS."""
