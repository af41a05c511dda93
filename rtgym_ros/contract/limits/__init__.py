"""Limits of the derivatives of commands."""
