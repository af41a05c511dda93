"""A model of SB3 as a file: tensors that ``torch.load`` reads with ``weights_only``; no pickled objects."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch


def save_model(model: Any, folder: Path) -> None:
    """Write networks, optimisers, counters and random states; the replay memory is filled from the stream again.

    Raises:
        FloatingPointError: a weight is not finite.
    """
    for name, tensor in model.policy.state_dict().items():
        if not torch.isfinite(tensor).all():
            raise FloatingPointError(f"{name} is not finite: no checkpoint is made of it")
    _, variables = model._get_torch_save_params()
    torch.save(
        {
            "parameters": model.get_parameters(),
            "variables": {name: getattr(model, name).detach() for name in variables},
            "updates": int(model._n_updates),
            "random": _random_state(),
        },
        folder / "model.pt",
    )


def load_model(model: Any, folder: Path) -> None:
    """Read what :func:`save_model` wrote into a model of the same configuration."""
    state = torch.load(folder / "model.pt", map_location=model.device, weights_only=True)
    model.set_parameters(state["parameters"], exact_match=True, device=model.device)
    for name, value in state["variables"].items():
        with torch.no_grad():  # in place: the optimiser holds this very tensor
            getattr(model, name).copy_(value)
    model._n_updates = state["updates"]
    _set_random_state(state["random"])


def _random_state() -> dict[str, Any]:
    """SB3 samples with NumPy's global generator and explores with PyTorch's."""
    _, keys, position, has_gauss, gauss = np.random.get_state(legacy=True)
    return {
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
        "numpy": [torch.from_numpy(np.asarray(keys, np.int64)), int(position), int(has_gauss), float(gauss)],
    }


def _set_random_state(state: dict[str, Any]) -> None:
    keys, position, has_gauss, gauss = state["numpy"]
    np.random.set_state(("MT19937", keys.cpu().numpy().astype(np.uint32), position, has_gauss, gauss))
    torch.set_rng_state(state["torch"].cpu())
    if len(state["cuda"]) == torch.cuda.device_count():  # on another machine there may be another number
        torch.cuda.set_rng_state_all([one.cpu() for one in state["cuda"]])
