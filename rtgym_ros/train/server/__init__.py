"""The central server: a durable queue of samples, and the newest weights."""
