"""The Inception network that FID and KID are published on (Szegedy et al. 2016, the 2015-12-05 weights of Heusel 2017).

torchvision's Inception v3 with three differences of that older network: averages leave the padding out, the last block
pools the maximum, and it tells 1008 classes.  The weights are not ours to ship; tools for FID keep their file in
torch's cache, under the name :data:`WEIGHTS`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

SIDE = 299
WIDTH = 2048
WEIGHTS = "pt_inception-2015-12-05-6726825d.pth"
"""What the file is called in torch's cache."""
CLASSES = 1008
AVERAGED = ("Mixed_5b", "Mixed_5c", "Mixed_5d", "Mixed_6b", "Mixed_6c", "Mixed_6d", "Mixed_6e", "Mixed_7b")
HIGHEST = "Mixed_7c"


class Inception(nn.Module):
    """``(N, 3, 299, 299) in 0..1 -> (N, 2048)``: what the network sees before it tells classes.

    Raises RuntimeError, KeyError or AttributeError for a ``state`` of another network.
    """

    def __init__(self, state: Mapping[str, Tensor]) -> None:
        super().__init__()
        from torchvision.models import Inception3

        network = Inception3(num_classes=CLASSES, aux_logits=False, transform_input=False, init_weights=False)
        network.load_state_dict(dict(state))
        network.fc = nn.Identity()
        for name in AVERAGED:
            network.get_submodule(name).register_forward_hook(_average)
        network.get_submodule(HIGHEST).register_forward_hook(_maximum)
        self.network = network.eval().requires_grad_(False)

    def forward(self, rgb: Tensor) -> Tensor:
        seen: Tensor = self.network(rgb * 2 - 1)
        return seen


def _average(block: Any, seen: tuple[Tensor], made: Tensor) -> Tensor:
    return _pooled(block, made, F.avg_pool2d(seen[0], 3, stride=1, padding=1, count_include_pad=False))


def _maximum(block: Any, seen: tuple[Tensor], made: Tensor) -> Tensor:
    return _pooled(block, made, F.max_pool2d(seen[0], 3, stride=1, padding=1))


def _pooled(block: Any, made: Tensor, pooled: Tensor) -> Tensor:
    """The block's output, its last branch made anew of what was pooled in our way."""
    branch: Tensor = block.branch_pool(pooled)
    return torch.cat((made[:, : -branch.shape[1]], branch), dim=1)
