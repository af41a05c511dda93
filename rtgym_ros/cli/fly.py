"""``rtgym_ros fly CONTRACT --policy FILE``: fly a robot with a trained policy, by its contract alone."""

from __future__ import annotations

import argparse
import signal
import sys
import warnings
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from time import monotonic
from types import FrameType
from typing import Any

from rtgym_ros.core.errors import ConfigError, RtgymError, TimeStepTimeoutWarning
from rtgym_ros.core.one_line_parser import OneLineParser

_EXTRAS = {"yaml": "contract", "jsonschema": "contract", "mcap": "record", "zstandard": "record"}
_LARGEST_SEED = 2**31 - 1
_OF_THE_NODE = ("guard", "allow_code_beside", "record_topics")
"""Options that are for env_node to know, or that it alone could do."""

_NODE_TIMEOUT_S = 20.0
"""How long env_node may take to answer at once, and how late its time-steps may come (s)."""

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def main(arguments: Sequence[str] | None = None) -> int:
    """Fly; return 0, also after SIGINT or SIGTERM; 1 on failure; 2 for what cannot be used, told in one line."""
    options = _parse(arguments)
    warnings.simplefilter("ignore", TimeStepTimeoutWarning)  # each episode tells how many there were
    for number in _SIGNALS:
        signal.signal(number, _interrupt)
    try:
        _fly(options)
    except KeyboardInterrupt:
        return 0
    except ModuleNotFoundError as error:
        name = (error.name or "").partition(".")[0]
        package = f"rtgym_ros[{_EXTRAS[name]}]" if name in _EXTRAS else name
        return _fail(f"{name} is not installed: pip install '{package}'", 2)
    except ConfigError as error:
        return _fail(error, 2)
    except RtgymError as error:
        return _fail(error, 1)
    return 0


def _fly(options: argparse.Namespace) -> None:
    """Make environment and policy, fly the episodes, and close both, whatever happens.

    Raises:
        ConfigError: contract, policy or folder cannot be used, or do not fit each other.
        RtgymError: the robot cannot be reached, a step of its contract has failed, or the policy gives no answer.
    """
    from rtgym_ros.policies import load_policy
    from rtgym_ros.ros.contract_env import make_contract_env

    with ExitStack() as stack:
        env: Any = make_contract_env(
            options.contract,
            {"time_in_info": True} if options.node is None else None,  # that of env_node has it
            guard=options.guard,
            node=options.node,
            namespace=options.namespace,
            allow_code_beside=options.allow_code_beside,
            node_timeout=_NODE_TIMEOUT_S,
        )
        closing = stack.callback(lambda: env.close())  # what env is then: the recording, if there is one
        policy = stack.enter_context(
            load_policy(
                options.policy,
                env,
                threads=options.threads,
                provider=options.provider,
                patience=options.patience,
            )
        )
        if options.record is not None:
            env = _recorded(env, options)
        stack.callback(closing)  # first of all: the robot is stopped before a thread of the policy is waited for
        stack.callback(_hold_signals)  # even before that: they must not interrupt it
        number = 0
        while number < options.episodes or not options.episodes:
            number += 1
            _fly_episode(env, policy, number, options.seed)


def _fly_episode(env: Any, policy: Any, number: int, seed: int | None) -> None:
    """Fly one episode and print a line about it."""
    policy.reset()
    observation, info = env.reset(seed=None if seed is None else seed + number - 1)
    began, overruns, timeouts = monotonic(), 0, 0
    waits = 0 if policy.player is None else policy.player.waits
    if policy.begin(observation):
        env.unwrapped.wait()  # the robot is held while the first chunk is computed
    time_steps, total = 0, 0.0
    terminated = truncated = False
    while not (terminated or truncated):
        observation, reward, terminated, truncated, info = env.step(policy.act(observation))
        time_steps += 1
        total += float(reward)
        overruns += info["time_step_overrun"] == 1
        timeouts += info["time_step_timed_out"] == 1
    end = info.get("truncation") or ("terminated" if terminated else "ep_max_length reached")
    counts = f"{overruns} overruns, {timeouts} timeouts"
    if policy.player is not None:
        counts += f", {policy.player.waits - waits} waits for a chunk"
    sys.stdout.write(
        f"episode {number}: {time_steps} time-steps, {monotonic() - began:.1f} s, return {total:.2f}, {end}; {counts}\n"
    )
    sys.stdout.flush()


def _recorded(env: Any, options: argparse.Namespace) -> Any:
    """Return the environment with its time-steps recorded.

    Raises:
        ConfigError: the folder cannot be made.
    """
    from rtgym_ros.wrappers.record import Record, Topics

    try:
        topics: Topics = options.record_topics or ("all" if options.node is None else "none")
        return Record(env, options.record, topics=topics, facts={"policy": str(options.policy)})
    except OSError as error:
        raise ConfigError(f"--record: {error}") from error


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    """End the flight; what comes then must not be interrupted: the robot is being stopped."""
    _hold_signals()
    raise KeyboardInterrupt


def _hold_signals() -> None:
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = OneLineParser("fly", description="Fly a robot with a policy, by its contract.")
    parser.add_argument("contract", metavar="CONTRACT", help="file, or the name of one that comes with the package")
    parser.add_argument("--policy", type=Path, required=True, metavar="FILE", help="an .onnx or a .safetensors file")
    parser.add_argument(
        "--episodes", type=_count(0), default=1, metavar="N", help="how many; 0: until a signal (default: %(default)s)"
    )
    parser.add_argument("--seed", type=_count(0, _LARGEST_SEED), help="of the first episode; the next has one more")
    parser.add_argument("--record", type=Path, metavar="FOLDER", help="record every time-step to MCAP files there")
    parser.add_argument(
        "--record-topics",
        choices=("none", "captured", "all"),
        help="messages of the robot that are recorded too (default: all; with --node none)",
    )
    parser.add_argument(
        "--guard",
        nargs="?",
        const=True,
        default=False,
        metavar="INPUT",
        help="send to the robot's guard, to its first input or to the one named",
    )
    parser.add_argument("--namespace", default="", metavar="/NAME", help="where the robot's topics are")
    parser.add_argument(
        "--node", metavar="NAME", help="fly through the env_node of that name, which hosts the environment"
    )
    parser.add_argument("--allow-code-beside", action="store_true", help="let the contract's code lie beside it")
    parser.add_argument("--threads", type=_count(1, 64), default=1, help="of one inference (default: %(default)s)")
    parser.add_argument(
        "--provider", default="CPUExecutionProvider", help="of onnxruntime, for example CUDAExecutionProvider"
    )
    parser.add_argument(
        "--patience",
        type=_seconds,
        default=10.0,
        metavar="S",
        help="how long a chunk of actions may take before the flight ends (s, default: %(default)s)",
    )
    options = parser.parse_args(arguments)
    given = [name for name in _OF_THE_NODE if getattr(options, name)]
    if options.node is not None and given:
        parser.error(f"--{given[0].replace('_', '-')} is for env_node {options.node}, and cannot be given with --node")
    return options


def _count(least: int, most: int = 2**31) -> Any:
    def count(text: str) -> int:
        if not text.isdecimal() or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"must be a whole number from {least} to {most}, got {text!r}")
        return int(text)

    return count


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0.0 < seconds <= 3600.0:
        raise argparse.ArgumentTypeError(f"must be a time from 0 to 3600 (s), got {text!r}")
    return seconds


def _fail(error: object, code: int) -> int:
    sys.stderr.write(f"fly: {error}\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
