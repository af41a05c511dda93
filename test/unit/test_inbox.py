"""Items reach the one reader in order, and its wait ends, whatever the timeout."""

from queue import Empty
from threading import Event, Thread

import pytest

from rtgym_ros.core.inbox import Inbox

LONG = 30.0  # s


def test_the_oldest_comes_first_and_none_is_lost():
    inbox, got = Inbox(), []

    def read():
        while (item := inbox.get(LONG)) is not None:
            got.append(item)

    reader = Thread(target=read)
    reader.start()
    for number in range(1, 10_001):
        inbox.put(number)
    inbox.put(None)
    reader.join(LONG)
    assert got == list(range(1, 10_001))


def test_without_a_timeout_it_waits_for_an_item():
    inbox, got, come = Inbox(), [], Event()

    def read():
        got.append(inbox.get())
        come.set()
        got.append(inbox.get())

    reader = Thread(target=read, daemon=True)
    reader.start()
    inbox.put("first")
    assert come.wait(LONG)
    inbox.put("second")
    reader.join(LONG)
    assert got == ["first", "second"]


@pytest.mark.parametrize("timeout", [0.0, -1.0, 1e-9])
def test_what_is_there_is_taken_whatever_the_timeout(timeout):
    inbox = Inbox()
    inbox.put(1)
    inbox.put(2)
    assert [inbox.get(timeout), inbox.get(timeout)] == [1, 2]
    with pytest.raises(Empty):
        inbox.get(timeout)


def test_a_wait_ends_even_if_the_timeout_is_over_before_it_begins():
    # queue.SimpleQueue hangs here before Python 3.13, once in some thousand waits.
    inbox = Inbox()

    def read():
        for _ in range(30_000):
            inbox.put(1)
            inbox.put(2)
            assert (inbox.get(), inbox.get()) == (1, 2)
            with pytest.raises(Empty):
                inbox.get(timeout=1e-6)

    reader = Thread(target=read, daemon=True)
    reader.start()
    reader.join(LONG)
    assert not reader.is_alive()


def test_a_wait_is_not_cut_short_by_an_item_that_was_taken_before():
    inbox, begun = Inbox(), Event()
    inbox.put(1)
    assert inbox.get() == 1  # without a wait: the lock still tells of it

    def put():
        begun.wait(LONG)
        inbox.put(2)

    Thread(target=put, daemon=True).start()
    begun.set()
    assert inbox.get(timeout=LONG) == 2
