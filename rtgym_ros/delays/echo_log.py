"""What the robot said of its samples: under which command each was taken."""

from __future__ import annotations

from bisect import bisect_left
from typing import NamedTuple

NO_COMMAND = 0
"""The command's stamp where the robot applied none (as in ``AppliedAction.msg``)."""


class Application(NamedTuple):
    """When the robot began to apply a command, on the robot's clock (ns): after ``after_ns``, and by ``by_ns``.

    ``after_ns`` is None where nothing is known of the time before; equal to ``by_ns`` where the robot said it exactly.
    """

    after_ns: int | None
    by_ns: int


_new = tuple.__new__  # half the cost of the constructor of a named tuple


class EchoLog:
    """Keeps the latest echoes in the order of their samples, however they come: late, twice, or not at all.

    Samples and applications are in ns of the robot's clock, the stamps of commands in ns of the agent's.

    Args:
        capacity: how many are kept, at least.
    """

    def __init__(self, capacity: int = 1024) -> None:
        self._capacity = capacity
        self.tells_next = False
        """Whether the robot tells the command applied from a sample on apart from the one up to it."""
        self._newest_ns = self._newest_command = -1
        self._gap_ns = _LATEST_NS
        self.usual_ns = _LATEST_NS
        """A gap between two samples that none is missing in (ns): half as much again as the shortest one."""
        self.clear()

    def __len__(self) -> int:
        return len(self._samples)

    def add(self, sample_ns: int, command_ns: int, next_ns: int | None = None, applied_ns: int | None = None) -> bool:
        """Add an echo.

        Args:
            sample_ns: when the sample was taken.
            command_ns: stamp of the command that was applied up to then, :data:`NO_COMMAND` for none.
            next_ns: stamp of the command applied from then on; None where the robot does not tell it apart.
            applied_ns: when ``command_ns`` was first applied, if the robot tells.

        Returns:
            False for one that had come already.
        """
        if sample_ns > self._newest_ns and next_ns is None and applied_ns is None:  # nearly all of them
            if sample_ns - self._newest_ns < self._gap_ns:
                self._shorten(sample_ns - self._newest_ns)
            self._samples.append(sample_ns)
            self._commands[sample_ns] = command_ns
            self._newest_ns = sample_ns
            if command_ns != self._newest_command:
                self._newest_command = command_ns
                self._see_applied(sample_ns, command_ns)
            return True
        return self._add_rare(sample_ns, command_ns, next_ns, applied_ns)

    def _shorten(self, gap_ns: int) -> None:
        self._gap_ns = gap_ns
        self.usual_ns = gap_ns * 3 // 2

    def _add_rare(self, sample_ns: int, command_ns: int, next_ns: int | None, applied_ns: int | None) -> bool:
        if sample_ns in self._commands:
            return False
        if sample_ns > self._newest_ns:
            if sample_ns - self._newest_ns < self._gap_ns:
                self._shorten(sample_ns - self._newest_ns)
            self._samples.append(sample_ns)
            self._newest_ns, self._newest_command = sample_ns, command_ns
        else:
            self._samples.insert(bisect_left(self._samples, sample_ns), sample_ns)
        self._commands[sample_ns] = command_ns
        self._see_applied(sample_ns, command_ns)
        if next_ns is not None:
            self.tells_next = True
            self._next[sample_ns] = next_ns
            if next_ns != command_ns:
                self._applied[next_ns] = sample_ns
        if applied_ns is not None:
            self._applied[command_ns] = applied_ns
        return True

    def _see_applied(self, sample_ns: int, command_ns: int) -> None:
        if sample_ns < self._first_seen.get(command_ns, _LATEST_NS):
            self._first_seen[command_ns] = sample_ns
        if len(self._samples) > 2 * self._capacity:
            self._forget()

    def command(self, sample_ns: int) -> int | None:
        """Return the stamp of the command applied up to a sample, None where its echo has not come."""
        return self._commands.get(sample_ns)

    def next_command(self, sample_ns: int) -> int | None:
        """Return the stamp of the command applied from a sample on, the one before where they were not told apart."""
        return self._next.get(sample_ns, self._commands.get(sample_ns))

    def around(self, sample_ns: int) -> tuple[int | None, int | None]:
        """Return the commands of the nearest echoes before and after a sample, None where there is none.

        A robot applies no older command after a newer one: if both are the same, it is that of the sample, too.
        """
        samples = self._samples
        at = bisect_left(samples, sample_ns)
        after = at + (sample_ns in self._commands)
        before_command = None if at == 0 else (self._next.get(samples[at - 1]) or self._commands[samples[at - 1]])
        return before_command, None if after == len(samples) else self._commands[samples[after]]

    def application(self, command_ns: int) -> Application | None:
        """Return when a command was first applied, as far as its echoes tell; None where none has come."""
        if command_ns in self._applied:
            return _new(Application, (self._applied[command_ns], self._applied[command_ns]))
        first_ns = self._first_seen.get(command_ns)
        if first_ns is None:
            return None
        at = bisect_left(self._samples, first_ns)
        return _new(Application, (self._samples[at - 1] if at else None, first_ns))

    def clear(self) -> None:
        """Forget everything: the robot's clock was set."""
        self._samples: list[int] = []
        self._commands: dict[int, int] = {}
        self._next: dict[int, int] = {}
        self._first_seen: dict[int, int] = {}
        self._applied: dict[int, int] = {}
        self._newest_ns = self._newest_command = -1

    def _forget(self) -> None:
        for sample_ns in self._samples[: self._capacity]:
            del self._commands[sample_ns]
            self._next.pop(sample_ns, None)
        del self._samples[: self._capacity]
        current = set(self._commands.values()) | set(self._next.values())
        self._first_seen = {c: at for c, at in self._first_seen.items() if c in current}
        self._applied = {c: at for c, at in self._applied.items() if c in current}


_LATEST_NS = 2**63
