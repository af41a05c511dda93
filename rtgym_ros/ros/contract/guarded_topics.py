"""Where commands are published, with a guard and without: never two masters, never none."""

from __future__ import annotations

from time import monotonic

from rclpy.node import Node

from rtgym_ros.contract.records.contract import Contract
from rtgym_ros.core.errors import InterfaceError
from rtgym_ros.envs.clock_thread import pause

_DISCOVERY_S = 5.0
_POLL_S = 0.02


class GuardedTopics:
    """Names the command topics of an environment, and holds the graph against them.

    Args:
        contract: read before.
        guard: whether a guard stands between the environment and the robot; the name of its input, or True for the
            first one.

    Raises:
        ContractError: the contract has no guard, or no such input.
    """

    def __init__(self, contract: Contract, guard: bool | str) -> None:
        inputs = list(contract.guard.inputs) if contract.guard is not None else ["agent"]
        if guard and contract.guard is None:
            raise contract.source.error((), "guard is missing; allowed: a section `guard`, or an environment without")
        if isinstance(guard, str) and guard not in inputs:
            raise contract.source.error(("guard", "inputs"), f"{guard!r} is no input; allowed: {', '.join(inputs)}")
        self._inputs = inputs
        self.input: str | None = guard if isinstance(guard, str) else (inputs[0] if guard else None)
        self._topics = [part.topic for part in contract.action.values() if part.topic is not None]

    def publish_on(self, topic: str) -> str:
        """Return the name, as the contract would have it, on which the command of ``topic`` is published."""
        return topic if self.input is None else f"{self.input}/{topic.lstrip('/')}"

    def check(self, node: Node, resolve: object) -> None:
        """Hold the graph against this; waits a bounded time until a guard is found.

        Args:
            node: of the environment.
            resolve: makes the full name of a topic.

        Raises:
            InterfaceError: a guard is wanted and none is up, or the other way round.
        """
        assert callable(resolve)
        if self.input is None:
            for topic in self._topics:
                for name in self._inputs:
                    guarded = resolve(f"{name}/{topic.lstrip('/')}")
                    if node.count_subscribers(guarded):
                        raise InterfaceError(
                            f"a guard is up: it subscribes to {guarded}; two would command the robot on "
                            f"{resolve(topic)}: make the environment with guard=True, or end the guard"
                        )
            return
        deadline = monotonic() + _DISCOVERY_S
        for topic in self._topics:
            guarded = resolve(self.publish_on(topic))
            while not node.count_subscribers(guarded):
                if monotonic() >= deadline:
                    raise InterfaceError(
                        f"no guard is up: nobody subscribes to {guarded}; start one, or make the environment with "
                        "guard=False"
                    )
                pause(_POLL_S)
