"""The guard over ROS 2."""
