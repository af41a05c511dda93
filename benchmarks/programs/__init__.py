"""What runs in a process of its own: ``python -m benchmarks.programs.NAME '{"argument": value}'`` prints JSON."""
