"""What the unit tests share: environments around an interface that logs its calls, and no thread may be left."""

import threading

import pytest
from unit_recorder import Recorder

from rtgym_ros import RealTimeEnv
from rtgym_ros.core.time_source import FakeTimeSource


@pytest.fixture
def clock():
    """A clock that stands still unless somebody sleeps."""
    return FakeTimeSource()


@pytest.fixture
def make_env(clock):
    """Return a function that makes an environment of 50 ms time-steps around a Recorder; all are closed at the end."""
    envs = []

    def make(env_class=RealTimeEnv, time_source=clock, do=None, render_mode=None, **config):
        config = {"interface": Recorder, "interface_args": (time_source, do), "time_step_duration": 0.05, **config}
        env = env_class(config, render_mode, time_source)
        envs.append(env)
        return env

    yield make
    for env in envs:
        env.interface.do.clear()
        env.close()


@pytest.fixture
def env(make_env):
    """An environment on the fake clock, with a buffer of two actions."""
    return make_env(act_buf_len=2)


def our_threads():
    """Return the threads of this package that are running."""
    return [thread for thread in threading.enumerate() if thread.name.startswith("rtgym_ros")]


@pytest.fixture(autouse=True)
def no_thread_left():
    """No thread of ours outlives a test."""
    yield
    left = our_threads()
    for thread in left:  # those that were let go last
        thread.join(10)
    assert our_threads() == []
