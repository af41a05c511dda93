"""The grammar of a contract: kinds of values, YAML with line numbers, JSON Schema, the reader and its rules."""
