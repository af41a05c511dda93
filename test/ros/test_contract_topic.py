"""When a message of a contract's topic has arrived, exactly: on a clock that is stepped, with waits that are given."""

from time import time_ns

import pytest

from rtgym_ros.ros.contract.contract_topic import ContractTopic
from rtgym_ros.ros.pulled_subscription import RawMessage

MS = 1_000_000


class Waiting:
    """What a subscription has: messages, and how long each has waited (wall time, ns)."""

    topic = "/topic"

    def __init__(self):
        self.messages = []

    def take_serialised(self):
        now_ns = time_ns()
        taken = [RawMessage(data, 0, 0, now_ns - waited_ns) for data, waited_ns in self.messages]
        self.messages.clear()
        return taken


@pytest.fixture
def world():
    class World:
        def __init__(self):
            self.now_ns = 1_000 * MS
            self.subscription = Waiting()
            self.seen = []
            self.topic = ContractTopic(self.subscription, None, lambda: self.now_ns)
            self.topic.add_reader(lambda messages, restarts: self.seen.extend(messages))

        def pull(self, *messages):
            """Let ``messages`` be there, pull them; return what was read, newest first."""
            self.subscription.messages += messages
            self.seen.clear()
            self.topic.pull()
            return [(message.data, message.stamp_ns) for message in self.seen]

    return World()


def test_on_a_clock_that_stands_still_what_came_later_is_newer(world):
    """Time did not pass while it waited; each message is new all the same, and none is older than the last pull."""
    world.pull()
    first = world.pull((b"1", 300 * MS), (b"2", 200 * MS))
    second = world.pull((b"3", 500 * MS))
    assert [data for data, _ in first] == [b"2", b"1"]
    assert second[0][0] == b"3"
    stamps = [first[1][1], first[0][1], second[0][1]]
    assert stamps == sorted(set(stamps))
    assert all(0 <= stamp - world.now_ns < 10 for stamp in stamps)


def test_what_waited_on_a_clock_that_goes_is_that_old(world):
    world.pull()
    world.now_ns += 900 * MS
    ((_, stamp_ns),) = world.pull((b"1", 300 * MS))
    assert stamp_ns == pytest.approx(world.now_ns - 300 * MS, abs=100 * MS)  # of the machine, between two readings


def test_a_clock_that_was_set_back_is_followed(world):
    world.pull((b"1", 0))
    world.now_ns = 10 * MS
    ((data, stamp_ns),) = world.pull((b"2", 0))
    assert data == b"2"
    assert stamp_ns <= world.now_ns
