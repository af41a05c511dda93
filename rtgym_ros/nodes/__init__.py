"""The programs that are ROS nodes, a file each: a thin ``main()`` around what the other folders do."""
