"""An interface that logs its calls, for the unit tests.

Not in conftest.py: of several modules of that name, the first that was imported would be found.
"""

import threading

import numpy as np
from gymnasium import spaces

from rtgym_ros import RealTimeGymInterface
from rtgym_ros.core.time_source import MonotonicTimeSource

MS = 1_000_000


class Recorder(RealTimeGymInterface):
    """A robot that logs ``(time in ms, method, action)``.

    Its observation is the number of the capture, its reward that number too. ``do[method]`` is called with the
    arguments of the method, after it is logged; what it returns is the answer, unless it is None.
    """

    def __init__(self, time_source=None, do=None):
        self.time = time_source or MonotonicTimeSource()
        self.log = []
        self.threads = {}
        self.do = do if do is not None else {}
        self.captures = 0
        self._run("__init__", None)

    def _run(self, method, answer, *args):
        self.threads.setdefault(method, set()).add(threading.get_ident())
        other = self.do[method](*args) if method in self.do else None
        return answer if other is None else other

    def _log(self, method, *args):
        self.log.append((self.time.now_ns() / MS, method, *args))

    def get_observation_space(self):
        return self._run("get_observation_space", spaces.Tuple((spaces.Box(-1, 1e6, (1,)),)))

    def get_action_space(self):
        return self._run("get_action_space", spaces.Box(-2.0, 2.0, (1,)))

    def get_default_action(self):
        return self._run("get_default_action", np.zeros(1, dtype=np.float32))

    def get_safe_action(self):
        return self._run("get_safe_action", -np.ones(1, dtype=np.float32))

    def get_time_source(self):
        return self._run("get_time_source", self.time)

    def on_time_step(self, time_step):
        self._run("on_time_step", None, time_step)

    def on_timing(self, time_step_duration, elasticity):
        self._run("on_timing", None, time_step_duration, elasticity)

    def reset(self, seed=None, options=None):
        self._log("reset")
        return self._run(
            "reset", ([np.array([-1], dtype=np.float32)], {"seed": seed, "options": options}), seed, options
        )

    def get_obs_rew_terminated_info(self):
        self._log("capture")
        self.captures += 1
        number = self.captures
        answer = [np.array([number], dtype=np.float32)], float(number), False, {"capture": number}
        return self._run("get_obs_rew_terminated_info", answer)

    def send_control(self, control):
        self._log("send", round(float(control[0]), 3))
        self._run("send_control", None, control)

    def wait(self):
        self._log("wait")
        self._run("wait", None)

    def render(self):
        return self._run("render", np.full((2, 2, 3), self.captures % 256, dtype=np.uint8))

    def close(self):
        self._log("close")
        self._run("close", None)
