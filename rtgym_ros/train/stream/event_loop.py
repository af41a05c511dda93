"""Between programs that wait and event loops: signals for a loop, a loop in a thread."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

from rtgym_ros.core.stop_signal import StopSignal

_ATTEMPT_S = 0.2


def stop_event(stop: StopSignal) -> asyncio.Event:
    """Return an event of the running loop that is set once a signal comes."""
    event = asyncio.Event()

    def look() -> None:
        stop.clear_wake_up()
        if stop.is_set:
            event.set()

    asyncio.get_running_loop().add_reader(stop.fileno(), look)
    look()
    return event


async def wait_for_event(event: asyncio.Event, seconds: float) -> None:
    """Wait until an event is set or the time is over."""
    with suppress(asyncio.TimeoutError):
        await asyncio.wait_for(event.wait(), seconds)


class EventLoopThread:
    """Runs a coroutine beside the program, in a thread of that name; :meth:`close` cancels it and joins the thread."""

    def __init__(self, name: str, coroutine: Coroutine[Any, Any, None]) -> None:
        self._started = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run(coroutine)), name=name, daemon=True)
        self._thread.start()
        self._started.wait()

    def call(self, function: Callable[[], Any]) -> None:
        """Call a function in the thread, soon; does nothing once the coroutine has ended."""
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(function)

    def close(self) -> None:
        """Cancel the coroutine and wait for its end; a second call does nothing."""
        while self._thread.is_alive():  # before Python 3.12 wait_for() may lose a cancellation
            self.call(self._task.cancel)
            self._thread.join(_ATTEMPT_S)

    async def _run(self, coroutine: Coroutine[Any, Any, None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._task = self._loop.create_task(coroutine)
        self._started.set()
        with suppress(asyncio.CancelledError):
            await self._task
