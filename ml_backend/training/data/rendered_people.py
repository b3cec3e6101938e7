"""Rendered clothed people with exact maps of light, shape and fabric coordinates; ``docs/rendered-people.md`` tells the
format.

One folder a picture, ``FFFF-V`` (figure, view).  Whether a picture is held out depends on its figure alone: those whose
number ends in 8 are.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from ...errors import BadInput
from .png16 import read_png16

CLOTH = (1, 2, 3, 4, 5)
"""Values of ``garment`` that are cloth: top, outerwear, dress, skirt, trousers or shorts."""

PICTURES = 3
"""Sets of fabrics that each picture is rendered in."""

_NAME = re.compile(r"(\d{4,})-(\d+)")
_DARKEST = 0.02
"""Shading below this counts as this: the logarithm stays finite."""


@dataclass(frozen=True)
class Rendered:
    """One picture's maps, (H, W) unless told; tensors as small as their files allow.

    ``rgb`` uint8 (3) is its first set of fabrics; ``light`` float16 log shading; ``normal`` int8 (3), 127 is 1, x
    right, y up, z to the camera; ``place`` int16 (2), u and v in twentieths of a centimetre; ``panel`` uint8, 0 no
    cloth; ``grain`` uint8 (4) as in its file; ``garment`` uint8; ``lamp`` unit vector to the strongest light, in camera
    space.
    """

    folder: Path
    rgb: Tensor
    light: Tensor
    normal: Tensor
    place: Tensor
    panel: Tensor
    grain: Tensor
    garment: Tensor
    lamp: tuple[float, float, float]

    @property
    def cloth(self) -> Tensor:
        """Where cloth is whose coordinates are known, bool (H, W)."""
        return (self.garment >= CLOTH[0]) & (self.garment <= CLOTH[-1]) & (self.panel > 0)


def folders(root: Path | str, *, validation: bool) -> list[Path]:
    """The folders of pictures, held out or not, in order.  Raises :class:`BadInput` where there is none."""
    root = Path(root)
    named = [(match, path) for path in sorted(root.glob("*-*")) if (match := _NAME.fullmatch(path.name))]
    found = [path for match, path in named if match[1].endswith("8") == validation]
    if not found:
        which = "held-out figures (numbers ending in 8)" if validation else "figures to train on"
        raise BadInput(f"{root} holds no {which}; pictures belong in folders such as 0001-0.")
    return found


def read_people(root: Path | str, *, validation: bool) -> list[Rendered]:
    """All pictures of one side.  Raises :class:`BadInput` where one cannot be read."""
    return [read(folder) for folder in folders(root, validation=validation)]


def read(folder: Path) -> Rendered:
    """One picture.  Raises :class:`BadInput` for a file that is missing, damaged or of another size."""
    try:
        place = _sixteen_bits(folder / "uv.png", 3)
        shading = _sixteen_bits(folder / "shading.png", 1)[0].astype(np.float32)
        planes = {name: np.asarray(Image.open(folder / f"{name}.png")) for name in ("normal", "grain", "garment")}
        rgb = picture(folder, 0)
        lamp = _lamp(json.loads((folder / "meta.json").read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadInput(f"{folder} is not a rendered picture with its maps: {error}.") from error
    shapes = {
        plane.shape[-2:] if plane.shape[-1] > 4 else plane.shape[:2] for plane in (place, shading, *planes.values())
    }
    if shapes != {rgb.shape[:2]} or planes["normal"].shape[2:] != (3,) or planes["grain"].shape[2:] != (4,):
        raise BadInput(f"The maps in {folder} differ in size or kind.")
    light = np.log(np.maximum(4 * np.square(shading / 65472), _DARKEST))
    return Rendered(
        folder=folder,
        rgb=_planes(rgb),
        light=torch.from_numpy(light).half(),
        normal=torch.from_numpy(planes["normal"].astype(np.int16).transpose(2, 0, 1) - 128).clamp(-127, 127).char(),
        place=torch.from_numpy((place[:2].astype(np.int32) - 20000).clip(-32768, 32767).astype(np.int16)),
        panel=torch.from_numpy(place[2].clip(0, 255).astype(np.uint8)),
        grain=_planes(planes["grain"]),
        garment=torch.from_numpy(planes["garment"].copy()),
        lamp=lamp,
    )


def picture(folder: Path, which: int) -> NDArray[np.uint8]:
    """sRGB (H, W, 3) of that set of fabrics."""
    return np.asarray(Image.open(folder / f"rgb-{which}.jpg").convert("RGB"))


@dataclass(frozen=True)
class Lie:
    """How fabric lies, float32: ``warp`` and ``weft`` (2, ...) unit vectors in the picture, x right, y down; ``log_cm``
    (2, ...) log centimetres a pixel along each."""

    warp: Tensor
    weft: Tensor
    log_cm: Tensor


def lie(grain: Tensor) -> Lie:
    """What ``grain`` (4, ...) says."""
    angles = grain[:2].float() * (2 * torch.pi / 180)
    directions = torch.stack((angles.cos(), angles.sin()), dim=1)  # (2, 2, ...)
    log_cm = (grain[2:].float() - 128) * (np.log(2) / 16) + float(np.log(0.5))
    return Lie(directions[0], directions[1], log_cm)


def _sixteen_bits(path: Path, channels: int) -> NDArray[np.uint16]:
    """(C, H, W) uint16."""
    planes = read_png16(path).transpose(2, 0, 1)
    if planes.shape[0] != channels:
        raise ValueError(f"{path.name} has {planes.shape[0]} channels, not {channels}")
    return planes


def _planes(image: NDArray[np.uint8]) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))


def _lamp(meta: dict[str, object]) -> tuple[float, float, float]:
    """To the strongest light; from in front and above where a picture tells of none."""
    lights = meta.get("lights")
    known = [one for one in lights if "to_light_camera" in one] if isinstance(lights, list) else []
    if not known:
        return (0.0, 0.6, 0.8)
    strongest = max(known, key=lambda one: float(one.get("energy", 0) or 0))
    x, y, z = (float(value) for value in strongest["to_light_camera"])
    return (x, y, z)
