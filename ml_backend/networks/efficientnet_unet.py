"""U-Net over an EfficientNet encoder, through segmentation_models_pytorch.

It exists to serve the published cloth segmentation checkpoint ``Unet_2020-10-30``
(encoder ``timm-efficientnet-b3``, one class); :mod:`ml_backend.packaging.published` turns such a file into a package.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import torch
from torch import Tensor, nn

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class EfficientNetUNetConfig:
    """``classes`` 1 means one logit: cloth or not."""

    encoder: str = "timm-efficientnet-b3"
    classes: int = 1

    @property
    def multiple(self) -> int:
        """Height and width of an input must be multiples of this."""
        return 32


class EfficientNetUNet(nn.Module):
    """RGB (N, 3, H, W) in 0..1 -> logits (N, classes, H, W); H and W multiples of 32."""

    mean: Tensor
    std: Tensor

    def __init__(self, config: EfficientNetUNetConfig) -> None:
        super().__init__()
        import segmentation_models_pytorch as smp

        self.config = config
        with warnings.catch_warnings():
            # The published weights have the layout of the old timm encoder; its successor names the layers otherwise.
            warnings.filterwarnings("ignore", message="`timm-` encoders are deprecated", category=DeprecationWarning)
            self.model = smp.Unet(config.encoder, encoder_weights=None, classes=config.classes)
        self.register_buffer("mean", torch.tensor(IMAGENET_MEAN)[:, None, None], persistent=False)
        self.register_buffer("std", torch.tensor(IMAGENET_STD)[:, None, None], persistent=False)

    def forward(self, rgb: Tensor) -> Tensor:
        logits: Tensor = self.model((rgb - self.mean) / self.std)
        return logits
