"""A fabric from a request: dreamed by a GAN and enlarged as ink maps, or drawn by the swatch renderer.

Either way the result is ink coverage and a palette, so a fabric can be recoloured exactly.  The same request gives the
same image bit for bit: each image has its own latent, made on the CPU from its seed, and passes the network alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from ..errors import BadInput, BadPackage
from ..inks import compose, fit_palette, own_palette
from ..lattices import BASIC, Lattice, lattice_of
from ..networks.generator import FabricGenerator
from ..networks.wrap import LAID_OUT
from ..packaging import Package
from ..repair import sew
from ..requests import PATTERN_TYPES, PHOTOGRAPHED, GenerateRequest
from ..swatches import TYPES
from ..swatches.drawing.tile import draw_inks
from .base import Progress, ShouldStop, check, tell

if TYPE_CHECKING:
    from .upscale import UpscalePipeline

F32 = NDArray[np.float32]

DRAWN_INKS = 5
CUT = 0.08
"""A cut that changes more of the design beside it, in coverage an ink, is not made: the design is laid finer."""
MOTIFS_CUT = 0.015
"""The same of motifs on a ground: one that meets half of another is cut, however well they meet."""
SEWN = 0.065
"""What shows of the edges that two parts of a design are sewn along, at most: else it is laid finer."""
SEWN_IN_PATCHES = 0.2
"""The same of designs that are patches of no certain shape."""
SEWN_BETWEEN_MOTIFS = 0.02
"""The same of motifs on a ground."""
CUT_SIDE = 64
"""Where a drawn tile is cut is decided at this many pixels, so that a design is the same at every size."""


@dataclass(frozen=True)
class Fabric:
    """A tile and how it was made; ``inks`` float32 (K, size, size), ``request`` with its palette filled in."""

    inks: F32
    palette: tuple[str, ...]
    image: Image.Image
    request: GenerateRequest
    model: str | None


class GeneratePipeline:
    """Load once, call many.  ``package`` may be None for drawn fabrics only.

    ``upscale`` enlarges dreamed ink maps; without it they are enlarged by periodic bicubic interpolation.
    Raises :class:`BadPackage` when the package is not a generator.
    """

    def __init__(self, package: Package | None, upscale: UpscalePipeline | None = None, device: str = "cpu") -> None:
        self.upscale = upscale
        self.device = torch.device(device)
        self.model: str | None = None
        self.generator: FabricGenerator | None = None
        if package is None:
            return
        network = package.network()
        if not isinstance(network, FabricGenerator):
            raise BadPackage(f"{package.manifest.name} is not a fabric generator.")
        self.model = package.manifest.reference
        network.to(self.device)
        self.generator = network

    @property
    def dreamable(self) -> tuple[str, ...]:
        """The pattern types that the network has learned; none without one."""
        return () if self.generator is None else PATTERN_TYPES[: self.generator.config.classes]

    def __call__(
        self, request: GenerateRequest, *, progress: Progress | None = None, should_stop: ShouldStop | None = None
    ) -> Fabric:
        """One tile.  Raises :class:`BadInput` for a dreamed fabric without a model, ``Stopped`` when asked."""
        check(should_stop)
        if request.engine == PHOTOGRAPHED:
            raise BadInput("A photographed cloth is no design of a seed, so no engine can make it again.")
        dreamed = request.engine == "dreamed"
        tell(progress, 0.0, "Dreaming" if dreamed else "Drawing")
        inks = self._dream(request, progress, should_stop) if dreamed else draw(request)
        check(should_stop)
        tell(progress, 0.9, "Colouring")
        palette = choose_palette(request, len(inks))
        image = Image.fromarray(compose(inks, palette))
        model = self.model if dreamed else None
        tell(progress, 1.0, "Done")
        return Fabric(inks, palette, image, replace(request, palette=palette, model=model), model)

    def _dream(self, request: GenerateRequest, progress: Progress | None, should_stop: ShouldStop | None) -> F32:
        if self.generator is None:
            raise BadInput("A dreamed fabric needs a model; load one or choose the engine 'drawn'.")
        lattice = lattice_of(request.repeat)
        small, times = dream_cell(self.generator, request, self.device)
        check(should_stop)
        tell(progress, 0.1, "Enlarging")
        if not lattice.plain and times == 1:
            row, column = lattice.quiet(small)
            cell = self._enlarge(lattice.rolled(small, -row, -column), request.size, should_stop, lattice)
            return resize(lattice.tile(cell), request.size)
        sized = resize(self._enlarge(small, request.size, should_stop), request.size)
        if times > 1:
            sized = resize(np.tile(sized, (1, times, times)), request.size)
        rows, columns = calm_cut(sized)
        return shift(sized, rows, columns)

    def _enlarge(self, inks: F32, size: int, should_stop: ShouldStop | None, lattice: Lattice = BASIC) -> F32:
        """A cell whose tile has at least ``size`` px: by the network as long as it is not wasted, the rest softly."""
        side = int(inks.shape[1] / lattice.height)
        while self.upscale is not None and side * self.upscale.scale <= enough(side, size):
            inks = self.upscale.inks(inks, lattice=lattice, should_stop=should_stop)
            side *= self.upscale.scale
        factor = enough(side, size) // side
        return inks if factor == 1 else enlarge_softly(inks, factor, lattice)


@torch.inference_mode()
def dream_inks(generator: FabricGenerator, request: GenerateRequest, device: torch.device | str = "cpu") -> F32:
    """What the network paints: float32 (K, S, S), summing to 1.  An RGB network's image is split into inks."""
    return dream_cell(generator, replace(request, repeat="basic"), device)[0]


