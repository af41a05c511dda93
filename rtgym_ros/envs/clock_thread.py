"""The one thread that calls the interface, and how other threads have it do something.

It is the read, update, write, sleep loop of ros2_control's ``ros2_control_node``; callers hand work over and wait with
a bound, as with anyio's ``to_thread.run_sync``: nothing is ever injected into a thread.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import suppress
from math import inf
from queue import Empty
from threading import RLock, Thread, current_thread, get_ident
from time import sleep
from typing import Any, Protocol

from rtgym_ros.core.errors import InterfaceError, InterfaceTimeoutError, StateError
from rtgym_ros.core.inbox import Inbox
from rtgym_ros.core.time_source import TimeSource, to_s
from rtgym_ros.core.timer_slack import set_timer_slack
from rtgym_ros.envs.interface_calls import InterfaceCalls

CLOCK_THREAD = "rtgym_ros clock"
"""The name of the thread."""

_GRACE_S = 0.1
"""How long a thread that was blocked is given to come back before a call is refused (s)."""


class Loop(Protocol):
    """What happens by itself as time passes; every method is called in the clock thread."""

    time_source: TimeSource
    looks_by_itself: bool
    """Whether what :meth:`due_ns` returned comes before the running time-step is over: a call that waits for the end
    need not wake the thread."""

    def due_ns(self, has_request: bool) -> int | None:
        """Return when to call :meth:`on_due` (ns), None for never; ``has_request``: a call waits for the end."""

    def on_due(self) -> None:
        """Do what is due, if anything is. It never raises."""

    def is_ending(self) -> bool:
        """Whether no time-step is running, or the running one was captured and is nearly over."""

    def capture_if_due(self) -> None:
        """Capture if the time for it has come already. It never raises an error."""

    def finish_time_step(self) -> None:
        """Capture, if that was not done, and wait for the end of the running time-step. It never raises an error."""

    def stop_abandoned(self) -> None:
        """Stop the robot if a public call gave up waiting for the interface and it was not stopped since."""


class Request(Future[Any]):
    """Something to be done in the clock thread, and its result.

    Args:
        name: of the public call or the method of the interface, for errors.
        function: what to do.
        *args: its arguments.
        after_time_step: do it when the running time-step is over; otherwise at once.
    """

    def __init__(self, name: str, function: Callable[..., Any], *args: Any, after_time_step: bool = False) -> None:
        super().__init__()
        self.name = name
        self.after_time_step = after_time_step
        self._function = function
        self._args = args

    def run(self, loop: Loop | None = None) -> None:
        """Do it and set the result, unless it was cancelled.

        Args:
            loop: what may be due by the time it is done. Whoever gets the result takes the interpreter with it, for
                milliseconds, so that comes first.
        """
        if self.set_running_or_notify_cancel():
            try:
                result = self._function(*self._args)
            except BaseException as error:  # of the user's code: it belongs to the caller
                self.set_exception(error)
            else:
                if loop is not None:
                    loop.capture_if_due()
                self.set_result(result)

    def run_inline(self) -> Any:
        """Do it in the calling thread."""
        return self._function(*self._args)


class _Thread(Thread):
    is_interrupted = False
    """Whether the caller was interrupted, and only waits for what is running."""


def pause(seconds: float) -> None:
    """Sleep, in a method of an interface that waits for its robot, unless that is in vain.

    Raises:
        InterfaceError: Ctrl-C has come, and the program only waits for this method to end.
    """
    if getattr(current_thread(), "is_interrupted", False):
        raise InterfaceError("interrupted while it waited")
    sleep(seconds)


class ClockThread:
    """Runs requests, and between them the loop, in one thread; or in the caller's, on a clock that stands still.

    Args:
        calls: tells which method of the interface is being called.
        inline: start no thread: every request is run by the thread that submits it.
    """

    def __init__(self, calls: InterfaceCalls, inline: bool = False) -> None:
        self._calls = calls
        self._loop: Loop | None = None
        self._inbox: Inbox[Request | None] = Inbox()
        self._after_time_step: deque[Request] = deque()
        self._looks_by_itself = False
        self._ended = False
        self._ident: int | None = None
        self._thread: _Thread | None = None
        if not inline:
            self._thread = _Thread(target=self._run, name=CLOCK_THREAD, daemon=True)
            self._thread.start()
            self._ident = self._thread.ident

    @property
    def is_current(self) -> bool:
        """Whether the calling thread is this one: an interface uses its environment."""
        return get_ident() == self._ident

    def attach(self, loop: Loop) -> None:
        """Set the loop to run; on a clock that stands still the thread ends, and everything is run inline."""
        if loop.time_source.passes_by_itself:
            self.submit(Request("attach", self._set_loop, loop))
        else:
            self.end()
            self._set_loop(loop)

    def submit(self, request: Request) -> Any:
        """Have ``request`` run and return its result.

        From the clock thread itself (an interface that uses its environment) it is run at once.

        Raises:
            InterfaceTimeoutError: a method of the interface is blocked; the request will not be run.
            StateError: the interface itself asked for something that waits for the end of its time-step.
            Exception: what the request raised.
        """
        thread = self._thread
        if thread is None:
            if not request.after_time_step or self._loop is None:
                return request.run_inline()
            self._loop.finish_time_step()
            result = request.run_inline()
            self._loop.capture_if_due()
            return result
        if get_ident() == self._ident:
            if request.after_time_step:
                raise StateError(f"{request.name}() waits for the time-step to end: the interface cannot call it")
            return request.run_inline()
        if request.after_time_step:
            self._after_time_step.append(request)
            if not self._looks_by_itself:  # read after the append, cleared before the thread looks: never missed
                self._inbox.put(None)
        else:
            self._inbox.put(request)
        try:
            if self._calls.abandoned:
                self._refuse_if_blocked(request)
            return self._wait_for(request)
        except BaseException:
            # An interrupt of the caller: what has not begun is not begun, what has begun is waited for.
            if not (request.cancel() or request.done() or self._calls.abandoned):
                thread.is_interrupted = True
                try:
                    with suppress(Exception):
                        self._wait_for(request)
                finally:
                    thread.is_interrupted = False
            raise

    def post(self, request: Request) -> None:
        """Have ``request`` run, whenever the thread is free."""
        self._inbox.put(request)

    def end(self) -> bool:
        """End the thread after the request that it is running; return whether it has ended."""
        thread, self._thread = self._thread, None
        if thread is None:
            return True
        if thread is current_thread():
            self._ended = True
            return True
        self._ident = None  # which the system may give to another thread
        self._inbox.put(Request("end", self._end))
        thread.join(self._calls.shortest_timeout)
        return not thread.is_alive()

    def _set_loop(self, loop: Loop) -> None:
        self._loop = loop

    def _end(self) -> None:
        self._ended = True

    def _refuse_if_blocked(self, request: Request) -> None:
        """Take ``request`` back unless the thread, of which an earlier call despaired, is free by now."""
        with suppress(FutureTimeoutError):
            request.exception(_GRACE_S)
        method = self._calls.current
        if method is not None and self._calls.abandoned and request.cancel():
            raise InterfaceTimeoutError(
                f"the interface's {method}() is still blocked, {request.name}() cannot be called until it returns"
            )

    def _wait_for(self, request: Request) -> Any:
        while True:
            try:
                return request.result(max(self._calls.remaining(), 0.0))
            except FutureTimeoutError:
                if request.done():
                    return request.result()  # a TimeoutError may also be what the request raised
            method = self._calls.current
            if method is not None and self._calls.remaining() <= 0:
                self._calls.abandon()
                request.cancel()
                if self._loop is not None:
                    self.post(Request("stop", self._loop.stop_abandoned))
                raise InterfaceTimeoutError(
                    f"the interface's {method}() has been blocked for {self._calls.timeout_of(method):g} s"
                )

    # --- in the thread ---

    def _run(self) -> None:
        set_timer_slack(1)
        while not self._ended:
            loop = self._loop
            if loop is None:
                request = self._inbox.get()
                if request is not None:
                    request.run()
            elif self._after_time_step and loop.is_ending():
                loop.finish_time_step()
                self._after_time_step.popleft().run(loop)
            elif self._is_due(loop):
                loop.on_due()

    def _is_due(self, loop: Loop) -> bool:
        """Wait until something of the loop may be due; a request that comes first is run, and nothing is due then."""
        due_ns = loop.due_ns(bool(self._after_time_step))
        time_source = loop.time_source
        wait_s: float | None = None
        if due_ns is not None:
            wait_s = to_s(due_ns - time_source.now_ns())
            if wait_s <= 0:
                return True
            wait_s = min(wait_s, time_source.poll_period)
        self._looks_by_itself = loop.looks_by_itself
        try:
            request = self._inbox.get(timeout=wait_s)
        except Empty:
            if due_ns is not None and time_source.poll_period == inf:
                time_source.woke_up(due_ns)
            return True
        finally:
            self._looks_by_itself = False
        if request is not None:
            request.run()
        return False


class CallerLock:
    """Lets one caller at a time into an environment; its clock thread, which works for that caller, always.

    Args:
        thread: the clock thread.
    """

    def __init__(self, thread: ClockThread) -> None:
        self._thread = thread
        self._lock = RLock()

    def __enter__(self) -> None:
        if not self._thread.is_current:
            self._lock.acquire()

    def __exit__(self, *_exception: object) -> None:
        if not self._thread.is_current:
            self._lock.release()
