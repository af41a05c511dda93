"""Message types and what is read from, or written to, messages of them: layouts, field paths, readers, writers."""
