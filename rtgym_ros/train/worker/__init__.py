"""The rollout worker: a control process that never waits, and a link process that may."""
