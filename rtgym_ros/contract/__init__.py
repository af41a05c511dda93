"""The contract of a robot: one YAML file that says what is observed and sent, what is safe, and what must hold."""
