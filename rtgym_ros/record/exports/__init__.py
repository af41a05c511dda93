"""Recordings as data sets of other projects, through those projects' own libraries.

One module a format, imported where it is used. Each function reads one episode at a time and returns a
:class:`~rtgym_ros.record.exports.flown_episodes.Exported`.
"""
