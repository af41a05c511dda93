"""The NATS server of a run: where its binary is, its configuration, its health."""
