"""Runs the steps of a sequence in order, each within its timeout, with heartbeats and commands going on meanwhile."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf

from rtgym_ros.contract.grammar.source import Source
from rtgym_ros.contract.records.gate import Gate
from rtgym_ros.contract.records.step import SendStep, Step
from rtgym_ros.contract.sequences.conditions import why_not
from rtgym_ros.contract.sequences.periodic import Periodic
from rtgym_ros.contract.sequences.port import Port
from rtgym_ros.contract.sequences.steps import POLL_PERIOD, RefusedError, run_step, step_name
from rtgym_ros.core.errors import InterfaceTimeoutError, RtgymError


class StepError(RtgymError, RuntimeError):
    """A step of a sequence has failed; the message is one line: file, line, the step, why.

    Attributes:
        sequence: ``start``, ``reset``, ``wait`` or ``stop``.
        index: of the step in it, from 0.
    """

    def __init__(self, message: str, sequence: str, index: int) -> None:
        super().__init__(message)
        self.sequence = sequence
        self.index = index

    def __reduce__(self) -> tuple[type[StepError], tuple[str, str, int]]:
        """Keep the step where the error goes to another process."""
        return type(self), (str(self), self.sequence, self.index)


class StepTimeoutError(StepError, TimeoutError):
    """A step was not over within its timeout."""


class SequenceRunner:
    """Runs sequences of steps, and waits for gates, in the calling thread.

    Args:
        port: the graph.
        gates: that ``until`` may name.
        source: where the steps stand, for errors.
        heartbeats: called at their rates all the while.
        commands: the repetition of the safe action, called at its rate except while a ``send`` step moves the commands.
        patience: how long a server that is not there is waited for, within the timeout of its step (s).
    """

    def __init__(
        self,
        port: Port,
        gates: Mapping[str, Gate],
        source: Source,
        *,
        heartbeats: Sequence[Periodic] = (),
        commands: Periodic | None = None,
        patience: float = inf,
    ) -> None:
        self._port = port
        self._gates = gates
        self._source = source
        self.heartbeats = list(heartbeats)
        self.commands = commands
        self._patience = patience

    def run(self, sequence: str, steps: Sequence[Step], *, keep_going: bool = False) -> None:
        """Run the steps in order.

        Args:
            sequence: what it is called: ``start``, ``reset``, ``wait`` or ``stop``.
            steps: of the contract.
            keep_going: run the steps after a failed one too (``stop``: each may be the one that matters).

        Raises:
            StepError: a step has failed, or was not over in time (StepTimeoutError); with ``keep_going`` the first
                of them, after the last step.
        """
        first: StepError | None = None
        for index, step in enumerate(steps):
            try:
                self._run(sequence, index, step)
            except StepError as error:
                if not keep_going:
                    raise
                first = first or error
        if first is not None:
            raise first

    def wait_for_gates(self) -> None:
        """Wait until every gate holds, each within its own timeout from now.

        Raises:
            InterfaceTimeoutError: one does not; the message names file, line, gate, topic and why.
        """
        began = self._port.now()
        while True:
            open_gates = [(gate, why_not(gate, self._port.read(gate))) for gate in self._gates.values()]
            closed = [(gate, reason) for gate, reason in open_gates if reason is not None]
            if not closed:
                return
            now = self._port.now()
            for gate, reason in closed:
                if now - began >= gate.timeout:
                    raise InterfaceTimeoutError(
                        self._source.problem(("gates", gate.name), f"does not hold after {gate.timeout:g} s: {reason}")
                    )
            end = began + min(gate.timeout for gate, _ in closed)
            self._pause(min(POLL_PERIOD, end - now), with_commands=True)

    def _run(self, sequence: str, index: int, step: Step) -> None:
        deadline = self._port.now() + step.timeout
        run = run_step(step, self._port, self._gates, self._patience)
        with_commands = not isinstance(step, SendStep)
        try:
            self._pump(with_commands)
            for waiting in run:
                now = self._port.now()
                if now >= deadline:
                    message = f"is not over after {step.timeout:g} s: {waiting.reason}"
                    raise StepTimeoutError(self._line(sequence, index, step, message), sequence, index)
                self._pause(min(waiting.delay, deadline - now), with_commands)
        except RefusedError as refused:
            raise StepError(self._line(sequence, index, step, str(refused)), sequence, index) from refused
        except LookupError as error:
            raise StepError(self._line(sequence, index, step, str(error)), sequence, index) from error
        finally:
            run.close()

    def _pause(self, seconds: float, with_commands: bool) -> None:
        """Wait, and do what is due meanwhile at the latest when it is."""
        now = self._port.now()
        due = [periodic.due(now) for periodic in self._periodics(with_commands)]
        self._port.wait(max(0.0, min([seconds, *(time - now for time in due)])))
        self._pump(with_commands)

    def _pump(self, with_commands: bool) -> None:
        now = self._port.now()
        for periodic in self._periodics(with_commands):
            periodic.run(now)

    def _periodics(self, with_commands: bool) -> list[Periodic]:
        commands = [self.commands] if with_commands and self.commands is not None else []
        return [*self.heartbeats, *commands]

    def _line(self, sequence: str, index: int, step: Step, message: str) -> str:
        return self._source.problem((sequence, index), f"{step_name(step)}: {message}")
