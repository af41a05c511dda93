"""A signal may come at any moment of the program that waits for it."""

import signal
import sys

import pytest

from rtgym_ros.core.stop_signal import StopSignal


@pytest.fixture(autouse=True)
def _handlers_are_put_back():
    numbers = (signal.SIGINT, signal.SIGTERM)
    handlers = [signal.getsignal(number) for number in numbers]
    yield
    for number, handler in zip(numbers, handlers, strict=True):
        signal.signal(number, handler)


@pytest.fixture
def signal_at():
    """Return a function that sends SIGINT at the n-th instruction of Python code from now on."""
    tracer = sys.gettrace()

    def send(instruction):
        def trace(frame, event, _argument):
            nonlocal instruction
            frame.f_trace_opcodes = True
            if event == "opcode":
                instruction -= 1
                if instruction == 0:
                    signal.raise_signal(signal.SIGINT)
            return trace

        sys.settrace(trace)

    yield send
    sys.settrace(tracer)


def test_nothing_comes_without_a_signal():
    with StopSignal() as stop:
        assert not stop.wait(0.0)
        assert not stop.wait(0.01)


@pytest.mark.parametrize("instruction", range(1, 60))
def test_a_signal_is_seen_wherever_it_comes(instruction, signal_at):
    with StopSignal() as stop:
        signal_at(instruction)
        while not stop.wait(0.001):
            pass
        sys.settrace(None)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_stays_set_and_later_signals_are_ignored(number):
    with StopSignal() as stop:
        signal.raise_signal(number)
        assert stop.wait(10.0)
        assert stop.wait(10.0)
    signal.raise_signal(number)
