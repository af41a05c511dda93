"""What robots, server and trainer say to each other, and what a sample is."""
