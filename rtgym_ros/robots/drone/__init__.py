"""The tutorial's RC drone, its radio link, its task and its pilots: pure simulation, no ROS."""
