"""The definitions of alpha, kappa and beta against their authors' code, in every time-step.

The code is that of Bouteiller et al. (https://github.com/rmst/rlrd). It is not part of this package: RLRD_PATH names a
checkout of it, and without one these tests are skipped. Its base class, of an old release of OpenAI Gym, is replaced by
the few lines that it uses.
"""

import importlib.util
import os
import random
import sys
import types
from pathlib import Path

import gymnasium
import pytest
from gymnasium import spaces

from rtgym_ros.delays.ledger import DelayLedger
from rtgym_ros.delays.network_profiles import WIFI_PROBABILITIES
from rtgym_ros.delays.profiles import DelayProfile
from rtgym_ros.wrappers import ArtificialDelays

RLRD = Path(os.environ.get("RLRD_PATH", "nowhere")) / "rlrd" / "wrappers_rd.py"
pytestmark = pytest.mark.skipif(not RLRD.exists(), reason="RLRD_PATH names no checkout of github.com/rmst/rlrd")

TIME_STEPS = 3000
S = 1_000_000_000


class OldWrapper:
    """What the authors' wrapper uses of gym.Wrapper (gym 0.19)."""

    def __init__(self, env):
        self.env, self.action_space = env, env.action_space

    def reset(self, **kwargs):
        return self.env.reset(**kwargs)


@pytest.fixture
def authors(monkeypatch):
    gym = types.ModuleType("gym")
    gym.Wrapper, gym.spaces = OldWrapper, spaces
    monkeypatch.setitem(sys.modules, "gym", gym)
    monkeypatch.setitem(sys.modules, "gym.spaces", spaces)
    location = importlib.util.spec_from_file_location("wrappers_rd", RLRD)
    module = importlib.util.module_from_spec(location)
    location.loader.exec_module(module)
    return module


class OldEnv:
    """Its observation is the number of its steps and the action of the last one."""

    action_space = spaces.Discrete(10**9)
    observation_space = spaces.Discrete(10**9)

    def reset(self):
        self.count = 0
        return (0, -1)

    def step(self, action):
        self.count += 1
        return (self.count, action), float(self.count), False, {}


class NewEnv(OldEnv, gymnasium.Env):
    """The same for Gymnasium."""

    def reset(self, seed=None, options=None):
        return OldEnv.reset(self), {}

    def step(self, action):
        observation, reward, done, info = OldEnv.step(self, action)
        return observation, reward, done, False, info


class Given(DelayProfile):
    """A delay profile that gives what it was given, in time-steps."""

    def __init__(self, delays):
        self.delays = delays

    @property
    def maximum(self):
        return float(max(self.delays))

    def draws(self, rng):
        remaining = iter(self.delays)
        return lambda: float(next(remaining))


def make_delays(kind, seed):
    lots = random.Random(seed)
    if kind == "wifi":
        return [lots.choices(range(1, 7), WIFI_PROBABILITIES)[0] for _ in range(TIME_STEPS)]
    low, high = kind
    return [lots.randint(low, high) for _ in range(TIME_STEPS)]


def run_authors(authors, action_delays, observation_delays):
    """Yield (alpha, kappa, beta, observation, reward, buffer newest first) of each time-step of their wrapper."""
    action_stop, observation_stop = max(action_delays) + 1, max(observation_delays) + 1
    drawn = {"action": iter(action_delays), "observation": iter(observation_delays)}

    class Driven(authors.RandomDelayWrapper):
        initial = True

        def send_observation(self, observation):
            delay = 0 if self.initial else next(drawn["observation"])
            self.arrival_times_observations.appendleft(self.t + delay)
            self.past_observations.appendleft(observation)

        def send_action(self, action, init=False):
            self.arrival_times_actions.appendleft(self.t + (0 if init else next(drawn["action"])))
            self.past_actions.appendleft(action)

    env = Driven(OldEnv(), range(observation_stop), range(action_stop), initial_action=0)
    env.reset()
    env.initial = False
    for number in range(TIME_STEPS):
        (observation, buffer, alpha, kappa, beta), reward, *_ = env.step(number + 1)
        yield alpha, kappa, beta, observation, reward, buffer


KINDS = [((0, 0), (0, 0)), ((2, 2), (1, 1)), ((0, 1), (0, 7)), ((0, 6), (0, 3)), ((1, 4), (1, 4)), ("wifi", "wifi")]


@pytest.mark.parametrize(("action", "observation"), KINDS)
def test_the_wrapper_agrees_in_every_time_step(authors, action, observation):
    action_delays, observation_delays = make_delays(action, 1), make_delays(observation, 2)
    ours = ArtificialDelays(
        NewEnv(), Given(action_delays), Given(observation_delays), delays=(), initial_action=0
    )  # fmt: skip
    ours.reset(seed=0)
    for number, theirs in enumerate(run_authors(authors, action_delays, observation_delays)):
        augmented, reward, _, _, info = ours.step(number + 1)
        alpha, kappa, beta, observed, their_reward, buffer = theirs
        assert (info["alpha"], info["kappa"], info["beta"]) == (alpha, kappa, beta)
        assert augmented["observation"] == observed
        assert reward == their_reward
        assert augmented["action_buffer"].tolist() == list(buffer[::-1]), "theirs is newest first"


@pytest.mark.parametrize(("action", "observation"), KINDS)
def test_the_ledger_agrees_in_every_time_step(authors, action, observation):
    """From stamps alone: action k is sent at k s, samples are taken then, and echoes tell what was applied."""
    action_delays, observation_delays = make_delays(action, 3), make_delays(observation, 4)
    ledger = DelayLedger()

    def stamp(number):
        return (number + 10) * S

    ledger.sent(stamp(-2))
    ledger.sent(stamp(-1))
    ledger.echo(stamp(-1), stamp(-2), stamp(-1))  # the first observation, of beta 1 and kappa 0
    applied, newest = -1, -1
    arriving = [[] for _ in range(2 * TIME_STEPS)]
    coming = [[] for _ in range(2 * TIME_STEPS)]
    compared = set()
    for number, theirs in enumerate(run_authors(authors, action_delays, observation_delays)):
        ledger.sent(stamp(number))
        arriving[number + action_delays[number]].append(number)
        before, applied = applied, max([applied, *arriving[number]])
        coming[number + observation_delays[number]].append((number, before, applied))
        for sampled, command, next_command in coming[number]:
            ledger.echo(stamp(sampled), stamp(command), stamp(next_command))
            newest = max(newest, sampled)
        delays = ledger.observed(stamp(newest), stamp(number), sent_already=True)
        assert (delays.alpha, delays.kappa, delays.beta) == theirs[:3]
        assert delays.total == theirs[0] + theirs[2]
        compared.add(theirs[:3])
    assert len(compared) > 10 or max(action_delays) == min(action_delays)
