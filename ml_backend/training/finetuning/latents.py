"""Pictures as latents, made once where they fit into memory."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..data.folder import read_rgb
from ..pixels import to_tensor
from .loading import Base
from .masking import Mask


class Sized(Protocol):
    @property
    def nbytes(self) -> int: ...


T = TypeVar("T", bound=Sized)


class Kept(Generic[T]):
    """Remembers what was made until that has ``most`` bytes; whatever comes later is made each time it is asked for."""

    def __init__(self, most: int) -> None:
        self._left, self._made = most, dict[Hashable, T]()

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        if key in self._made:
            return self._made[key]
        made = make()
        if made.nbytes <= self._left:
            self._left -= made.nbytes
            self._made[key] = made
        return made


class Encoder:
    """Squares of ``resolution`` pixels as latents of the base's autoencoder, which are kept in main memory.

    Each picture is encoded alone: in a batch it would come out otherwise in the last digits, and a run that was
    interrupted would not repeat its curve.
    """

    def __init__(
        self, base: Base, resolution: int, device: torch.device, dtype: torch.dtype, most: int = 2**30
    ) -> None:
        # SDXL's own autoencoder overflows in half precision
        self.dtype = torch.float32 if base.is_xl else dtype
        self.vae: Any = base.vae.to(device, self.dtype)
        self.resolution, self.factor, self.device = resolution, base.factor, device
        self._pixels: Kept[NDArray[np.uint8]] = Kept(most // 4)
        self._latents: Kept[Tensor] = Kept(most)

    def pixels(self, path: Path, flip: bool) -> NDArray[np.uint8]:
        """The middle square (S, S, 3) of a picture.  Raises :class:`BadInput` for a file that is none."""
        square = self._pixels.get(path, lambda: read_rgb(path, self.resolution))
        return square[:, ::-1] if flip else square

    def spread(self, path: Path, flip: bool) -> Tensor:
        """Mean and deviation (2, 4, h, w) of a picture's latents; the latter is 0 where encoding is certain."""
        return self._latents.get((path, flip), lambda: self._encode(to_tensor(self.pixels(path, flip)[None])))

    def around(self, path: Path, flip: bool, mask: Mask, known: Hashable = None) -> Tensor:
        """The latents (4, h, w) of a picture with the masked part blanked, as pipelines encode it.

        ``known`` names the mask where it is the same each time; latents of other masks are not kept.
        """

        def make() -> Tensor:
            shown = to_tensor(self.pixels(path, flip)[None]) * torch.from_numpy(~mask)
            return self._encode(shown)[0]

        return make() if known is None else self._latents.get((path, flip, known), make)

    def nothing(self) -> Tensor:
        """The latents (4, h, w) of a picture that is hidden altogether."""
        blank = torch.zeros(1, 3, self.resolution, self.resolution)
        return self._latents.get("nothing", lambda: self._encode(blank)[0])

    @torch.no_grad()
    def _encode(self, picture: Tensor) -> Tensor:
        """(1, 3, S, S) in -1..1 -> (2, 4, h, w), scaled."""
        found = self.vae.encode(picture.to(self.device, self.dtype))
        if hasattr(found, "latents"):
            spread = torch.cat((found.latents, torch.zeros_like(found.latents)))
        else:
            spread = torch.cat((found.latent_dist.mean, found.latent_dist.std))
        return spread.float().cpu() * float(self.vae.config.scaling_factor)
