"""What the guard does, as arithmetic on times and values: who commands, within which limits, and what on silence."""
