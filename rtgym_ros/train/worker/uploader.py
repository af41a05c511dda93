"""Carries samples from the rings to the server, and weights back."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path

from rtgym_ros.train.config import WorkerConfig
from rtgym_ros.train.errors import LinkError, ProtocolError, RefusedError
from rtgym_ros.train.links.link import Link
from rtgym_ros.train.links.outage import Outage
from rtgym_ros.train.links.server_client import ServerClient
from rtgym_ros.train.protocol.messages import Push, Pushed
from rtgym_ros.train.protocol.schema import to_columns
from rtgym_ros.train.worker.open_rings import OpenRings
from rtgym_ros.train.worker.sample_ring import RingReader
from rtgym_ros.train.worker.weights_outbox import WeightsOutbox

PUSH_BYTES = 8_000_000
"""One push holds about this much at most."""

_LOOK_S = 0.1
"""From one look into the rings to the next: that costs a few microseconds."""
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.2, 5.0
_CALL_TIMEOUT_S = 10.0
_REOPEN_EVERY = 3
"""Failures in a row: links connect anew by themselves, but one that does not is replaced."""

_log = logging.getLogger(__name__)


class Uploader:
    """Pushes what is in the rings, the oldest first. What the server has not acknowledged stays in its ring.

    Args:
        open_link: makes a link to the server; it may raise LinkError.
        name: of the worker.
        folder: of the worker.
        config: of the worker.
        beat: called about as often as it gets on with its work.
        monotonic: a clock (s).
        sleep: lets so many seconds pass; only at the end, when the server cannot be reached.
    """

    def __init__(
        self,
        open_link: Callable[[], Link],
        name: str,
        folder: Path,
        config: WorkerConfig,
        beat: Callable[[], None] = lambda: None,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._open_link = open_link
        self._name = name
        self._config = config
        self._beat = beat
        self._monotonic = monotonic
        self._sleep = sleep
        self._rings = OpenRings(folder)
        self._weights = WeightsOutbox(folder, config.history_interval)
        self._have_version = self._weights.version
        self._link: Link | None = None
        self._greeted: set[str] = set()
        self._failures = 0
        self._outage = Outage(_log, monotonic)
        self._next_push_s = monotonic()
        self._deadline_s: float | None = None

    def run(self, wait: Callable[[float], bool]) -> None:
        """Push until it is time to stop, then push what is left.

        Args:
            wait: waits so many seconds, and returns whether it is time to stop.

        Raises:
            RefusedError: the server refuses for good.
        """
        while not wait(self.work()):
            pass
        self._drain()

    def work(self) -> float:
        """Do what is due, and return how long nothing is (s).

        Raises:
            RefusedError: the server refuses for good.
        """
        self._beat()
        now_s = self._monotonic()
        is_early = self._failures or not self._rings.have(self._batch_samples)
        if now_s < self._next_push_s and is_early:
            return min(self._next_push_s - now_s, _LOOK_S)
        if self._try_to_push():
            return 0.0
        return min(max(self._next_push_s - self._monotonic(), 0.0), _LOOK_S)

    def close(self) -> None:
        """Close the link and the rings; a second call does nothing."""
        if self._link is not None:
            self._link.close()
            self._link = None
        self._rings.close()

    def _try_to_push(self) -> bool:
        """Push once from each ring; return whether there is more to push at once."""
        began_s = self._monotonic()
        try:
            more = self._push_from_all()
        except (LinkError, ProtocolError) as error:
            self._fail(f"the server cannot be reached: {error}")
            if self._link is not None and self._failures % _REOPEN_EVERY == 0:
                self._link.close()
                self._link = None
            return False
        except RefusedError as error:
            if not error.retry:
                raise
            self._fail(f"the server refuses for now: {error}")
            return False
        self._outage.worked()
        self._failures = 0
        self._next_push_s = began_s + self._config.push_interval
        return more

    def _fail(self, line: str) -> None:
        self._outage.failed(line)
        pause_s = min(_FIRST_PAUSE_S * 2 ** min(self._failures, 16), _LONGEST_PAUSE_S)
        self._failures += 1
        self._next_push_s = self._monotonic() + pause_s

    def _push_from_all(self) -> bool:
        more = False
        for path, ring in self._rings.look(self._weights.version):
            is_over = ring.is_over()  # first: what is written until then is there to be read
            try:
                self._push(ring)
            except RefusedError as error:
                if error.retry or not is_over:
                    raise
                _log.error("%d samples of an earlier boot are refused: %s; delete %s", ring.unread, error, path)
                self._rings.set_aside(path)
                continue
            if is_over and not ring.unread:
                self._rings.remove(path)
                continue
            more |= ring.unread >= (1 if is_over else self._batch_samples(ring))
        return more

    def _push(self, ring: RingReader) -> None:
        if ring.boot not in self._greeted:
            # An earlier link process may have pushed what it could not acknowledge any more.
            ring.acknowledge(self._send(ring, 0).next_seq)
            self._greeted.add(ring.boot)
        self._send(ring, self._batch_samples(ring))

    def _send(self, ring: RingReader, max_samples: int) -> Pushed:
        first_seq, records = ring.read(max_samples)
        push = Push(
            worker=self._name,
            boot=ring.boot,
            first_seq=first_seq,
            count=len(records),
            dropped=ring.dropped_before(first_seq),
            have_version=self._have_version,
            schema=ring.schema,
            columns=to_columns(records),
        )
        if self._link is None:
            self._link = self._open_link()
        reply = ServerClient(self._link, self._timeout_s()).push(push)
        if len(records):
            if reply.next_seq <= first_seq:
                raise RefusedError(f"nothing was taken in from sample {first_seq} on", retry=True)
            ring.acknowledge(min(reply.next_seq, first_seq + len(records)), first_seq)
        self._take_weights(reply)
        self._beat()
        return reply

    def _take_weights(self, reply: Pushed) -> None:
        if reply.weights is not None:
            self._weights.put(reply.version, reply.weights)
            self._rings.tell_weights_version(reply.version)
            self._have_version = reply.version
        elif 0 <= reply.version < self._have_version:
            _log.warning("the server has weights %d, older than ours: they are asked for", reply.version)
            self._have_version = -1

    def _batch_samples(self, ring: RingReader) -> int:
        return max(min(self._config.push_samples, PUSH_BYTES // ring.schema.dtype.itemsize), 1)

    def _timeout_s(self) -> float:
        if self._deadline_s is None:
            return _CALL_TIMEOUT_S
        return max(min(self._deadline_s - self._monotonic(), _CALL_TIMEOUT_S), 0.1)

    def _drain(self) -> None:
        """Push what is left, for a bounded time."""
        self._deadline_s = self._monotonic() + self._config.drain_timeout
        while True:
            self._try_to_push()
            self._rings.look(self._weights.version)
            if not self._rings.unread:
                return
            left_s = self._deadline_s - self._monotonic()
            if left_s <= 0:
                _log.warning("%d samples are left: they are sent when the worker starts again", self._rings.unread)
                return
            if self._failures:
                self._sleep(min(_FIRST_PAUSE_S, left_s))
