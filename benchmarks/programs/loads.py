"""What else the process does while its environment keeps time: a thread that is busy in one way or another."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread

import numpy as np

Work = Callable[[], object]
"""A piece of work, to be done over and over."""

_READY_TIMEOUT_S = 60.0


def _count() -> None:
    """Run bytecode: the interpreter's lock is given up only when another thread asks for it, after 5 ms."""
    for _ in range(10_000):
        pass


def _make_python() -> Work:
    return _count


def _make_numpy() -> Work:
    """Return a product of matrices: about a millisecond of BLAS, without the interpreter's lock."""
    matrix = np.random.default_rng(1).normal(size=(256, 256))
    product = np.empty_like(matrix)
    return lambda: np.dot(matrix, matrix, out=product)


def _make_training() -> Work:
    """Return an optimiser's step on a small network: of PyTorch where it is installed, by hand otherwise."""
    try:
        import torch
    except ImportError:
        return _make_numpy_training()
    torch.manual_seed(1)
    torch.set_num_threads(1)
    network = torch.nn.Sequential(
        torch.nn.Linear(24, 256), torch.nn.ReLU(), torch.nn.Linear(256, 256), torch.nn.ReLU(), torch.nn.Linear(256, 4)
    )
    optimizer = torch.optim.Adam(network.parameters())
    inputs, targets = torch.randn(256, 24), torch.randn(256, 4)

    def work() -> None:
        optimizer.zero_grad()
        torch.nn.functional.mse_loss(network(inputs), targets).backward()
        optimizer.step()

    return work


def _make_numpy_training() -> Work:
    rng = np.random.default_rng(1)
    inputs, targets = rng.normal(size=(256, 24)), rng.normal(size=(256, 4))
    first, second = rng.normal(size=(24, 256)) / 5, rng.normal(size=(256, 4)) / 16

    def work() -> None:
        hidden = np.maximum(inputs @ first, 0.0)
        error = (hidden @ second - targets) / len(inputs)
        gradient = inputs.T @ ((error @ second.T) * (hidden > 0))
        second[:] -= 1e-2 * hidden.T @ error
        first[:] -= 1e-2 * gradient

    return work


_MAKERS = {"python": _make_python, "numpy": _make_numpy, "training": _make_training}

LOADS = ("idle", *_MAKERS)


def make_work(name: str) -> Work:
    """Return a piece of work that was done once already, so that it is as fast as it will be."""
    work = _MAKERS[name]()
    work()
    return work


@contextmanager
def load(name: str) -> Iterator[None]:
    """Keep a thread busy while entered; ``"idle"`` starts none."""
    if name == "idle":
        yield
        return
    ready, stop = Event(), Event()

    def loop() -> None:
        work = make_work(name)
        ready.set()
        while not stop.is_set():
            work()

    thread = Thread(target=loop, name=f"load {name}", daemon=True)
    thread.start()
    if not ready.wait(_READY_TIMEOUT_S):
        raise RuntimeError(f"the load {name!r} has not begun within {_READY_TIMEOUT_S:g} s")
    try:
        yield
    finally:
        stop.set()
        thread.join()
