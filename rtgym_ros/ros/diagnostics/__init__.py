"""``/diagnostics`` of environments and of the guard."""
