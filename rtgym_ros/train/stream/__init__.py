"""A run on a NATS server: the stream of its samples, and the bucket with its weights."""
