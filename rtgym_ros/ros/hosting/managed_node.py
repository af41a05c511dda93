"""A lifecycle node whose transitions are somebody else's, and never keep its other callbacks from running."""

from __future__ import annotations

from typing import Any, Protocol

from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.lifecycle import LifecycleState, TransitionCallbackReturn
from rclpy.lifecycle.node import LifecycleNodeMixin
from rclpy.node import Node


class Transitions(Protocol):
    """What happens in the transitions of a lifecycle node; one at a time."""

    def on_configure(self) -> TransitionCallbackReturn:
        """Make what the node works with."""

    def on_activate(self) -> TransitionCallbackReturn:
        """Begin to work."""

    def on_deactivate(self) -> TransitionCallbackReturn:
        """Cease to work."""

    def on_cleanup(self) -> TransitionCallbackReturn:
        """Give up what the node works with."""

    def on_shutdown(self) -> TransitionCallbackReturn:
        """Give up everything, whatever the state."""

    def on_error(self) -> TransitionCallbackReturn:
        """Give up everything after an error; SUCCESS: the node can be configured again."""


class ManagedNode(LifecycleNodeMixin, Node):
    """A lifecycle node.

    rclpy's own has its services in the default callback group, so that a transition which waits for a service, a
    parameter or a timer of the same node waits for ever; these have a group of their own.

    Args:
        node_name: name of the node.
        **kwargs: of :class:`rclpy.node.Node`.

    Attributes:
        transitions: what they do; set before the first one.
    """

    transitions: Transitions

    def __init__(self, node_name: str, **kwargs: Any) -> None:
        Node.__init__(self, node_name, **kwargs)
        LifecycleNodeMixin.__init__(self, callback_group=MutuallyExclusiveCallbackGroup())

    @property
    def state_label(self) -> str:
        """The label of the state: ``unconfigured``, ``inactive``, ``active``, ..."""
        return str(self._state_machine.current_state[1])

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """From unconfigured to inactive."""
        return self.transitions.on_configure()

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """From inactive to active."""
        return self.transitions.on_activate()

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """From active to inactive."""
        return self.transitions.on_deactivate()

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """From inactive to unconfigured."""
        return self.transitions.on_cleanup()

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """From any to finalized."""
        return self.transitions.on_shutdown()

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """After an error, from any to unconfigured."""
        return self.transitions.on_error()
