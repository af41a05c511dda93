"""Calls that another thread ends, wherever they wait; the real thing, in real threads."""

import queue
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest

from rtgym_ros.core.errors import InterfaceTimeoutError
from rtgym_ros.envs.call_watchdog import CallWatchdog
from rtgym_ros.envs.interruption import InterruptibleCall, prepare_main_thread

pytestmark = pytest.mark.timeout(60)


def spin():
    while True:
        pass


def poll():
    while True:
        time.sleep(0.001)


def receive():
    here, there = socket.socketpair()
    with here, there:
        here.recv(1)


def join():
    thread = threading.Thread(target=time.sleep, args=(1,))
    thread.start()
    thread.join()


PYTHON = [spin, poll]
OUTSIDE = [
    lambda: time.sleep(1e6),
    lambda: threading.Event().wait(),
    lambda: threading.Lock().acquire() and threading.Semaphore(0).acquire(),
    lambda: queue.Queue().get(),
    lambda: queue.SimpleQueue().get(),
    receive,
    join,
    lambda: subprocess.run(["sleep", "1"], check=True),
]


@pytest.fixture
def watchdog():
    watchdog = CallWatchdog(0.1)
    yield watchdog
    assert watchdog.close()


@pytest.mark.parametrize("block", PYTHON + OUTSIDE)
def test_the_main_thread_comes_back_from_anywhere(watchdog, block):
    with pytest.raises(InterfaceTimeoutError, match=r"the interface's block\(\) has been blocked for 0\.1 s"):
        watchdog.run("block", block)
    assert watchdog.run("answer", lambda: 42) == 42


@pytest.mark.skipif(
    sys.version_info[:2] == (3, 11) and sys.gettrace() is not None, reason="CPython 3.11 spins when threads are traced"
)
@pytest.mark.parametrize("block", PYTHON)
def test_another_thread_comes_back_from_python_code(watchdog, block):
    told = []

    def call():
        try:
            watchdog.run("block", block)
        except InterfaceTimeoutError:
            told.append(True)

    thread = threading.Thread(target=call)
    thread.start()
    thread.join(30)
    assert told == [True]


def test_the_patience_starts_when_the_clock_has_been_waited_for(watchdog):
    due_ns = watchdog.time_source.now_ns() + 30 * 10**9
    assert watchdog.run("capture", lambda: time.sleep(0.3) or 1, due_ns=due_ns) == 1


def test_the_last_attempt_has_a_patience_of_its_own():
    watchdog = CallWatchdog(30.0)
    watchdog._stop.wait = lambda _timeout: time.sleep(0.01)  # looks often, though a call may last long
    with pytest.raises(InterfaceTimeoutError, match=r"blocked for 0\.05 s"):
        watchdog.run("send_control", poll, timeout_s=0.05)
    del watchdog._stop.wait
    assert watchdog.close()


def test_a_call_in_a_call_is_watched_and_so_is_the_outer_one_afterwards(watchdog):
    def outer():
        assert watchdog.run("inner", lambda: 1) == 1
        poll()

    with pytest.raises(InterfaceTimeoutError, match=r"the interface's outer\(\)"):
        watchdog.run("outer", outer)


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_an_error_comes_out_as_it_is(watchdog, error):
    def fail():
        raise error("as it is")

    with pytest.raises(error, match="as it is"):
        watchdog.run("fail", fail)
    time.sleep(0.2)  # long enough for an interrupt, if it were still watched


def test_an_interrupt_that_comes_at_the_end_of_a_call_hits_nothing_after_it():
    """Calls of random lengths, interrupted at random: each is whole or not, and nothing comes out later."""
    for number in range(2000):
        call = InterruptibleCall()
        started = threading.Event()

        def interrupt(call=call, started=started):
            started.wait()
            call.interrupt()
            call.interrupt()

        thread = threading.Thread(target=interrupt)
        thread.start()

        def work(started=started, number=number):
            started.set()
            return sum(range(17 * (number % 100)))

        whole, answer = call.run(work)
        assert answer == (sum(range(17 * (number % 100))) if whole else None)
        thread.join()
        sum(range(1000))


def test_nothing_is_left_for_the_interpreter_to_look_for(watchdog):
    """CPython 3.11, traced, spins while an interrupt is pending: for ever if it is taken back or goes unnoticed."""
    lines = []

    def trace(*_args):
        lines.append(1)
        return trace

    before = sys.gettrace()
    threading.settrace(trace)
    sys.settrace(trace)
    try:
        for _ in range(3):
            for block in (poll, threading.Event().wait):
                with pytest.raises(InterfaceTimeoutError):
                    watchdog.run("block", block)
            assert sum(number for number in range(100)) == 4950
    finally:
        sys.settrace(before)
        threading.settrace(before)
    assert lines


def test_a_call_that_has_not_begun_or_has_ended_is_not_interrupted():
    call = InterruptibleCall()
    call.interrupt()
    assert call.run(lambda: sum(range(1000))) == (True, 499500)
    call.interrupt()
    sum(range(1000))


def test_a_signal_that_the_program_uses_is_left_to_it():
    code = """
import signal
from rtgym_ros.envs.interruption import prepare_main_thread
mine = lambda *args: None
signal.signal(signal.SIGURG, mine)
prepare_main_thread()
assert signal.getsignal(signal.SIGURG) is mine
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_another_thread_takes_no_signal():
    before = signal.getsignal(signal.SIGURG)
    thread = threading.Thread(target=prepare_main_thread)
    thread.start()
    thread.join()
    assert signal.getsignal(signal.SIGURG) == before
