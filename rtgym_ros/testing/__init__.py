"""Tests to inherit: what an interface of your own owes to its environments. Importing it needs no pytest."""

from rtgym_ros.testing.interface_tests import InterfaceTests

__all__ = ["InterfaceTests"]
