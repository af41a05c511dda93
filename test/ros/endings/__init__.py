"""Programs that fly a robot and end in every way, and the robot that writes down what it was told last."""
