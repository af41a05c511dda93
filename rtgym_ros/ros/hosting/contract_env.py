"""The environment of a robot under a contract in the agent's process, with what its node offers to others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from rtgym_ros.core.config import RealTimeConfig
from rtgym_ros.envs.clock_thread import Request
from rtgym_ros.envs.real_time_env import RealTimeEnv
from rtgym_ros.envs.state import State
from rtgym_ros.record.observer import Observer
from rtgym_ros.ros.hosting.host_parameters import RECORD_FOLDER, HostParameters, runtime_parameters
from rtgym_ros.ros.hosting.record_service import RecordService
from rtgym_ros.ros.hosting.recording_on_request import RecordingOnRequest
from rtgym_ros.ros.parameters import Parameter
from rtgym_ros.ros.ros_interface import RosInterface


def in_process_parameters(config: RealTimeConfig) -> tuple[Parameter, ...]:
    """Return what the node of a :class:`ContractEnv` declares, with the defaults of its configuration."""
    return (RECORD_FOLDER, *runtime_parameters(config))


class ContractEnv(RealTimeEnv):
    """A :class:`RealTimeEnv` whose node has ``~/record`` and the parameters of ``env_node`` that may change.

    By the same code as there: :class:`RecordService`, :class:`HostParameters`. It has no services for an agent, which
    is in this process. ``step()`` is that of :class:`RealTimeEnv` but while something is recorded.

    Args:
        config: of an environment under a contract, whose interface has a node of its own and has declared
            :func:`in_process_parameters`.
        render_mode: as of :class:`RealTimeEnv`.

    Raises:
        ConfigError: the configuration or an override of a parameter cannot be used.
    """

    def __init__(self, config: Mapping[str, Any], render_mode: str | None = None) -> None:
        super().__init__(config, render_mode)
        interface = self.interface
        assert isinstance(interface, RosInterface)
        try:
            parameters = HostParameters(interface.node, self.config, self._change, (RECORD_FOLDER,))
            self.reconfigure(**parameters.entries)  # what the command line says
            self._observer = Observer(self.observation_space, self.action_space)
            self._recording = RecordingOnRequest(self, self._switch)
            RecordService(interface.node, lambda: self._recording, parameters.fixed["record_folder"])
        except BaseException:
            self.close()
            raise

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin an episode, and note it for a recording; see :meth:`RealTimeEnv.reset`."""
        self._recording.begin_episode(self._observer.episode + 1, seed, options)
        observation, info = super().reset(seed=seed, options=options)
        self._recording.write(self._observer.reset(observation, info))
        return observation, info

    def close(self) -> None:
        """Close the environment, then a recording; a second call does nothing."""
        try:
            super().close()
        finally:
            if hasattr(self, "_recording"):
                self._recording.stop()

    def _recorded_step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        returned = RealTimeEnv.step(self, action)
        step = self._observer.step(action, returned)
        step.episode_step = self._episode.time_steps  # it may not have been recorded from the beginning
        self._recording.write(step)
        return returned

    def _switch(self, is_on: bool) -> None:
        if is_on:
            self.step = self._recorded_step  # type: ignore[method-assign]  # an action goes no longer way otherwise
        else:
            vars(self).pop("step", None)

    def _change(self, changes: Mapping[str, Any]) -> None:
        """Change entries from the next time-step on; in a thread of the executor, which waits for no ``step()``."""
        if self.state is not State.CLOSED:
            self.config = replace(self.config, **changes)
            self._host.submit(Request("configure", self._loop.configure, self.config))
