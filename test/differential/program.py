"""A program written for Real-Time Gym: flies random configurations and writes down every value, a line of JSON each.

``python program.py FIRST LAST`` runs it on rtgym, ``python -m rtgym_ros.compat program.py FIRST LAST`` on rtgym_ros.
Nothing that is written depends on the time: the robot is a script, which counts calls.
"""

import json
import math
import sys
import warnings
from collections import deque

import gymnasium
import numpy as np
import rtgym
from gymnasium import spaces
from rtgym import DEFAULT_CONFIG_DICT

# fmt: off
ATTRIBUTES = (
    "time_step_duration", "time_step_timeout_factor", "time_step_timeout", "start_obs_capture",
    "ep_max_length", "wait_on_done", "last_act_on_reset", "act_in_obs", "act_buf_len", "reset_act_buf",
    "act_buf", "benchmark", "benchmark_polyak", "current_step", "running", "time_initialized",
    "default_action", "seed", "options", "action_space", "observation_space",
)
# fmt: on
"""Public attributes whose values are compared."""

IDS = ("real-time-gym-v1", "real-time-gym-ts-v1")
"""The environments, taken in turn."""

# fmt: off
ATTRIBUTES_TS = (
    *ATTRIBUTES, "interface_args", "interface_kwargs", "interface_action_space", "interface_observation_space",
)
# fmt: on
"""Those of the second one, whose interface is private."""

# fmt: off
CHOSEN = (
    "time_step_duration", "start_obs_capture", "time_step_timeout_factor", "ep_max_length", "act_in_obs",
    "act_buf_len", "reset_act_buf", "wait_on_done", "last_act_on_reset", "benchmark", "benchmark_type",
    "act_prepro_func", "obs_prepro_func",
)
# fmt: on
"""Entries that are drawn, and told with each flight."""


def shown(value):
    """Return a value as something for JSON: texts that tell the type, in lists (after their type) and dictionaries."""
    if isinstance(value, np.ndarray):
        return f"array({value.dtype}, {value.shape}, {value.tolist()})"
    if isinstance(value, np.generic):
        return f"{value.dtype}({value.item()!r})"
    if isinstance(value, dict):
        return {str(key): shown(part) for key, part in value.items()}
    if isinstance(value, (list, tuple, deque)):
        return [type(value).__name__, *map(shown, value)]
    if isinstance(value, spaces.Space):
        return repr(value)
    return f"{type(value).__name__}({value!r})"


def names_in(benchmarks):
    """Return the names of what was measured, without the times."""
    return {name: sorted(part) if isinstance(part, dict) else type(part).__name__ for name, part in benchmarks.items()}


class Methods:
    """The robot: what it returns is drawn once from a generator of its own."""

    latest = None

    def __init__(self, seed, traits, limit=9):
        Methods.latest = self
        self.rng = np.random.default_rng(seed)
        self.traits = traits
        self.limit = limit
        self.sent = []
        self.captures = 0
        self.info = {"of": "all"}

    def box(self):
        shape = self.traits["action_shape"]
        return spaces.Box(-1.0, 1.0, shape, np.dtype(self.traits["action_dtype"]))

    def get_action_space(self):
        return spaces.Discrete(5) if self.traits["action_dtype"] == "discrete" else self.box()

    def get_default_action(self):
        if self.traits["action_dtype"] == "discrete":
            return np.int64(2)
        default = np.zeros(self.traits["action_shape"], self.traits["action_dtype"])
        return default.tolist() if self.traits["default_is_list"] else default

    def get_observation_space(self):
        line = spaces.Box(-10.0, 10.0, (2,))
        if self.traits["space"] == "dict":
            return spaces.Dict({"line": line, "count": spaces.Discrete(1000)})
        if self.traits["space"] == "box":
            return line
        return spaces.Tuple((line, spaces.Box(-np.inf, np.inf, (1,)), spaces.Discrete(1000)))

    def observation(self):
        self.captures += 1
        scale = 30.0 if self.traits["observes_outside"] else 1.0
        line = np.asarray(scale * self.rng.uniform(-1, 1, 2), dtype=self.traits["observation_dtype"])
        if self.traits["space"] == "dict":
            return {"line": line, "count": self.captures}
        if self.traits["space"] == "box":
            return line
        number = float(self.captures) if self.traits["observes_numbers"] else np.array([self.captures], np.float32)
        return [line, number, self.captures]

    def send_control(self, control):
        self.sent.append(shown(control))
        if self.traits["writes_into_control"] and isinstance(control, np.ndarray):
            control[...] = 0.5

    def reset(self, seed=None, options=None):
        return self.observation(), None if self.traits["info"] == "none" else {"seed": seed}

    def get_obs_rew_terminated_info(self):
        observation = self.observation()
        value = self.captures * 0.375
        kind = self.traits["reward"]
        reward = {
            "float": value,
            "int": self.captures,
            "float32": np.float32(value),
            "array": np.array([value]),
            "nan": math.nan,
            "none": None,
            "list": [value],
        }[kind]
        over = self.captures % self.limit == 0
        terminated = {
            "bool": over,
            "int": int(over),
            "float": float(over),
            "none": over or None,
            "numpy": np.bool_(over),
            "array": np.array([over]),
        }[self.traits["terminated"]]
        info = {"none": None, "same": self.info, "fresh": {"capture": self.captures}}[self.traits["info"]]
        return observation, reward, terminated, info

    def wait(self):
        self.sent.append("wait")

    def render(self):
        return self.captures