@torch.inference_mode()
def dream_cell(
    generator: FabricGenerator, request: GenerateRequest, device: torch.device | str = "cpu"
) -> tuple[F32, int]:
    """One cell of the request's repeat, float32 (K, h, w), and how many times a side it is laid in the tile.

    It is painted around the lattice where the basic design has lines that can be cut.  Else the basic design is sewn
    along paths between its motifs.  Where there are none, it is the basic design, to be laid two or three times a side,
    which fits every lattice: no motif is cut.
    """
    pattern_type, seed = _nearer(request)
    styles = styles_of(generator, request, device)
    lattice = lattice_of(request.repeat)

    def paint(**around: Any) -> F32:
        painted: F32 = generator.synthesise(styles, [seed], **around)[0].float().cpu().numpy()
        if generator.config.output == "rgb":
            rgb = (painted.transpose(1, 2, 0) * 0.5 + 0.5).astype(np.float32, copy=False)
            painted = split_into_inks(rgb, generator.config.inks)
        return painted

    basic = paint()
    if lattice.plain:
        return lay(basic, pattern_type, seed), 1
    unlaid = _unlaid(lattice, pattern_type, seed)
    row, column, cost = least_cut(basic, unlaid)
    if cost > (MOTIFS_CUT if TYPES[pattern_type].motifs else CUT) and not lattice.mirrored:
        sewn = _between_motifs(basic, unlaid, pattern_type)
        return (lay(basic, pattern_type, seed), lattice.divisor) if sewn is None else (lay(sewn, pattern_type, seed), 1)
    return lay(paint(lattice=unlaid, cut=(row, column)), pattern_type, seed), 1


def _between_motifs(basic: F32, lattice: Lattice, pattern_type: str) -> F32 | None:
    """A basic tile sewn into a cell of ``lattice``; None where that would show, or its pixels do not meet."""
    if basic.shape[1] % lattice.divisor:
        return None
    kind = TYPES[pattern_type]
    cell, seen = sew(basic, lattice, motifs=kind.motifs)
    bound = SEWN_BETWEEN_MOTIFS if kind.motifs else SEWN_IN_PATCHES if kind.patches else SEWN
    return cell if seen <= bound else None


