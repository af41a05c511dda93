"""The ring between a recorder and its writer, without processes: wraps, refusals, order, ends in the middle."""

import os
import random

import pytest

from rtgym_ros.record import hand_over
from rtgym_ros.record.byte_ring import OVERHEAD, WORDS, Entry, RingPutter, RingTaker
from rtgym_ros.record.hand_over import ERROR, HandOver, Setup, Takeover, topic_from_bytes, topic_to_bytes
from rtgym_ros.record.recorded_topic import CAPTURE, TIME_STEP


def make_ring(capacity):
    words, memory = memoryview(bytearray(8 * WORDS)).cast("Q"), memoryview(bytearray(capacity))
    return RingPutter(words, memory), RingTaker(words, memory), memory


@pytest.mark.parametrize("seed", range(20))
def test_whatever_is_put_is_taken_in_order(seed):
    rng = random.Random(seed)
    putter, taker, _ = make_ring(rng.randint(60, 300))
    waiting, put, refused = [], 0, 0
    for _ in range(2000):
        if rng.random() < 0.55:
            parts = [rng.randbytes(rng.randint(0, 40)) for _ in range(rng.randint(1, 3))]
            size = sum(map(len, parts))
            room = putter.has_room(size)
            # There is room exactly where what waits leaves it.
            used = sum(OVERHEAD + len(entry.data) for entry in waiting)
            assert room == (used + OVERHEAD + size <= taker._memory.capacity)
            if room:
                putter.put(put, put % 5, *parts)
                waiting.append(Entry(put, put % 5, b"".join(parts)))
                put += 1
            refused += not room
        elif waiting:
            assert taker.next_ticket() == waiting[0].ticket
            assert taker.take() == waiting.pop(0)
        else:
            assert taker.next_ticket() is None
    assert put > 100
    assert refused > 10


def test_an_empty_ring_begins_anew():
    """So that the memory that is touched is as large as what waits, not as large as the ring."""
    putter, taker, memory = make_ring(1000)
    for number in range(50):
        putter.put(number, 1, bytes([number]) * 30)
        assert taker.take().data == bytes([number]) * 30
    assert not any(memory[OVERHEAD + 30 :])


def test_what_is_not_put_to_the_end_is_not_there():
    putter, taker, _ = make_ring(200)
    putter.put(0, 1, b"whole")

    class KilledError(Exception):
        pass

    class Torn(bytes):
        def __len__(self):
            return 5

    def interrupted(place, data):
        if isinstance(data, Torn):
            raise KilledError
        return write(place, data)

    write, putter._memory.write = putter._memory.write, interrupted
    with pytest.raises(KilledError):
        putter.put(1, 1, Torn(b"torn!"))
    assert taker.take().data == b"whole"
    assert taker.next_ticket() is None
    putter.put(2, 1, b"after")
    assert taker.take() == Entry(2, 1, b"after")


@pytest.fixture
def ends():
    setup = Setup("/somewhere", {"run": "1", "contract": "ä" * 100_000}, "episode")
    here = HandOver(setup, 1000)
    there = Takeover(os.dup(here.fd))
    here.close_fd()
    assert there.setup == setup
    return here, there


def test_the_order_of_two_threads(ends, monkeypatch):
    here, there = ends
    for ring, data in ((here.steps, b"a"), (here.messages, b"b"), (here.messages, b"c"), (here.steps, b"d")):
        ring.put(here.next_ticket(), 1, data)
    assert [there.take(in_order=True).data for _ in range(4)] == [b"a", b"b", b"c", b"d"]
    # The thread of the time-steps has a ticket and has not put yet: what comes after it waits for it, for a while.
    ticket = here.next_ticket()
    here.messages.put(here.next_ticket(), 1, b"second")
    assert there.take(in_order=True) is None
    here.steps.put(ticket, 1, b"first")
    assert [there.take(in_order=True).data for _ in range(2)] == [b"first", b"second"]
    # It was interrupted, and never puts.
    here.next_ticket()
    here.messages.put(here.next_ticket(), 1, b"third")
    now = [100.0]
    monkeypatch.setattr(hand_over.time, "monotonic", lambda: now[0])
    assert there.take(in_order=True) is None
    now[0] += 0.2
    assert there.take(in_order=True).data == b"third"
    here.next_ticket()
    here.messages.put(here.next_ticket(), 1, b"last")
    assert there.take(in_order=False).data == b"last"
    assert there.take(in_order=False) is None


def test_texts_and_counters(ends):
    here, there = ends
    for text in ("", "No space left on device (/a/b.mcap)", "ü" * 10_000, ""):
        there.set_text(ERROR, text)
        assert text.startswith(here.text(ERROR).rstrip("\ufffd"))
        assert (here.text(ERROR) == "") == (text == "")
    there.add(hand_over.STEPS_WRITTEN, 3)
    there.add(hand_over.STEPS_WRITTEN, 4)
    assert here.count(hand_over.STEPS_WRITTEN) == 7
    assert not there.is_closing
    here.begin_closing()
    assert there.is_closing


def test_topics_survive():
    for number, topic in enumerate((TIME_STEP, CAPTURE)):
        assert topic_from_bytes(topic_to_bytes(number, topic)) == (number, topic)
