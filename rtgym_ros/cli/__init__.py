"""The programs that are not ROS nodes, a file each."""
