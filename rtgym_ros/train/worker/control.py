"""The control process: environment, policy, ring. It speaks to nobody, and so waits for nobody."""

from __future__ import annotations

import argparse
import logging
import sys
import warnings
from contextlib import closing
from pathlib import Path

from rtgym_ros.core.errors import ConfigError, TimeStepTimeoutWarning
from rtgym_ros.core.stop_signal import StopSignal
from rtgym_ros.policies.policy import Policy, make_policy
from rtgym_ros.policies.weights import PolicyWeights, WeightsError
from rtgym_ros.train.config import TrainConfig
from rtgym_ros.train.config_file import load_config
from rtgym_ros.train.worker.main import worker_parser
from rtgym_ros.train.worker.make_env import make_env
from rtgym_ros.train.worker.open_rings import POLICY_FILE
from rtgym_ros.train.worker.ring_folder import RingFolder
from rtgym_ros.train.worker.rollout_worker import RolloutWorker
from rtgym_ros.train.worker.sample_layout import SampleLayout

_CLOSING_S = 15.0
"""After SIGTERM; a process that hangs for longer is ended, though nobody may be there any more who would kill it."""


def main(arguments: list[str] | None = None) -> int:
    """Fly until a signal comes or all episodes are done; return 0, or 2 for a wrong configuration."""
    options = worker_parser("control", __doc__, is_process=True).parse_args(arguments)
    logging.basicConfig(format=f"train_worker {options.name}: control: %(message)s")
    warnings.simplefilter("ignore", TimeStepTimeoutWarning)  # the samples count them
    with StopSignal(_CLOSING_S) as stop:
        try:
            _fly(load_config(options.config, options.set), options, stop)
        except (ConfigError, WeightsError) as error:
            logging.error("%s", error)
            return 2
    return 0


def _fly(config: TrainConfig, options: argparse.Namespace, stop: StopSignal) -> None:
    env = make_env(config.environment)
    try:
        if options.record is not None:
            from rtgym_ros.wrappers import Record

            env = Record(env, options.record, facts={"distant_run": config.run, "worker": options.name})
        seen, acted = env.observation_space, env.action_space
        policy = make_policy(config.worker.policy, seen, acted, file=options.policy_file)
        if options.policy_file is None and not options.expert:
            _begin_with(policy, options.folder / POLICY_FILE)
        layout = SampleLayout(config.environment, seen, acted, policy.extra_shapes)
        with closing(RingFolder(options.folder).create(layout.schema, config.worker.buffer_samples)) as ring:
            worker = RolloutWorker(env, policy, ring, layout, config.worker, options.expert, lambda: stop.is_set)
            worker.run(options.episodes)
    finally:
        env.close()


def _begin_with(policy: Policy, kept: Path) -> None:
    """Use the weights that the link process has left in the folder, if they are there and fit."""
    try:
        policy.adopt(PolicyWeights.load(kept))
    except FileNotFoundError:
        pass
    except (WeightsError, OSError) as error:
        logging.warning("%s is not used: %s", kept, error)


if __name__ == "__main__":
    sys.exit(main())
