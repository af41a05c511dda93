"""The errors that docs/migrating.md names are those that a program gets after its imports are changed."""

import re

import numpy as np
import pytest
from docs_pages import DOCS, Page
from gymnasium import spaces

from rtgym_ros import RealTimeEnv, RealTimeGymInterface
from rtgym_ros.core.time_source import FakeTimeSource

ROWS = [
    (program, error)
    for program, error, _ in Page(DOCS / "migrating.md").table("The rest is more often than not a mistake")
]


class Robot(RealTimeGymInterface):
    reward, terminated, place = 0.0, False, 0.0

    def get_observation_space(self):
        return spaces.Tuple((spaces.Box(-1.0, 1.0, (1,)),))

    def get_action_space(self):
        return spaces.Box(-1.0, 1.0, (1,))

    def get_default_action(self):
        return np.zeros(1, np.float32)

    def send_control(self, control):
        pass

    def reset(self, seed=None, options=None):
        return [np.zeros(1, np.float32)], {}

    def get_obs_rew_terminated_info(self):
        return [np.full(1, self.place, np.float32)], self.reward, self.terminated, {}


def fly(interface=Robot, action=0.5, **config):
    with RealTimeEnv({"interface": interface, **config}, time_source=FakeTimeSource()) as env:
        env.reset()
        return env.step(action)


def robot(**attributes):
    return type("Robot", (Robot,), attributes)


CAUSES = {
    "entry of its own": [lambda: fly(x=1)],
    "step(None)": [lambda: fly(action=None)],
    "a reward": [lambda reward=reward: fly(robot(reward=reward)) for reward in ([1.0, 2.0], np.nan, None)],
    "as `terminated`": [lambda value=value: fly(robot(terminated=value)) for value in (0.0, None)],
    "outside of its space": [lambda: fly(robot(place=2.0))],
    "without the base class": [lambda: fly(object), lambda: fly(robot(reset=RealTimeGymInterface.reset))],
    "fractions": [lambda: fly(ep_max_length=428.57)],
}


def test_every_row_is_tried():
    assert len(ROWS) == len(CAUSES)
    assert all(any(words in program for program, _ in ROWS) for words in CAUSES)


@pytest.mark.parametrize("words", CAUSES)
def test_the_error_is_the_one_that_the_page_names(words):
    (told,) = [error for program, error in ROWS if words in program]
    patterns = [re.escape(text).replace(re.escape("..."), ".*") for text in re.findall("`(.+?)`", told)]
    for cause in CAUSES[words]:
        with pytest.raises(Exception) as error:  # noqa: PT011
            cause()
        line = f"{type(error.value).__name__}: {error.value}"
        assert any(re.match(pattern, line) for pattern in patterns), line
        assert "\n" not in line


def test_what_means_only_one_thing_is_taken():
    for reward in (np.array([1.0]), [1.0], np.float32(1.0)):
        answer = fly(robot(reward=reward), action=0.5)
        assert answer[1] == 1.0
        assert type(answer[1]) is float
    assert fly(robot(terminated=np.array([True])))[2] is True
