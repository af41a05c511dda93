"""The control process: environment, policy, ring. It speaks to nobody, and so waits for nobody."""

from __future__ import annotations

import argparse
import logging
import sys
import warnings
from pathlib import Path

from rtgym_ros.core.errors import ConfigError, TimeStepTimeoutWarning
from rtgym_ros.core.stop_signal import StopSignal
from rtgym_ros.train.command_line import config_of, config_parser
from rtgym_ros.train.config import TrainConfig
from rtgym_ros.train.errors import ProtocolError
from rtgym_ros.train.policy.policy import Policy
from rtgym_ros.train.policy.policy_file import PolicyWeights
from rtgym_ros.train.worker.make_env import make_env, make_layout, make_worker_policy
from rtgym_ros.train.worker.ring_folder import RingFolder
from rtgym_ros.train.worker.rollout_worker import RolloutWorker
from rtgym_ros.train.worker.weights_outbox import POLICY_FILE

_CLOSING_S = 15.0
"""After SIGTERM; a process that hangs for longer is ended, though nobody may be there any more who would kill it."""


def main(arguments: list[str] | None = None) -> int:
    """Fly until a signal comes or all episodes are done; return 0, or 2 for a wrong configuration."""
    options = _parse(arguments)
    logging.basicConfig(format=f"train_worker {options.name}: control: %(message)s")
    warnings.simplefilter("ignore", TimeStepTimeoutWarning)  # the samples count them
    with StopSignal(_CLOSING_S) as stop:
        try:
            _fly(config_of(options), options, stop)
        except (ConfigError, ProtocolError) as error:
            logging.error("%s", error)
            return 2
    return 0


def _fly(config: TrainConfig, options: argparse.Namespace, stop: StopSignal) -> None:
    env = make_env(config.environment)
    if options.record is not None:
        from rtgym_ros.wrappers import Record

        try:
            env = Record(env, options.record, facts={"distant_run": config.run, "worker": options.name})
        except BaseException:
            env.close()
            raise
    try:
        policy = make_worker_policy(config.worker, env, options.policy_file)
        if options.policy_file is None and not options.expert:
            _begin_with(policy, options.folder / POLICY_FILE)
        layout = make_layout(config.environment, env, policy)
        ring = RingFolder(options.folder).create(layout.schema, config.worker.buffer_samples)
        try:
            worker = RolloutWorker(env, policy, ring, layout, config.worker, options.expert, lambda: stop.is_set)
            worker.run(options.episodes)
        finally:
            ring.close()
    finally:
        env.close()


def _begin_with(policy: Policy, kept: Path) -> None:
    """Use the weights that the link process has left in the folder, if they are there and fit."""
    try:
        policy.adopt(PolicyWeights.load(kept))
    except FileNotFoundError:
        pass
    except (ProtocolError, OSError) as error:
        logging.warning("%s is not used: %s", kept, error)


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = config_parser("control", __doc__)
    parser.add_argument("--name", required=True, help="of the worker")
    parser.add_argument("--folder", type=Path, required=True, help="of the worker")
    parser.add_argument("--episodes", type=int, help="training episodes; without end by default")
    parser.add_argument("--expert", action="store_true", help="adopt no weights, test nothing")
    parser.add_argument("--record", type=Path, help="folder for recordings")
    parser.add_argument("--policy-file", type=Path, help="weights to begin with")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