class Derived(Methods, rtgym.RealTimeGymInterface):
    """With the base class."""


class Plain(Methods):
    """Without it: Real-Time Gym never looks."""


def pick(rng, *choices):
    return choices[int(rng.integers(len(choices)))]


def often(rng, usual, *others):
    """Return ``usual`` three times out of four."""
    return usual if rng.random() < 0.75 else pick(rng, *others)


def traits_of(rng):
    """Draw what the robot is like."""
    return {
        "space": often(rng, "tuple", "dict", "box"),
        "action_shape": pick(rng, (1,), (3,), (2, 2)),
        "action_dtype": often(rng, "float32", "float64", "discrete"),
        "observation_dtype": often(rng, "float32", "float64"),
        "default_is_list": rng.random() < 0.1,
        "observes_outside": rng.random() < 0.1,
        "observes_numbers": rng.random() < 0.2,
        "writes_into_control": rng.random() < 0.05,
        "reward": often(rng, "float", "int", "float32", "array", "nan", "none", "list"),
        "terminated": often(rng, "bool", "int", "float", "none", "numpy", "array"),
        "info": often(rng, "fresh", "same", "none"),
    }


def half(value):
    """Preprocess: an action or an observation, whatever it is."""
    return value


def doubled(control):
    return None if control is None else np.asarray(control) * 2


def shortened(observation):
    return list(observation)[:-1]


def config_of(rng, traits):
    """Draw a configuration: a copy of the default with some entries changed, some left out, some unknown."""
    duration = pick(rng, 0.001, 0.002, 0.003)
    flag = pick(rng, bool, int)
    config = {
        **DEFAULT_CONFIG_DICT,
        "interface": pick(rng, Derived, Plain),
        "interface_args": (int(rng.integers(1 << 30)), traits),
        "interface_kwargs": {"limit": int(rng.integers(3, 12))},
        "time_step_duration": duration,
        "start_obs_capture": often(rng, duration, duration / 2, 0.0, -0.001, 2 * duration),
        "time_step_timeout_factor": often(rng, 1.0, 0, 1e6, np.inf, -1.0),
        "ep_max_length": often(rng, np.inf, 1, 4, 7.0, 5.57, 0, np.int64(6)),
        "act_in_obs": flag(rng.random() < 0.7) if traits["space"] == "tuple" else False,
        "act_buf_len": int(rng.integers(1, 5)),
        "reset_act_buf": flag(rng.random() < 0.5),
        "wait_on_done": flag(rng.random() < 0.3),
        "last_act_on_reset": flag(rng.random() < 0.3),
        "benchmark": flag(rng.random() < 0.2),
        "benchmark_type": pick(rng, "polyak", "trace", "TRACE"),
    }
    if rng.random() < 0.15:
        config["act_prepro_func"] = half if traits["action_dtype"] == "discrete" else pick(rng, half, doubled)
    if rng.random() < 0.15 and traits["space"] == "tuple":
        config["obs_prepro_func"] = pick(rng, half, shortened)
    if rng.random() < 0.1:
        config["an_entry_of_the_programs_own"] = 3
    for name in ("benchmark_polyak", "interface_kwargs", "wait_on_done", "last_act_on_reset", "reset_act_buf"):
        if rng.random() < 0.05:
            del config[name]
    return config


