"""Processes that are started again when they die."""
