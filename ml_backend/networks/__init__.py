"""One architecture a file: a frozen config dataclass and an ``nn.Module`` of pure tensors.

``build`` is the one place where a manifest's ``architecture`` name becomes a network.  A new architecture adds one
line to ``ARCHITECTURES``.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

from ..errors import BadPackage

if TYPE_CHECKING:
    from torch import nn

ARCHITECTURES = {
    "unet": ("unet", "UNetConfig", "UNet"),
    "efficientnet_unet": ("efficientnet_unet", "EfficientNetUNetConfig", "EfficientNetUNet"),
    "dcgan": ("dcgan", "DCGANConfig", "Generator"),
    "xgan": ("xgan", "XGANConfig", "XGAN"),
    "srgan": ("srgan", "SRGANConfig", "SRResNet"),
    "surface": ("surface", "SurfaceConfig", "SurfaceNet"),
    "classifier": ("classifier", "ClassifierConfig", "PatternClassifier"),
}
"""Architecture name -> (module, config dataclass, network class)."""


def build(architecture: str, config: Mapping[str, Any]) -> nn.Module:
    """A freshly initialised network.  Raises :class:`BadPackage` for an unknown architecture or config."""
    if architecture not in ARCHITECTURES:
        raise BadPackage(f"Unknown architecture {architecture!r}; known: {', '.join(ARCHITECTURES)}.")
    module_name, config_name, class_name = ARCHITECTURES[architecture]
    module = import_module(f".{module_name}", __name__)
    known = {key: tuple(value) if isinstance(value, list) else value for key, value in config.items()}
    try:
        network: nn.Module = getattr(module, class_name)(getattr(module, config_name)(**known))
    except (TypeError, ValueError, ArithmeticError, IndexError, RuntimeError, MemoryError) as error:
        raise BadPackage(f"The config of architecture {architecture!r} is unusable: {error}.") from error
    return network
