"""The trainer: model, replay memory, checkpoints."""