def action_of(rng, traits):
    """Draw what a policy may return."""
    if traits["action_dtype"] == "discrete":
        return pick(rng, int(rng.integers(5)), np.int64(rng.integers(5)), None)
    action = rng.uniform(-1, 1, traits["action_shape"]).astype(traits["action_dtype"])
    kind = rng.random()
    if kind < 0.7:
        return action
    return pick(rng, action.astype(np.float64), action.tolist(), 2.5 * action, float(action.flat[0]), None, 1)


class Flight:
    """Flies one configuration.

    Args:
        seed: of everything that is drawn.
    """

    def __init__(self, seed):
        self.rng = rng = np.random.default_rng(seed)
        self.seed = seed
        self.traits = traits_of(rng)
        self.config = config_of(rng, self.traits)
        self.env_id = IDS[seed % len(IDS)]
        self.env = None
        self.in_episode = False
        self.steps = 0

    def write(self, event, **values):
        print(json.dumps({"seed": self.seed, "event": event, **values}), flush=True)

    def attempt(self, event, function, *args, **kwargs):
        """Call and write down what came of it; return the answer, None where it raised."""
        try:
            answer = function(*args, **kwargs)
        except Exception as error:
            kinds = [kind.__name__ for kind in type(error).__mro__ if kind.__module__ == "builtins"]
            self.write(event, raised=kinds[0])
            return None
        self.write(event, answer=shown(answer))
        return answer

    def look(self):
        """Write down what was sent so far, and the public attributes, when the time-step is over."""
        env = self.env.unwrapped
        env.stop()
        self.write("sent", answer=Methods.latest.sent)
        names = ATTRIBUTES if self.env_id == IDS[0] else ATTRIBUTES_TS
        self.write("attributes", answer={name: shown(getattr(env, name)) for name in names})
        self.attempt("benchmarks", lambda: names_in(env.benchmarks()))

    def fly(self):
        """Fly it, with whatever a program may do in between."""
        chosen = {key: self.config[key] for key in CHOSEN if self.config.get(key) is not None}
        self.write(
            "config",
            traits={**self.traits, "env_id": self.env_id},
            config={key: getattr(value, "__name__", repr(value)) for key, value in chosen.items()},
        )
        self.env = gymnasium.make(self.env_id, config=self.config, disable_env_checker=True)
        env = self.env.unwrapped
        self.attempt("reset", env.reset, seed=3, options=None)
        self.in_episode = True
        for _ in range(14):
            self.do_something(env)
        self.look()
        self.env.close()

    def do_something(self, env):
        rng, kind = self.rng, self.rng.random()
        if not self.in_episode and kind < 0.9:
            self.attempt("reset", env.reset, seed=pick(rng, None, 4), options=pick(rng, None, {"a": 1}))
            self.in_episode = True
        elif kind < 0.8 or not self.in_episode:
            answer = self.attempt("step", env.step, action_of(rng, self.traits))
            self.in_episode = answer is not None and not (answer[2] or answer[3])
        elif kind < 0.84:
            self.attempt("reset_in_episode", env.reset)
        elif kind < 0.88:
            self.attempt("wait", env.wait)
        elif kind < 0.9:
            self.attempt("render", env.render, join_thread=True)
        elif kind < 0.92 and self.traits["action_dtype"] != "discrete":
            self.attempt("set_default_action", env.set_default_action, np.full(*self.full_of_halves()))
        elif kind < 0.94:
            self.attempt("set_ep_max_length", env.set_ep_max_length, pick(rng, 3, 6.5, np.inf))
        elif kind < 0.96:
            self.attempt("set_time_step_duration", env.set_time_step_duration, pick(rng, 0.001, 0.002), 2.0)
        else:
            self.look()

    def full_of_halves(self):
        return self.traits["action_shape"], 0.5, self.traits["action_dtype"]


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    first, last = map(int, sys.argv[1:])
    for number in range(first, last):
        Flight(number).fly()
