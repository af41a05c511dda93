"""From what the agent wants to what a command says, and back."""
