"""The services between a hosted environment and its agent, as the node sees them."""

from __future__ import annotations

import hashlib
import json
from typing import Any, Protocol

from rclpy.callback_groups import MutuallyExclusiveCallbackGroup, ReentrantCallbackGroup
from rclpy.node import Node
from std_srvs.srv import Trigger

from rtgym_ros.contract.records.contract import Contract
from rtgym_ros.core.errors import ConfigError, StateError
from rtgym_ros.record.parts import to_parts
from rtgym_ros.record.run_facts import plain_config
from rtgym_ros.record.space_text import space_to_text
from rtgym_ros.ros.hosting.env_host import EnvHost
from rtgym_ros.ros.hosting.named_arrays import to_messages
from rtgym_ros.ros.stamps import to_time
from rtgym_ros.srv import Describe, Reset


class Hosting(Protocol):
    """Where the services find the environment."""

    contract: Contract

    def hosted(self) -> EnvHost:
        """Return the host of the environment.

        Raises:
            StateError: the node is not active.
        """


def contract_hash(text: str) -> str:
    """Return what identifies a contract: the SHA-256 of its text, hex."""
    return hashlib.sha256(text.encode()).hexdigest()


class AgentServices:
    """``~/describe``, ``~/reset`` and ``~/pause``, answered in every state of the node.

    Args:
        node: whose services they are.
        hosting: where the environment is.
    """

    def __init__(self, node: Node, hosting: Hosting) -> None:
        self._hosting = hosting
        # One reset at a time; nothing else waits for it.
        resets, others = MutuallyExclusiveCallbackGroup(), ReentrantCallbackGroup()
        node.create_service(Reset, "~/reset", self._reset, callback_group=resets)
        node.create_service(Trigger, "~/pause", self._pause, callback_group=MutuallyExclusiveCallbackGroup())
        node.create_service(Describe, "~/describe", self._describe, callback_group=others)

    def _reset(self, request: Any, response: Any) -> Any:
        try:
            host = self._hosting.hosted()
            contract = self._hosting.contract
            if request.contract not in ("", contract_hash(contract.source.text)):
                raise ConfigError(
                    f"the contract of the agent is another one than that of the node, of robot {contract.robot}"
                )
            step = host.reset(int(request.seed) if request.has_seed else None, _options(request.options))
        except Exception as error:  # of the user's code too: it belongs to the caller
            response.error_type, response.message = type(error).__name__, _line(error)
            return response
        response.success = True
        response.episode, response.index, response.stamp = step.episode, step.index, to_time(step.stamp_ns)
        return response

    def _pause(self, _request: Any, response: Any) -> Any:
        try:
            self._hosting.hosted().pause()
        except Exception as error:
            response.message = _line(error)
            return response
        response.success, response.message = True, "the robot is under the safe action until the next answer or reset"
        return response

    def _describe(self, _request: Any, response: Any) -> Any:
        contract = self._hosting.contract
        response.robot, response.contract = contract.robot, contract.source.text
        try:
            env = self._hosting.hosted().env
        except StateError as error:
            response.message = _line(error)
            return response
        response.observation_space = space_to_text(env.observation_space)
        response.action_space = space_to_text(env.action_space)
        parts = getattr(env.interface, "observation_parts", {})
        response.observation_parts = json.dumps([[name, json.loads(space_to_text(parts[name]))] for name in parts])
        response.config = json.dumps(plain_config(env.config))
        response.default_action = to_messages(to_parts(env.action_space, env.default_action))
        response.success = True
        return response


def _options(text: str) -> dict[str, Any] | None:
    if not text:
        return None
    try:
        options = json.loads(text)
    except ValueError as error:
        raise ConfigError(f"options must be a JSON object, got {text!r}: {error}") from None
    if not isinstance(options, dict):
        raise ConfigError(f"options must be a JSON object, got {text!r}")
    return options


def _line(error: BaseException) -> str:
    return " ".join(str(error).split()) or repr(error)
