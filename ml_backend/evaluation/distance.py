"""How different two pictures look: distances in the features of networks, as LPIPS measures them.

Zhang et al. ("The Unreasonable Effectiveness of Deep Features as a Perceptual Metric", CVPR 2018) compare unit-length
feature vectors place by place.  They also weigh the channels by what people said; those weights belong to networks that
we do not ship, so ours count equally and the figures compare methods with each other, not with published ones.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from pickle import UnpicklingError
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..errors import BadInput, BadPackage
from ..networks.srgan import VGGFeatures
from ..networks.unet import UNet
from ..packaging import Package

U8 = NDArray[np.uint8]
Features = Callable[[Tensor], list[Tensor]]
T = TypeVar("T")


@torch.inference_mode()
def feature_distance(features: Features, made: U8, truth: U8) -> float:
    """0 for equal pictures (H,W,3), at most 2 where features are not negative; lower looks closer.

    The mean over layers of equation 1 of the paper with all channel weights 1.
    """
    pairs = zip(features(tensor(made)), features(tensor(truth)), strict=True)
    layers = [(_unit(a) - _unit(b)).square().sum(dim=1).mean() for a, b in pairs]
    return float(torch.stack(layers).mean())


def encoder_features(package: Package) -> Features:
    """What the encoder of a segmentation U-Net sees: stem and every level.  Raises :class:`BadPackage`."""
    network = package.network()
    if not isinstance(network, UNet):
        raise BadPackage(f"{package.manifest.name} is not a U-Net.")
    stages = [network.stem, *network.encoder]

    def features(rgb: Tensor) -> list[Tensor]:
        found = [(rgb - 0.5) / 0.25]
        for stage in stages:
            found.append(stage(found[-1]))
        return found[1:]

    return features


def vgg_features(path: Path) -> Features:
    """VGG19's features of the SRGAN paper from a state dict in torchvision's layout.  Raises :class:`BadInput`."""
    return of_weights(path, VGGFeatures, "VGG19 weights in torchvision's layout")


def of_weights(path: Path, make: Callable[[dict[str, Tensor]], T], what: str) -> T:
    """What ``make`` makes of the weights in a file.  Raises :class:`BadInput` where it holds none that fit."""
    try:
        return make(torch.load(path, map_location="cpu", weights_only=True))
    except (OSError, EOFError, RuntimeError, UnpicklingError, AttributeError, ValueError, KeyError, TypeError) as error:
        raise BadInput(f"{path} holds no {what}.") from error


def tensor(picture: U8) -> Tensor:
    """(H,W,3) uint8 -> (1,3,H,W) float32 in 0..1."""
    return torch.from_numpy(np.array(picture, np.float32).transpose(2, 0, 1) / 255)[None]


def _unit(x: Tensor) -> Tensor:
    return x / (x.square().sum(dim=1, keepdim=True).sqrt() + 1e-10)
