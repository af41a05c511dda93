"""The second stage of a contract: its paths, conversions, values and constants against the message types."""
