"""How old observations are, what happens when they are too old or out of bounds, and what was before."""
