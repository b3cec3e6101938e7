"""Checkpoints that others published, turned once into packages of ours."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import BadPackage
from .package import Package, save_package

if TYPE_CHECKING:
    import torch

PREFIX = "model."
UNUSED = ("encoder.conv_head.", "encoder.bn2.", "encoder.classifier.")
"""Layers of the classification encoder that segmentation never runs; releases differ in whether they are stored."""


def convert_unet_2020(checkpoint: Path | str, out: Path | str) -> Package:
    """``Unet_2020-10-30`` (segmentation_models_pytorch ``Unet``, ``timm-efficientnet-b3``, one class) -> a package.

    The file is read with ``weights_only``, so nothing in it can run.  Raises :class:`BadPackage` when it is something
    else, naming the layers that differ.
    """
    from ..networks.efficientnet_unet import EfficientNetUNet, EfficientNetUNetConfig

    config = EfficientNetUNetConfig()
    network = EfficientNetUNet(config)
    wanted = network.state_dict()
    weights = {PREFIX + key: tensor for key, tensor in _state_dict(Path(checkpoint)).items()}
    missing = sorted(key for key in wanted if key not in weights and not _unused(key))
    unknown = sorted(key for key in weights if key not in wanted and not _unused(key))
    misshapen = sorted(key for key in wanted if key in weights and weights[key].shape != wanted[key].shape)
    for what, keys in (("lacks", missing), ("has unknown", unknown), ("has other shapes for", misshapen)):
        if keys:
            raise BadPackage(
                f"{checkpoint} is not the published cloth U-Net: it {what} {len(keys)} layers, first {keys[0]}."
            )
    return save_package(
        out,
        name=Path(checkpoint).stem,
        capability="segment",
        architecture="efficientnet_unet",
        config=config,
        state_dict={key: weights.get(key, tensor) for key, tensor in wanted.items()},
        licence="as published with the checkpoint",
        half=False,
    )


def _state_dict(path: Path) -> Mapping[str, torch.Tensor]:
    """The tensors of a ``.pth``/``.ckpt`` file, its ``state_dict`` unwrapped and the ``model.`` prefix taken off."""
    import torch

    try:
        stored = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise BadPackage(f"There is no checkpoint at {path}.") from error
    except (OSError, RuntimeError, EOFError, ValueError, pickle.UnpicklingError) as error:
        raise BadPackage(f"{path} is not a checkpoint that can be read safely.") from error
    if isinstance(stored, Mapping) and isinstance(stored.get("state_dict"), Mapping):
        stored = stored["state_dict"]
    if not isinstance(stored, Mapping) or not all(isinstance(value, torch.Tensor) for value in stored.values()):
        raise BadPackage(f"{path} holds no state dict.")
    return {str(key).removeprefix(PREFIX): value for key, value in stored.items()}


def _unused(key: str) -> bool:
    return key.removeprefix(PREFIX).startswith(UNUSED)
