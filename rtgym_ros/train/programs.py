"""The programs of distant training. Each says in one line what has to be installed for it."""

from __future__ import annotations

import sys
from functools import partial
from importlib import import_module
from importlib.util import find_spec

_WORKER = ("msgspec", "nats", "safetensors")
_TRAINER = (*_WORKER, "stable_baselines3", "tensorboard", "torch")


def _run(program: str, module: str, extra: str, needed: tuple[str, ...]) -> int:
    for package in needed:
        if find_spec(package) is None:
            sys.stderr.write(f"{program}: {package} is not installed: pip install 'rtgym_ros[{extra}]'\n")
            return 2
    return int(import_module(f"rtgym_ros.train.{module}").main())


server = partial(_run, "train_server", "server.main", "train", _WORKER)
trainer = partial(_run, "train_trainer", "trainer.main", "train", _TRAINER)
worker = partial(_run, "train_worker", "worker.main", "worker", _WORKER)
keys = partial(_run, "train_keys", "security.keys", "train", (*_WORKER, "cryptography"))


def local() -> int:
    """Run ``train_local``; its help needs nothing that may be missing."""
    helps = {"-h", "--help"} & set(sys.argv[1:])
    return _run("train_local", "local.main", "train", () if helps else (*_TRAINER, "matplotlib", "rich"))
