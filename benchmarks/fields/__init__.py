"""What it costs to read fields, and images, out of messages."""
