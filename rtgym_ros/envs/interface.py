"""What a user writes: how to send an action to the robot and how to observe it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, TypeVar

import numpy as np
from gymnasium import spaces

from rtgym_ros.core.elastic_clock import TimeStep
from rtgym_ros.core.time_source import MonotonicTimeSource, TimeSource
from rtgym_ros.envs.foreign_environment import warn_of_foreign_environment

_Interface = TypeVar("_Interface", bound="RealTimeGymInterface")


class RealTimeGymInterface(ABC):
    """The robot, as a real-time environment sees it (Real-Time Gym's ``RealTimeGymInterface``).

    **Threads.** One thread of the environment, the clock thread, makes every call, ``__init__`` and ``close`` included,
    so an interface needs no lock and may hold what belongs to one thread (a window, a capture device, an event loop).
    It is not the main thread: what insists on that (a GUI toolkit on macOS, ``signal.signal``) belongs in the program.
    On a clock that stands still between two calls (:class:`~rtgym_ros.core.time_source.FakeTimeSource`) the caller's
    thread makes them. Real-Time Gym calls ``__init__``, ``reset``, ``wait`` and ``render`` in the caller's thread and
    the rest in other ones.

    **Durations.** ``send_control`` and ``get_obs_rew_terminated_info`` delay the time-step by as long as they take:
    they should take a small part of it, and may take ``config["send_control_timeout"]`` and
    ``config["get_obs_timeout"]`` (1 s). Every other method may take ``config["interface_timeout"]`` (60 s). A public
    call that waits longer raises :class:`~rtgym_ros.core.errors.InterfaceTimeoutError`, which names the method; the
    method itself goes on, nothing interrupts it, and the safe action is sent as soon as it returns. One that waits for
    its robot sleeps with :func:`rtgym_ros.envs.clock_thread.pause`, so that Ctrl-C in the program ends it.

    **Errors.** Whatever a method raises stops the robot: the clock thread sends the safe action at once, and the next
    public call (the one that waits, or the next ``step()`` or ``reset()``) raises the error with its traceback.
    ``reset()`` begins again.

    The action buffer is the environment's business: no method returns it. The environment sets three attributes:

    Attributes:
        np_random: the environment's random generator, seeded by ``reset(seed=...)``; set before ``reset`` is called.
        render_mode: what ``gymnasium.make`` was given: None, ``"human"`` or ``"rgb_array"``.
        count_clipped_actions: returns how many actions were outside of the action space, and clipped; from any thread.
        safe_action_between_episodes: send the safe action when an episode ends. False, as in Real-Time Gym: the last
            action goes on until ``reset()``, or until ``config["agent_timeout"]`` has passed.

    Example::

        class Robot(RealTimeGymInterface):
            def __init__(self):
                self.arm = Driver("/dev/ttyUSB0")

            def get_observation_space(self):
                return spaces.Tuple([spaces.Box(-3.2, 3.2, (1,))])

            def get_action_space(self):
                return spaces.Box(-1.0, 1.0, (1,))

            def get_default_action(self):
                return np.zeros(1, np.float32)

            def send_control(self, control):
                self.arm.set_speed(float(control[0]))

            def reset(self, seed=None, options=None):
                return [np.array([self.arm.angle()], np.float32)], {}

            def get_obs_rew_terminated_info(self):
                angle = self.arm.angle()
                return [np.array([angle], np.float32)], -abs(angle), False, {}

            def close(self):
                self.arm.close()
    """

    def __new__(cls: type[_Interface], *args: Any, **kwargs: Any) -> _Interface:
        """Make one; a warning tells where the environment of Real-Time Gym does, which sends no safe action."""
        warn_of_foreign_environment()
        make: Any = super().__new__
        made: _Interface = make(cls) if make is object.__new__ else make(cls, *args, **kwargs)
        return made

    np_random: np.random.Generator
    render_mode: str | None = None
    safe_action_between_episodes: ClassVar[bool] = False
    count_clipped_actions: Callable[[], int] = staticmethod(lambda: 0)

    @abstractmethod
    def get_observation_space(self) -> spaces.Space[Any]:
        """Return the space of an observation: a Tuple, a Dict, or a Box of one dimension. Called once."""

    @abstractmethod
    def get_action_space(self) -> spaces.Space[Any]:
        """Return the space of an action, usually a Box. Called once."""

    @abstractmethod
    def get_default_action(self) -> Any:
        """Return the action that ``reset()`` sends, an element of the action space. Called once."""

    @abstractmethod
    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Sequence[Any], dict[str, Any]]:
        """Begin an episode; called by the environment's ``reset()`` after the running time-step.

        The default action is sent when it returns. Return within the elasticity if the clock is to keep its grid from
        one episode to the next.

        Returns:
            The first observation, an element of the observation space (a list for a Tuple), and an info.
        """

    @abstractmethod
    def get_obs_rew_terminated_info(self) -> tuple[Sequence[Any], float, bool, dict[str, Any]]:
        """Capture: called once a time-step, ``config["start_obs_capture"]`` after its start.

        Return the latest observation that there is; never wait for a newer one.

        Returns:
            The observation, an element of the observation space (a list for a Tuple); the reward, a finite number;
            whether the task ended (terminated); an info.
        """

    @abstractmethod
    def send_control(self, control: Any) -> None:
        """Send an action; called once a time-step, at its start, and with the safe action.

        Hand it over and return: never wait for it to arrive.

        Args:
            control: an element of the action space, or what ``config["act_prepro_func"]`` made of it. It belongs to
                the interface, which may keep it or write into it.
        """

    def get_safe_action(self) -> Any:
        """Return the action that stops the robot; the default action by default. Called once.

        It is sent when anything fails, when nobody calls for ``config["agent_timeout"]``, and by ``close()``.
        """
        return self.get_default_action()

    def send_safe_action(self, control: Any) -> None:
        """Send the safe action; by default with :meth:`send_control`.

        For interfaces whose safe action is none that stands still (where the robot is now, say).

        Args:
            control: what :meth:`get_safe_action` has returned, as ``send_control`` would get it.
        """
        self.send_control(control)

    def on_start(self) -> None:
        """Called by ``env.start()``: ready the robot before the first ``reset()``. Without an effect here."""

    def on_failure(self) -> None:
        """Called when the environment has failed, after the safe action was sent; nothing by default.

        ``reset()`` begins again.
        """

    def get_executed_action(self) -> Any:
        """Return the action that the last ``send_control`` really sent, an element of the action space.

        It stands in the action buffer in place of the one that was given: an action that the interface limited, say.
        None, the default, means the one that was given. Called directly after ``send_control``.
        """
        return None

    def wait_for_acknowledgement(self, timeout: float) -> bool:
        """Wait until the robot's side has what was sent; called after the safe action, which is repeated until then.

        Args:
            timeout: how long to wait (s).

        Returns:
            Whether it has; True by default, for a link that either delivers or raises.
        """
        return True

    def get_truncation(self) -> str | None:
        """Return why the episode has to end now, None if it need not; called after each capture.

        The reason is found under ``info["truncation"]``: an observation that is too old, for example.
        """
        return None

    def get_capture_shift(self, next_capture_ns: int) -> int:
        """Return by how much to shift the next capture (ns; negative: earlier), and all after it; 0 by default.

        Called once a time-step, after its capture, by which it is delayed. It is for a clock that is to stay in phase
        with the robot: see :class:`rtgym_ros.delays.phase.PhaseFollower`. At most half of a time-step, and no capture
        before the start of its time-step.

        Args:
            next_capture_ns: when it is due as things stand (ns of the environment's time source).
        """
        return 0

    def get_ros_time_offset_ns(self) -> int | None:
        """Return what to add to a time of the time source for ROS time (ns), None where there is no ROS.

        With it ``info`` tells the times of the time-step in ROS time too; called after each capture.
        """
        return None

    def wait(self) -> None:
        """Hold the robot between two episodes, or while the agent learns. The clock excuses the time that passes.

        Nothing by default: the last action goes on until ``agent_timeout`` has passed and the safe action is sent. With
        a method of your own the robot is yours to hold, and nothing is sent before the next call.
        """

    def render(self) -> Any:
        """Show the robot, or return a frame: uint8 array (height, width, 3); None by default."""

    def close(self) -> None:
        """Free what the interface holds; nothing by default. The safe action has been sent before. Called once."""

    def get_time_source(self) -> TimeSource:
        """Return the clock that time-steps are held to; the system's monotonic clock by default. Called once."""
        return MonotonicTimeSource()

    def on_time_step(self, time_step: TimeStep) -> None:
        """Called directly after each action that begins a time-step; nothing by default."""

    def on_rest(self, until_ns: int | None) -> None:
        """Called when the clock thread goes to wait and has another deadline than before; nothing by default.

        For what shares the interpreter with it, and had better not run then. On a clock with a rate of its own, a
        simulator's, it is not called.

        Args:
            until_ns: when the clock thread has to be on time next (ns, ``time.monotonic_ns()``), at a capture or at the
                end of a time-step that a call waits for; None: nobody waits.
        """

    def get_preparation_time(self) -> float | None:
        """Return how long before each capture :meth:`prepare_capture` is to be called (s), None for never.

        Called after each reset, whose time-step is not prepared.
        """
        return None

    def prepare_capture(self) -> None:
        """Called shortly before a capture, where there is the time: for work that would delay it otherwise.

        Taking over what has arrived so far, say: the capture has only the last messages left. It may be left out.
        """

    def on_timing(self, time_step_duration: float, elasticity: float) -> None:
        """Called when the timing is changed while the environment is open; nothing by default.

        Args:
            time_step_duration: from the next time-step on (s).
            elasticity: how late a time-step may begin from then on (s); infinite: never too late.
        """

    def get_tick_period(self) -> float | None:
        """Return how often :meth:`tick` is to be called (s), None for never. Called after the first reset."""
        return None

    def tick(self) -> None:
        """Called every :meth:`get_tick_period` from the first reset until ``close()``, when no capture is due.

        For what has to flow between time-steps and between episodes: repeated commands, heartbeats.
        """
