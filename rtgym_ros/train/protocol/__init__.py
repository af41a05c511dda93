"""What a sample is: its spaces and its columns."""
