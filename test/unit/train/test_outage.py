"""What is said of a server that is away: nothing at first, then one line, and one when it is back."""

import logging

from rtgym_ros.train.stream.connection import Outage


def test_only_a_long_outage_is_told_and_only_once(caplog):
    now = [0.0]
    outage = Outage(logging.getLogger("test"), lambda: now[0], patience_s=20.0)
    said = []
    for now[0], reason in (
        (0.0, "a"),
        (19.9, "b"),
        (20.0, "c"),
        (100.0, "d"),
        (101.0, None),
        (101.0, "e"),
        (120.9, "f"),
    ):
        caplog.clear()
        outage.failed(reason) if reason else outage.worked()
        said.append([record.getMessage() for record in caplog.records])
    assert said == [[], [], ["c; trying again"], [], ["the server answers again"], [], []]


def test_a_server_that_comes_up_in_time_is_no_news(caplog):
    now = [0.0]
    outage = Outage(logging.getLogger("test"), lambda: now[0])
    outage.failed("away")
    now[0] = 19.0
    outage.worked()
    assert not caplog.records
