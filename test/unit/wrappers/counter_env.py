"""Environments that show what was applied to them."""

import gymnasium
import numpy as np
from gymnasium import spaces

BOX = spaces.Box(-1.0, 1.0, shape=(2,), dtype=np.float32)


class CounterEnv(gymnasium.Env):
    """Its observation is (steps since reset, first value of the action of the last step); its reward, the step."""

    def __init__(self, length=50, observation_space=None, action_space=None, make=None):
        self.action_space = action_space or spaces.Box(0.0, 1000.0, shape=(1,), dtype=np.float32)
        self.observation_space = observation_space or spaces.Box(-1.0, 1000.0, shape=(2,), dtype=np.float32)
        self.length, self.applied = length, []
        self._make = make or (lambda count, action: np.array([count, np.ravel(action)[0]], dtype=np.float32))

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.count, self.applied = 0, []
        return self._make(0, np.zeros(1)), {"of": 0}

    def step(self, action):
        self.count += 1
        self.applied.append(action)
        return self._make(self.count, action), float(self.count), self.count >= self.length, False, {"of": self.count}
