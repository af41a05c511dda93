"""How surely, and how soon, a robot is stopped whatever ends the program that flies it."""
