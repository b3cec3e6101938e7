"""What the generate pipeline asks of a network that dreams fabrics, whichever architecture it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from torch import Tensor

from ..lattices import BASIC, Lattice
from .latents import LatentConfig


@dataclass(frozen=True, kw_only=True)
class FabricConfig(LatentConfig):
    """``output`` is ``"inks"`` or ``"rgb"``, ``size`` the side in pixels that the network paints: 8, 16, 32 ...

    ``classes`` is how many pattern types it has learned: the first ones; ``embedding`` the length of the vector of a
    class.  Raises ``ValueError``.
    """

    size: int = 256
    inks: int = 5
    output: str = "inks"
    embedding: int = 32

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.output not in ("inks", "rgb"):
            raise ValueError(f"output is 'inks' or 'rgb', not {self.output!r}")
        if self.size < 8 or self.size.bit_count() != 1:
            raise ValueError(f"size is 8, 16, 32, 64, ..., not {self.size}")

    @property
    def channels(self) -> int:
        return self.inks if self.output == "inks" else 3


@runtime_checkable
class FabricGenerator(Protocol):
    """A latent and a class become styles, one for each layer; styles become a fabric.

    Everything that moves between fabrics happens on the styles: the first ones lay the design out, those from
    ``detail_layer`` on draw it.
    """

    @property
    def config(self) -> FabricConfig: ...

    @property
    def detail_layer(self) -> int:
        """The first of the layers that set the drawing and not the layout; the number of layers when there is none."""

    def latent(self, label: int, seed: int) -> Tensor:
        """The (latent,) vector of a seed, on the CPU."""

    def varied_latent(self, label: int, seed: int, of: int, amount: float) -> Tensor:
        """The latent of seed ``of`` moved by ``amount`` (0..1) towards another that ``seed`` chooses."""

    def styles(self, z: Tensor, labels: Tensor) -> Tensor:
        """(N, latent), (N,) int64 -> (N, layers, width)."""

    def between(self, start: Tensor, end: Tensor, amount: float) -> Tensor:
        """Styles ``amount`` (0..1) of the way from ``start`` to ``end``, both (N, layers, width)."""

    def synthesise(
        self,
        styles: Tensor,
        seeds: Sequence[int] | None = None,
        lattice: Lattice = BASIC,
        cut: tuple[float, float] = (0, 0),
    ) -> Tensor:
        """(N, layers, width) -> (N, inks, size, size) that sums to 1 over inks, or (N, 3, size, size) in -1..1.

        ``seeds`` (N) choose the noise of a network that has any.  Of a ``lattice`` it is one cell that is painted, the
        basic tile cut as :func:`.wrap.cell_of` says.
        """
