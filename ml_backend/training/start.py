"""Starting a run from a package instead of from random weights."""

from __future__ import annotations

import torch

from ..errors import BadInput
from ..packaging import Package


def take_over(network: torch.nn.Module, package: Package) -> None:
    """Copy the package's weights into ``network``.  Raises :class:`BadInput` when they do not fit."""
    try:
        network.load_state_dict(package.state_dict())
    except RuntimeError as error:
        raise BadInput(f"{package.path} does not fit the network of this recipe and cannot be its start.") from error
