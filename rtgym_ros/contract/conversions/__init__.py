"""Conversions between what messages hold and what the agent sees."""
