"""Pictures against the true ones, pair by pair: PSNR, SSIM, and how different they look to a network.

LPIPS (Zhang et al. 2018) proper is measured where the weights of AlexNet or VGG16 are given, with the weights of the
channels that people's judgements taught, which torchmetrics brings.  Without them the same formula is applied to our
classifier's features with every channel alike; that is called a feature distance, for it is not LPIPS.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ..errors import BadInput
from ..packaging.starter import starter
from .distance import U8, feature_distance, of_weights, tensor
from .eyes import pictures_of, read_picture
from .patterns import load_classifier
from .restoration import MAX_PSNR, psnr, ssim

Look = Callable[[U8, U8], float]
"""How different two pictures (H, W, 3) look; 0 for the same."""

SMALLEST = 32
"""Sides in pixels below which LPIPS' networks have nothing left to compare."""


def find_pairs(made: Path, truth: Path) -> list[tuple[Path, Path]]:
    """Two files, or the pictures of two folders by name whatever their suffix.  Raises :class:`BadInput`."""
    if not (made.is_dir() and truth.is_dir()):
        return [(made, truth)]
    there = {path.relative_to(made).with_suffix(""): path for path in pictures_of(made)}
    pairs = [(there.get(path.relative_to(truth).with_suffix("")), path) for path in pictures_of(truth)]
    missing = [path.name for found, path in pairs if found is None]
    if missing:
        raise BadInput(f"{made} lacks {len(missing)} of the pictures, first {missing[0]}.")
    return [(found, path) for found, path in pairs if found is not None]


def read_pairs(paths: Iterable[tuple[Path, Path]]) -> Iterable[tuple[U8, U8]]:
    """Raises :class:`BadInput` for pictures that differ in size."""
    for made_path, truth_path in paths:
        made, truth = np.asarray(read_picture(made_path)), np.asarray(read_picture(truth_path))
        if made.shape != truth.shape:
            sizes = " and ".join(f"{each.shape[1]}x{each.shape[0]}" for each in (made, truth))
            raise BadInput(f"The pictures differ in size: {sizes} ({made_path.name}).")
        yield made, truth


def fidelity(pairs: Iterable[tuple[U8, U8]]) -> dict[str, list[float]]:
    """``psnr`` (at most :data:`MAX_PSNR`) and ``ssim`` of each pair."""
    found: dict[str, list[float]] = {"psnr": [], "ssim": []}
    for made, truth in pairs:
        found["psnr"].append(min(MAX_PSNR, psnr(made, truth)))
        found["ssim"].append(ssim(made, truth))
    return found


def choose_look(weights: Path | None) -> tuple[str, str, Look]:
    """The metric's name, whose features they are, and how to look: LPIPS where there are weights for it.

    Raises :class:`BadInput` for a file without.
    """
    if weights is None:
        package = starter("classifier-starter")
        features = load_classifier(package).features
        return "distance", package.manifest.reference, lambda made, truth: feature_distance(features, made, truth)
    network = of_weights(weights, Lpips, "AlexNet or VGG16 weights in torchvision's layout")
    digest = hashlib.sha256(weights.read_bytes()).hexdigest()[:12]
    return "lpips", f"{network.kind}@{digest}", network.between


class Lpips(nn.Module):
    """LPIPS on a backbone of torchvision's layout; raises ValueError or KeyError for a state of another network."""

    def __init__(self, state: dict[str, Tensor]) -> None:
        from torchmetrics.functional.image.lpips import _LPIPS
        from torchvision.models.alexnet import AlexNet
        from torchvision.models.vgg import VGG, cfgs, make_layers

        super().__init__()
        first = tuple(state["features.0.weight"].shape)
        kinds: dict[tuple[int, ...], Any] = {(64, 3, 11, 11): "alex", (64, 3, 3, 3): "vgg"}
        if first not in kinds:
            raise ValueError("neither AlexNet nor VGG16")
        self.kind = {"alex": "alexnet", "vgg": "vgg16"}[kinds[first]]
        whole = AlexNet() if self.kind == "alexnet" else VGG(make_layers(cfgs["D"]), init_weights=False)
        whole.features.load_state_dict(
            {name.removeprefix("features."): value for name, value in state.items() if name.startswith("features.")}
        )
        network: Any = _LPIPS(pretrained=True, net=kinds[first], pnet_rand=True)
        given = dict(whole.features.named_parameters())
        # the slices keep the numbers that the layers have in torchvision's network
        network.net.load_state_dict({name: given[name.split(".", 1)[1]] for name in network.net.state_dict()})
        self.network = network.eval().requires_grad_(False)

    @torch.inference_mode()
    def between(self, made: U8, truth: U8) -> float:
        if min(made.shape[:2]) < SMALLEST:
            raise BadInput(f"LPIPS needs pictures of at least {SMALLEST} pixels a side.")
        return float(self.network(tensor(made), tensor(truth), normalize=True))