def least_cut(painted: F32, lattice: Lattice) -> tuple[float, float, float]:
    """Row and column at which a basic tile is best cut for a lattice, in parts of its side, and how much that shows.

    What a neighbour of the lattice lays beyond the cut is compared with what the basic tile has there: 0 where a design
    fits the lattice by itself, or where nothing but ground is cut.
    """
    side = painted.shape[1]
    step, reach = max(1, side // LAID_OUT), max(1, side // 16)
    if lattice.slide:
        column, row, cost = least_cut(painted.swapaxes(1, 2), lattice.transposed())
        return row, column, cost
    fitted = LAID_OUT // lattice.divisor * lattice.divisor / LAID_OUT
    width, height = (int(side * fitted * part) for part in (lattice.width, lattice.height))
    row, down = _least_line(painted.swapaxes(1, 2), height, 0, step, reach, lattice.mirrored)
    column, across = _least_line(painted, width, round(side * fitted * lattice.drop), step, reach, lattice.mirrored)
    return row / side, column / side, max(down, across)


def _least_line(planes: F32, width: int, drop: int, step: int, reach: int, mirrored: bool) -> tuple[int, float]:
    """Of lines ``step`` apart the one to begin a cell of ``width`` columns at; the next cell hangs ``drop`` lower."""
    costs = []
    for line in range(0, planes.shape[2], step):
        beside = np.arange(-reach, reach)
        ours = planes.take(line + width + beside, axis=2, mode="wrap")
        if mirrored:
            begin = planes.take(line + beside, axis=2, mode="wrap")
            costs.append(float(np.abs(ours - ours[..., ::-1]).mean() + np.abs(begin - begin[..., ::-1]).mean()) / 2)
        else:
            costs.append(float(np.abs(ours - np.roll(planes.take(line + beside, axis=2, mode="wrap"), drop, 1)).mean()))
    best = int(np.argmin(costs))
    return best * step, costs[best]


def styles_of(generator: FabricGenerator, request: GenerateRequest, device: torch.device | str = "cpu") -> Tensor:
    """(1, layers, width): the seed's own, then varied, morphed and given the other's detail, as far as asked."""
    label = learned(generator, request.pattern_type)

    def of_latent(z: Tensor, label: int = label) -> Tensor:
        return generator.styles(z[None].to(device), torch.tensor([label], device=device))

    if request.vary_of is None:
        styles = of_latent(generator.latent(label, request.seed))
    else:
        styles = of_latent(generator.varied_latent(label, request.seed, request.vary_of, request.vary_amount))
    if request.morph_to is not None and request.morph_amount:
        other = learned(generator, request.morph_type or request.pattern_type)
        end = of_latent(generator.latent(other, request.morph_to), other)
        styles = end if request.morph_amount == 1 else generator.between(styles, end, request.morph_amount)
    if request.detail_of is not None:
        layer = generator.detail_layer
        if layer >= styles.shape[1]:
            raise BadInput("This model is too small to keep the layout of one fabric and the drawing of another.")
        drawing = of_latent(generator.latent(label, request.detail_of))
        styles = torch.cat([styles[:, :layer], drawing[:, layer:]], dim=1)
    return styles


def learned(generator: FabricGenerator, pattern_type: str) -> int:
    """The class that the network knows a pattern type by.  Raises :class:`BadInput` for one added after it learned."""
    label = TYPES[pattern_type].label
    if label >= generator.config.classes:
        raise BadInput(
            f"This model has not learned {pattern_type} fabrics; choose another model, or the engine 'drawn'."
        )
    return label


def _own_seed(request: GenerateRequest) -> int:
    """The seed whose colours and laying a fabric has."""
    return request.seed if request.vary_of is None else request.vary_of


def _nearer(request: GenerateRequest) -> tuple[str, int]:
    """Pattern type and seed of the fabric that a morph is nearer to: how a tile is laid cannot be half of each."""
    if request.morph_to is not None and request.morph_amount > 0.5:
        return request.morph_type or request.pattern_type, request.morph_to
    return request.pattern_type, _own_seed(request)


def draw(request: GenerateRequest) -> F32:
    """The renderer's ink coverage, float32 (K, size, size), cut where it is calm."""
    design = request.pattern_type, request.seed
    if request.repeat != "basic":
        return draw_inks(*design, request.size, DRAWN_INKS, request.repeat, request.subtype)
    proof, inks = (draw_inks(*design, size, DRAWN_INKS, subtype=request.subtype) for size in (CUT_SIDE, request.size))
    return shift(inks, *calm_cut(proof))


def choose_palette(request: GenerateRequest, count: int) -> tuple[str, ...]:
    """The given palette fitted to ``count`` inks, else the fabric's own."""
    return own_palette(request, count) if request.palette is None else fit_palette(request.palette, count)


def lay(inks: F32, pattern_type: str, seed: int) -> F32:
    """Mirrored, turned or neither, as the seed says: one dreamed design can be laid two or four ways."""
    mirrored, turned = _laying(pattern_type, seed)
    if mirrored:
        inks = inks[:, :, ::-1]
    if turned:
        inks = inks.transpose(0, 2, 1)
    return np.ascontiguousarray(inks)


def _laying(pattern_type: str, seed: int) -> tuple[bool, bool]:
    mirrored, turned = np.random.default_rng(seed).integers(2, size=2)
    return bool(mirrored), bool(turned) and TYPES[pattern_type].turnable


def _unlaid(lattice: Lattice, pattern_type: str, seed: int) -> Lattice:
    """The lattice that becomes ``lattice`` when what is painted on it is laid."""
    mirrored, turned = _laying(pattern_type, seed)
    lattice = lattice.transposed() if turned else lattice
    return lattice.reflected() if mirrored else lattice


def enough(side: int, size: int) -> int:
    """``side`` times the smallest power of two that reaches ``size``."""
    while side < size:
        side *= 2
    return side


def calm_cut(inks: F32) -> tuple[float, float]:
    """How far to shift a tile (rows, columns; as parts of its side) so that its border crosses as few edges as can be.

    A tile shifted around is the same fabric; cut through the calmest lines it is also a good-looking single picture.
    """
    shifts = []
    for axis in (1, 2):
        jumps = np.abs(inks - np.roll(inks, 1, axis=axis)).sum(axis=0).mean(axis=2 - axis)
        shifts.append(-int(jumps.argmin()) / len(jumps))
    return shifts[0], shifts[1]


def shift(inks: F32, rows: float, columns: float) -> F32:
    """Wrapped around by parts of its side, to the nearest pixel."""
    return np.roll(inks, (round(rows * inks.shape[1]), round(columns * inks.shape[2])), axis=(1, 2))


def resize(inks: F32, size: int) -> F32:
    """Area-average each plane to ``size`` px; sums stay 1."""
    if inks.shape[1] == size:
        return inks
    return np.stack([_resample(plane, (size, size), Image.Resampling.BOX) for plane in inks])


def enlarge_softly(inks: F32, factor: int, lattice: Lattice = BASIC) -> F32:
    """Periodic bicubic enlargement of a cell's soft inks, then sharpened to borders about 1.5 pixels wide."""
    margin = 4
    wrapped = lattice.surround(inks, margin)
    larger = wrapped.shape[2] * factor, wrapped.shape[1] * factor
    crop = slice(margin * factor, -margin * factor)
    planes = np.stack([_resample(plane, larger, Image.Resampling.BICUBIC)[crop, crop] for plane in wrapped])
    sharpened = planes.clip(1e-4, 1) ** (1 + 0.5 * factor)
    crisp: F32 = sharpened / sharpened.sum(axis=0)
    return crisp


def split_into_inks(rgb: F32, count: int) -> F32:
    """RGB (H, W, 3) in 0..1 -> (count, H, W): soft nearness to the ``count`` colours of a median cut.

    The most common colour is the ground and comes first, as the palettes expect.
    """
    image = Image.fromarray(np.rint(rgb * 255).clip(0, 255).astype(np.uint8))
    indexed = image.quantize(count, Image.Quantize.MEDIANCUT)
    found = np.asarray((indexed.getpalette() or [])[: 3 * count], np.float32).reshape(-1, 3) / 255
    common = np.bincount(np.asarray(indexed).ravel(), minlength=len(found)).argsort(kind="stable")[::-1]
    colours = np.resize(found[common[: len(found)]], (count, 3))
    distance = np.square(rgb[None] - colours[:, None, None]).sum(axis=3)
    nearness = np.exp(-(distance - distance.min(axis=0)) / 0.02)
    inks: F32 = (nearness / nearness.sum(axis=0)).astype(np.float32)
    return inks


def _resample(plane: F32, size: tuple[int, int], method: Image.Resampling) -> F32:
    return np.asarray(Image.fromarray(plane).resize(size, method), np.float32)
