"""Starting a run from a package instead of from random weights, and staying near the start."""

from __future__ import annotations

import torch
from torch import Tensor

from ..errors import BadInput
from ..packaging import Package


def take_over(
    network: torch.nn.Module, package: Package, *, unless_other: tuple[str, ...] = (), new: tuple[str, ...] = ()
) -> None:
    """Copy the package's weights into ``network``.  Raises :class:`BadInput` when they do not fit.

    Weights named in ``unless_other`` stay the network's own where they have another shape, and those whose names begin
    with one of ``new`` where the package lacks them.
    """
    weights, own = dict(package.state_dict()), network.state_dict()
    for name in own:
        if name not in weights and name.startswith(new):
            weights[name] = own[name]
    for name in unless_other:
        if name in weights and name in own and weights[name].shape != own[name].shape:
            weights[name] = own[name]
    try:
        network.load_state_dict(weights)
    except RuntimeError as error:
        raise BadInput(f"{package.path} does not fit the network of this recipe and cannot be its start.") from error


def interpolate(first: dict[str, Tensor], second: dict[str, Tensor], share: float) -> dict[str, Tensor]:
    """Every weight and statistic ``share`` of the way from the first network's to the second's, as float32.

    Two networks that one training connects can be mixed: to have most of a texture without its artefacts (Wang et al.,
    "ESRGAN", 2018, equation 4), or to learn something new without unlearning the old (Wortsman et al., "Robust
    fine-tuning of zero-shot models", 2022).  Whole numbers, such as counts of batches, are the second's.
    """
    return {
        name: torch.lerp(value.float(), second[name].float(), share) if value.is_floating_point() else second[name]
        for name, value in first.items()
    }
