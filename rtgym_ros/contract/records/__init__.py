"""What a contract is read into: one frozen dataclass for each section."""
