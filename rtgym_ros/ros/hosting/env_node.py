"""``env_node``: the node that hosts the clock of a robot's environment, whatever becomes of its agent."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from threading import RLock, Thread
from time import monotonic, sleep, time_ns
from typing import Any

from rclpy.lifecycle import TransitionCallbackReturn

from rtgym_ros.contract.records.contract import Contract
from rtgym_ros.core.config import RealTimeConfig
from rtgym_ros.core.errors import RtgymError, StateError
from rtgym_ros.envs.real_time_env import RealTimeEnv
from rtgym_ros.ros import contract_interface, ros_interface
from rtgym_ros.ros.contract_env import contract_entries, make_local_env
from rtgym_ros.ros.contract_interface import ContractInterface
from rtgym_ros.ros.hosting.agent_services import AgentServices
from rtgym_ros.ros.hosting.agent_topics import AgentTopics
from rtgym_ros.ros.hosting.env_host import EnvHost
from rtgym_ros.ros.hosting.host_parameters import FIXED, HostParameters
from rtgym_ros.ros.hosting.managed_node import ManagedNode
from rtgym_ros.ros.hosting.record_service import RecordService
from rtgym_ros.ros.node_log import NodeLog
from rtgym_ros.ros.parameters import Parameter, refuse_unknown_overrides
from rtgym_ros.ros.session import RosSession

THREADS = 8
"""Of the executor: transitions, reset, pause and record may wait, each in one of them, and others go on."""

_RETRY_S = 1.0
_PATIENCE_S = 2.0
"""How long the end waits for a transition that is under way before it ends ROS under it (s)."""


class EnvNode:
    """Hosts the environment of a robot under a contract, as a lifecycle node; see ``docs/env_node.md``.

    =============  =========================================================================================
    transition     what happens
    =============  =========================================================================================
    configure      the environment is made: spaces, subscriptions, publishers; nothing is sent
    activate       the contract's ``start`` runs, its gates are waited for, the safe action flows; an agent may reset
    deactivate     the safe action, acknowledged, then ``stop``; nothing is sent from then on
    cleanup        the environment is given up
    =============  =========================================================================================

    A transition that cannot be made (a robot that is not there) fails and leaves the state as it was. An error that
    nobody has foreseen, also while the node is active, leads through ErrorProcessing to unconfigured. A time-step that
    fails stops the robot and leaves the node active: ``~/reset`` begins again, as in one process.

    Services, parameters, timers and ``/clock`` are served by the session's executor; none of it keeps the time.

    Args:
        session: made with ``node_class=ManagedNode`` and ``threads=THREADS``.
        contract: read before.
        allow_code_beside: whether code that the contract names may lie beside its file.

    Raises:
        ConfigError: a parameter cannot be used.
    """

    def __init__(self, session: RosSession, contract: Contract, *, allow_code_beside: bool = False) -> None:
        assert isinstance(session.node, ManagedNode)
        self.contract = contract
        self._session, self._node = session, session.node
        self._log = NodeLog(session)
        self._allow_code_beside = allow_code_beside
        self._lock = RLock()  # one transition at a time: autostart, services, the end
        self._env: RealTimeEnv | None = None
        self._host: EnvHost | None = None
        self._crash: BaseException | None = None
        self._is_ending = False
        config = RealTimeConfig.from_mapping({**contract_entries(contract), "interface": ContractInterface})
        fixed: list[Parameter] = [*ros_interface.PARAMETERS, *contract_interface.PARAMETERS, *FIXED]
        self._parameters = HostParameters(self._node, config, self._apply, fixed)
        refuse_unknown_overrides(self._node, session.arguments)
        self._topics = AgentTopics(self._node, self._ros_time_ns)
        self._node.transitions = self
        AgentServices(self._node, self)
        RecordService(self._node, lambda: self.hosted().recording, self._parameters.fixed["record_folder"])

    # --- what the services ask for ---

    def hosted(self) -> EnvHost:
        """Return the host of the environment.

        Raises:
            StateError: the node is not active.
        """
        host = self._host
        if host is None:
            name = self._node.get_fully_qualified_name()
            raise StateError(f"node {name} is {self._node.state_label}: ros2 lifecycle set {name} configure, activate")
        return host

    # --- its life ---

    def start_by_itself(self) -> None:
        """Configure and activate, as often as it takes, if the parameter ``autostart`` says so; in a thread."""
        if self._parameters.fixed["autostart"]:
            Thread(target=self._autostart, name="rtgym_ros autostart", daemon=True).start()

    def close(self) -> None:
        """Deactivate and clean up, whatever the state; a robot that has begun is stopped."""
        self._is_ending = True
        if not self._lock.acquire(timeout=_PATIENCE_S):
            self._session.context.try_shutdown()  # ends what a transition waits for
            self._lock.acquire(timeout=_PATIENCE_S)
        for label, trigger in (
            ("active", self._node.trigger_deactivate),
            ("inactive", self._node.trigger_cleanup),
            ("unconfigured", self._node.trigger_shutdown),
        ):
            if self._session.context.ok() and self._node.state_label == label:
                trigger()
        self._give_up()

    def on_configure(self) -> TransitionCallbackReturn:
        """Make the environment."""
        with self._lock:
            return self._attempt("configure", self._open)

    def on_activate(self) -> TransitionCallbackReturn:
        """Ready the robot."""
        with self._lock:
            return self._attempt("activate", self._activate)

    def on_deactivate(self) -> TransitionCallbackReturn:
        """Stop the robot."""
        with self._lock:
            crash, self._crash = self._crash, None
            if crash is not None:
                self._log.error(f"the host of the environment has failed: {crash!r}")
                return TransitionCallbackReturn.ERROR
            self._close()
            return TransitionCallbackReturn.SUCCESS

    def on_cleanup(self) -> TransitionCallbackReturn:
        """Give the environment up."""
        with self._lock:
            self._close()
            return TransitionCallbackReturn.SUCCESS

    def on_shutdown(self) -> TransitionCallbackReturn:
        """Give the environment up."""
        return self.on_cleanup()

    def on_error(self) -> TransitionCallbackReturn:
        """Stop the robot as far as that can be done; the node can be configured again."""
        with self._lock:
            self._give_up()
            return TransitionCallbackReturn.SUCCESS

    # --- inside ---

    def _autostart(self) -> None:
        while not self._is_ending and self._session.context.ok():
            with self._lock:
                label = self._node.state_label
                if self._is_ending or label not in ("unconfigured", "inactive"):
                    return
                trigger = self._node.trigger_configure if label == "unconfigured" else self._node.trigger_activate
                try:
                    done = trigger() == TransitionCallbackReturn.SUCCESS
                except RuntimeError:  # rclpy's, of a transition that close() has ended by shutting ROS down
                    if self._session.context.ok():
                        raise
                    return
            if done and label == "inactive":
                return
            end = monotonic() + (0.0 if done else _RETRY_S)
            while monotonic() < end and not self._is_ending:
                sleep(0.02)

    def _attempt(self, transition: str, function: Any) -> TransitionCallbackReturn:
        try:
            function()
        except RtgymError as error:
            if not self._is_ending:
                self._log.error(f"{transition}: {error}")
            return TransitionCallbackReturn.FAILURE
        except Exception as error:  # of the user's code, or a mistake: rclpy would not say which
            self._log.error(f"{transition}: {error!r}")
            return TransitionCallbackReturn.ERROR
        return TransitionCallbackReturn.SUCCESS

    def _open(self) -> None:
        self._env = make_local_env(
            self.contract,
            config={**self._parameters.entries, "time_in_info": True},
            guard=self._parameters.fixed["guard"] or False,
            node=self._node,
            allow_code_beside=self._allow_code_beside,
        )

    def _activate(self) -> None:
        if self._env is None:  # it was deactivated before
            self._open()
        assert self._env is not None
        host = EnvHost(self._env, self._topics, self._log, self._on_crash)
        try:
            host.start()
        except BaseException:
            self._close()
            raise
        self._host = host

    def _close(self) -> None:
        """Stop the robot: the safe action, acknowledged, then ``stop``."""
        host, self._host = self._host, None
        env, self._env = self._env, None
        if host is not None:
            host.close()
        elif env is not None:
            env.close()

    def _give_up(self) -> None:
        try:
            self._close()
        except Exception as error:
            self._log.error(f"the environment could not be closed: {error}")

    def _on_crash(self, error: BaseException) -> None:
        if self._is_ending or not self._session.context.ok():
            return
        self._crash = error
        # The host's thread is what the transition ends.
        Thread(target=self._node.trigger_deactivate, name="rtgym_ros error", daemon=True).start()

    def _apply(self, changes: Mapping[str, Any]) -> None:
        host = self._host
        if host is not None:
            host.post("parameters", self._reconfigure, host.env, dict(changes))

    def _reconfigure(self, env: RealTimeEnv, changes: dict[str, Any]) -> None:
        with suppress(StateError):  # closed meanwhile
            env.reconfigure(**changes)

    def _ros_time_ns(self) -> int:
        interface = None if self._env is None else self._env.interface
        return interface.ros_time_ns() if isinstance(interface, ContractInterface) else time_ns()
