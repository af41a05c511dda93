"""From serialised messages to the parts of the observation."""
