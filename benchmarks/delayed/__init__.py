"""Learning under delays: tasks, delays, methods; see ../README.md."""
