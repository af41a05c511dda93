"""How fast the guard stops the robot."""
