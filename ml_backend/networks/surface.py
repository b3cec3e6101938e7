"""A U-Net that reads the surface of cloth: its light, where it faces, and how fabric lies on it.

What the maps are for: Fang and Hart, "Textureshop: texture synthesis as a photograph editing tool" (2004), put fabric
on a photo by its shading and normals.  Learning them: Sengupta et al., "SfSNet: learning shape, reflectance and
illuminance of faces in the wild" (2018), shading and normals from one trunk, on rendered figures first; Li and
Snavely, "CGIntrinsics" (2018), intrinsic images learnt from renderings for real photos; Careaga and Aksoy, "Intrinsic
image decomposition via ordinal shading" (2023), a loss that does not know the scale; Güler et al., "DensePose" (2018),
surface coordinates as maps over the photo.

The shading is ``gate * log luminance + base``: on plain cloth the photo's luminance *is* the light, so the network
learns where that holds (the gate) and what to put in its place where it does not (the base).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..colour import LUMINANCE, decode
from .unet import Levels, Trunk, twice

DARK = 0.004
"""Added to luminance before the logarithm: camera noise in black cloth counts for little."""

_LEAST_SINE = 0.2
"""Warp and weft never get closer than this sine of their angle: the Jacobian stays finite."""

_CM = (-3.0, 3.0)
"""Bounds of log centimetres a pixel."""


@dataclass(frozen=True)
class SurfaceConfig(Levels):
    """``widths`` and ``depths`` as in :class:`.unet.Levels`.

    ``fine``: maps of the last layers, which alone run at full resolution.
    """

    widths: tuple[int, ...] = (24, 48, 80, 128, 192)
    depths: tuple[int, ...] = (1, 2, 2, 2, 2)
    fine: int = 16


class SurfaceMaps(NamedTuple):
    """What the network says, all float32 of (N, ., H, W).

    ``shading`` (1) log of the light, known but for a constant; ``gate`` (1) in 0..1, the part that the photo's own log
    luminance has in it; ``normal`` (3) unit vectors, x right, y up, z to the camera; ``warp`` and ``weft`` (2) unit
    vectors in the picture, x right, y down, warp downwards along the garment; ``log_cm`` (2) log centimetres of cloth
    a pixel, along the warp and along the weft.
    """

    shading: Tensor
    gate: Tensor
    normal: Tensor
    warp: Tensor
    weft: Tensor
    log_cm: Tensor


class SurfaceNet(Trunk):
    """``(rgb, mask, border)`` -> :class:`SurfaceMaps`; H and W multiples of ``config.multiple``.

    ``rgb`` (N, 3, H, W) sRGB in 0..1; ``mask`` (N, 1, H, W) in 0..1, how much each pixel is cloth; ``border``
    (N, 1, H, W), 1 where two garments meet.
    """

    def __init__(self, config: SurfaceConfig) -> None:
        # The summary says how near the person is, from where the light comes.
        super().__init__(6, config)
        self.config = config
        self.lie = nn.Conv2d(config.widths[0], 9, 3, padding=1)  # normal, warp, weft, log centimetres
        self.narrow = nn.Conv2d(config.widths[0], config.fine, 1, bias=False)
        self.light = nn.Sequential(
            nn.Conv2d(config.fine + 6, config.fine, 3, padding=1, bias=False),
            nn.BatchNorm2d(config.fine),
            nn.ReLU(inplace=True),
            nn.Conv2d(config.fine, config.fine, 3, padding=1, bias=False),
            nn.BatchNorm2d(config.fine),
            nn.ReLU(inplace=True),
            nn.Conv2d(config.fine, 2, 3, padding=1),
        )

    def forward(self, rgb: Tensor, mask: Tensor, border: Tensor) -> SurfaceMaps:
        log = relative_log(rgb, mask)
        seen = torch.cat(((rgb - 0.5) / 0.25, mask * 2 - 1, log, border), dim=1)  # (N, 6, H, W)
        skips = self.encode(seen)
        x = skips.pop()
        x = x + self.context(x)
        for up in self.decoder:
            x = up(x, skips.pop())
        lie = twice(self.lie(x)).float()  # (N, 9, H, W)
        gate, base = self.light(torch.cat((twice(self.narrow(x)), seen), dim=1)).float().chunk(2, dim=1)
        gate = gate.sigmoid()
        down, across = lie.new_tensor((0.0, 1.0)).view(1, 2, 1, 1), lie.new_tensor((1.0, 0.0)).view(1, 2, 1, 1)
        towards = lie.new_tensor((0.0, 0.0, 1.0)).view(1, 3, 1, 1)
        return SurfaceMaps(
            shading=gate * log + base,
            gate=gate,
            normal=F.normalize(lie[:, :3] + towards, dim=1),
            warp=F.normalize(lie[:, 3:5] + down, dim=1),
            weft=F.normalize(lie[:, 5:7] + across, dim=1),
            log_cm=lie[:, 7:].clamp(*_CM),
        )


def folded(network: nn.Module) -> nn.Module:
    """The network, in evaluation, each batch normalisation inside the convolution before it; changed in place."""
    from torch.nn.utils.fusion import fuse_conv_bn_eval

    network.eval()
    for layers in [module for module in network.modules() if isinstance(module, nn.Sequential)]:
        for index in range(len(layers) - 1):
            first, second = layers[index], layers[index + 1]
            if isinstance(first, nn.Conv2d) and isinstance(second, nn.BatchNorm2d):
                layers[index], layers[index + 1] = fuse_conv_bn_eval(first, second), nn.Identity()
    return network


def relative_log(rgb: Tensor, mask: Tensor) -> Tensor:
    """Log luminance (N, 1, H, W) of an sRGB picture less its mean over the cloth, within -4..3."""
    weights = rgb.new_tensor(LUMINANCE).view(1, 3, 1, 1)
    log = ((decode(rgb) * weights).sum(dim=1, keepdim=True) + DARK).log()
    weight = mask + 1e-4
    mean = (log * weight).sum(dim=(2, 3), keepdim=True) / weight.sum(dim=(2, 3), keepdim=True)
    return (log - mean).clamp(-4, 3)


def borders(labels: Tensor, mask: Tensor) -> Tensor:
    """Where garments meet: (N, H, W) of any garment numbers and (N, 1, H, W) cloth -> (N, 1, H, W), 0 or 1."""
    cloth = mask[:, 0] > 0.5
    border = torch.zeros_like(cloth)
    across = (labels[:, :, 1:] != labels[:, :, :-1]) & cloth[:, :, 1:] & cloth[:, :, :-1]
    down = (labels[:, 1:] != labels[:, :-1]) & cloth[:, 1:] & cloth[:, :-1]
    border[:, :, 1:] |= across
    border[:, :, :-1] |= across
    border[:, 1:] |= down
    border[:, :-1] |= down
    return border[:, None].to(mask.dtype)


def jacobian(warp: Tensor, weft: Tensor, log_cm: Tensor) -> Tensor:
    """Derivatives of the fabric coordinates, (N, 2, 2, H, W) centimetres a pixel: [[du/dx, du/dy], [dv/dx, dv/dy]].

    It is the inverse of the matrix whose columns are the steps in the picture, in pixels, that a centimetre of weft
    and one of warp make: each a direction over its centimetres a pixel.
    """
    along_warp, along_weft = log_cm.exp().unbind(dim=1)
    (weft_x, weft_y), (warp_x, warp_y) = weft.unbind(dim=1), warp.unbind(dim=1)
    sine = weft_x * warp_y - weft_y * warp_x
    sine = torch.where(sine.abs() < _LEAST_SINE, torch.where(sine < 0, -_LEAST_SINE, _LEAST_SINE), sine)
    u = torch.stack((warp_y, -warp_x), dim=1) * (along_weft / sine)[:, None]
    v = torch.stack((-weft_y, weft_x), dim=1) * (along_warp / sine)[:, None]
    return torch.stack((u, v), dim=1)
