"""An environment that is hosted by one node and used by an agent elsewhere: ``env_node`` and its facade."""
