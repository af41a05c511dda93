"""Between programs that wait and event loops: signals for a loop, a loop in a thread."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, TypeVar

from rtgym_ros.core.stop_signal import StopSignal

_T = TypeVar("_T")
_ATTEMPTS, _ATTEMPT_S = 50, 0.2


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
    """Runs coroutines beside the program; :meth:`close` cancels what still runs and joins the thread.

    Args:
        name: of the thread.
    """

    def __init__(self, name: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def start(self, coroutine: Coroutine[Any, Any, _T]) -> Future[_T]:
        """Run a coroutine; return what it will return."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop)

    def call(self, function: Any, *arguments: Any) -> None:
        """Call a function in the thread of the loop, soon."""
        self._loop.call_soon_threadsafe(function, *arguments)

    def close(self) -> None:
        """Cancel everything and end; a second call does nothing."""
        if self._loop.is_closed():
            return
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()
        self._loop.run_until_complete(self._cancel_all())
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())

    async def _cancel_all(self) -> None:
        """Cancel until all have ended: before Python 3.12 ``wait_for`` may lose a cancellation."""
        for _ in range(_ATTEMPTS):
            tasks = asyncio.all_tasks() - {asyncio.current_task()}
            if not tasks:
                return
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks, timeout=_ATTEMPT_S)
