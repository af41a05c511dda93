"""How long it takes until the nodes of others are known."""

DISCOVERY_S = 4.0
"""DDS participants announce themselves every 3 s, and their first announcements may be lost (s)."""
