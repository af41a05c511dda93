"""What Linux and the interpreter can do for a thread that must be on time; asked for by configuration, undone after."""
