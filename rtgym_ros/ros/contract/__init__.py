"""A contract over ROS 2: its topics, parts, commands and sequences."""
