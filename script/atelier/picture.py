"""From a draped mesh to a product picture, front or back, and where on the cloth each of its pixels lies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt, gaussian_filter

from ml_backend.colour import encode
from ml_backend.garments import LIGHT_CODE, Piece

from .blender import Passes, View, render
from .charts import Look, bake
from .cloth import Grain
from .mesh import F, I, Mesh
from .trims import Surface, Trim

WARM_GROUND = np.array([0.878, 0.855, 0.816])
"""Linear light of the studio ground, a warm off-white."""

EVENLY_LIT = 68.0
"""The percentile of the light on a garment that counts as evenly lit, S = 1."""

_BRIGHT = 0.66
"""Linear light of evenly lit cloth on the photo."""

_BEYOND = 4
"""Nodes beyond the cloth up to which its coordinates go on."""

_SEEN = 250
"""Pixels from which on it is sure which way round a piece was drawn."""

Grains = Callable[[str], Grain]
"""The grain of a panel, by its name."""


@dataclass(frozen=True)
class Camera:
    """A long lens in front of the garment; ``fill`` is the share of the picture the garment may take."""

    width: int = 1200
    height: int = 1500
    distance: float = 430.0
    rise: float = 6.0
    fill: tuple[float, float] = (0.86, 0.86)

    def view(self, x: F) -> tuple[View, float]:
        """The view of points (V, 3), and pixels per centimetre at the garment's middle."""
        low, high = x.min(0), x.max(0)
        eye = (low + high) / 2 + np.array([0.0, self.rise, self.distance])
        away = self.distance / (eye[2] - x[:, 2])
        px, py = (x[:, 0] - eye[0]) * away, (x[:, 1] - eye[1]) * away
        scale = min(self.fill[0] * self.width / np.ptp(px), self.fill[1] * self.height / np.ptp(py))
        left = self.width / 2 - (px.max() + px.min()) / 2 * scale
        top = self.height / 2 + (py.max() + py.min()) / 2 * scale
        return View(self.width, self.height, scale * self.distance, eye, (left, top)), scale


@dataclass(frozen=True)
class Picture:
    """photo (H, W, 3) uint8 sRGB; mask (H, W) uint8 share of fabric; cover (H, W) uint8 share of garment; light (H, W)
    uint8, coded; place (2, h, w) centimetres on the cloth, NaN away from it; number (H, W) uint8 of the piece of cloth,
    0 where there is none; pieces: what those are, the first is number 1."""

    photo: NDArray[np.uint8]
    mask: NDArray[np.uint8]
    cover: NDArray[np.uint8]
    light: NDArray[np.uint8]
    place: F
    number: NDArray[np.uint8]
    pieces: tuple[Piece, ...]
    px_per_cm: float


def shoot(
    mesh: Mesh, trims: Sequence[Trim], grains: Grains, look: Look, camera: Camera, *, back: bool = False,
    samples: int = 12, threads: int = 0
) -> Picture:  # fmt: skip
    """Photograph a mesh from the front, or turned round; ``samples`` a pixel."""
    turned = replace(mesh, x=mesh.x * np.array([-1.0, 1.0, -1.0])) if back else mesh
    view, scale = camera.view(turned.x)
    passes = render(turned, bake(mesh, trims, look), look, view, samples=samples, threads=threads)
    fine = _cut(passes.place, mesh.names, trims, grains)
    coarse = _cut(passes.coarse, mesh.names, trims, grains)
    number, pieces, facing = _numbered(fine)
    place = _at_nodes(fine, coarse, facing)
    return _develop(passes, number, pieces, place, scale, camera)


@dataclass(frozen=True)
class _Cut:
    """Of each pixel: ``name`` of its piece, index into ``names``, -1 off the garment; ``cloth`` (h, w, 2) fabric
    coordinates; ``piece`` (h, w)."""

    names: tuple[str, ...]
    cloth: F
    piece: I


def _cut(place: F, panels: tuple[str, ...], trims: Sequence[Trim], grains: Grains) -> _Cut:
    """Which piece of cloth each pixel shows, and where on the cloth it lies: exact, nothing is drawn or filtered."""
    code = np.rint(place[..., 2]).astype(np.int64)
    seen = code > 0
    panel, inner = (code[seen] - 1) // 2, (code[seen] - 1) % 2 == 1
    surface = Surface(place[seen][:, :2], panel, panels, inner)
    for trim in trims:
        trim.apply(surface)
    cloth = np.zeros((len(panel), 2))
    names: list[str] = []
    piece = np.full(len(panel), -1)
    for number in np.unique(surface.piece):
        rows = np.flatnonzero(surface.piece == number)
        name = surface.cut.get(int(number))
        for which in np.unique(panel[rows]):
            own = rows[panel[rows] == which]
            owner = panels[which]
            whole = grains(owner).lay(surface.uv[own], from_behind=owner.startswith("back"))
            cloth[own] = whole if name is None else surface.cloth[own]
            wrong = " inside" if inner[own[0]] else ""
            piece[own] = len(names)
            names.append((f"{owner} {name}" if name else owner) + wrong)
    full = np.full((*code.shape, 2), np.nan)
    full[seen] = cloth
    where = np.full(code.shape, -1)
    where[seen] = piece
    return _Cut(tuple(names), full, where)


def _numbered(fine: _Cut) -> tuple[I, tuple[Piece, ...], dict[str, float]]:
    """Pieces by size: their numbers (H, W), what they are, and which way each is counted across."""
    sizes = np.bincount(fine.piece[fine.piece >= 0], minlength=len(fine.names))
    order = [int(k) for k in np.argsort(-sizes, kind="stable") if sizes[k] > 0][:254]
    number = np.zeros(fine.piece.shape, np.int64)
    facing: dict[str, float] = {}
    pieces = []
    for place, k in enumerate(order, 1):
        number[fine.piece == k] = place
        name = fine.names[k]
        sign = _handed(fine, k)
        if facing.setdefault(name, sign) != sign and sizes[k] > _SEEN:
            raise ValueError(f"Two pieces are called {name}, and are drawn different ways round: name them apart.")
        pieces.append(Piece(name, pair="sleeve-r" in name))
    return number, tuple(pieces), facing


def _handed(cut: _Cut, k: int) -> float:
    """-1 where a right side was counted from its left to its right: sheets may be drawn either way round."""
    if cut.names[k].endswith("inside"):
        return 1.0
    cloth = np.where((cut.piece == k)[..., None], cut.cloth, np.nan)
    across, down = np.diff(cloth, axis=1)[:-1], np.diff(cloth, axis=0)[:, :-1]
    area = across[..., 0] * down[..., 1] - across[..., 1] * down[..., 0]
    found = area[np.isfinite(area)]
    return -1.0 if len(found) and np.median(found) < 0 else 1.0


def _at_nodes(fine: _Cut, coarse: _Cut, facing: dict[str, float]) -> F:
    """(2, h, w): a node belongs to the piece of the pixel above and to the left of its middle; where the middle itself
    shows another piece, that pixel speaks for it."""
    exact, pixel = _facing(coarse, facing), _facing(fine, facing)[::2, ::2]
    own = np.array([coarse.names.index(name) if name in coarse.names else -2 for name in fine.names] + [-1])
    piece = fine.piece[::2, ::2]
    agree = (own[piece] == coarse.piece)[..., None]
    return _beyond(np.where(agree, exact, pixel), piece)


def _facing(cut: _Cut, facing: dict[str, float]) -> F:
    signs = np.array([facing.get(name, 1.0) for name in cut.names] or [1.0])
    cloth = cut.cloth.copy()
    cloth[..., 0] *= np.where(cut.piece >= 0, signs[cut.piece], 1.0)
    return cloth


def _beyond(cloth: F, piece: I) -> F:
    """(h, w, 2) -> (2, h, w), going on a few nodes beyond the cloth as it does at its edge."""
    known = piece >= 0
    place = cloth.transpose(2, 0, 1).copy()
    for _ in range(_BEYOND):
        grown, count = np.zeros_like(place), np.zeros(known.shape)
        for dy, dx in ((0, 1), (0, -1), (1, 0), (-1, 0)):
            one = np.roll(place, (dy, dx), (1, 2))
            two = np.roll(place, (2 * dy, 2 * dx), (1, 2))
            there = np.roll(known, (dy, dx), (0, 1))
            both = there & np.roll(known, (2 * dy, 2 * dx), (0, 1))
            step = np.where(both, one - two, 0.0)
            step = np.where(np.hypot(*step) < 1.0, step, 0.0)
            grown += np.where(there, one + step, 0.0)
            count += there
        fresh = ~known & (count > 0)
        place[:, fresh] = grown[:, fresh] / count[fresh]
        known |= fresh
    place[:, ~known] = np.nan
    return place


def _develop(passes: Passes, number: I, pieces: tuple[Piece, ...], place: F, scale: float, camera: Camera) -> Picture:
    cover = np.clip(passes.trim[..., 2], 0.0, 1.0)
    shade, fabric = (np.clip(passes.trim[..., k], 0.0, 1.0) for k in (0, 1))
    share = np.maximum(cover, 1e-3)
    within = cover > 0.02
    light = np.where(within, passes.light / share * (shade / share), 0.0)
    even = float(np.percentile(light[cover > 0.98], EVENLY_LIT))
    colour = passes.image[..., :3] * (shade / share)[..., None]
    bright = float(np.percentile(colour[cover > 0.98].mean(axis=1), EVENLY_LIT))
    garment = _shoulder(colour / share[..., None] * (_BRIGHT / bright)) * cover[..., None]
    ground = _ground(cover, camera, scale)
    linear = garment + ground * (1 - cover[:, :, None])
    grain = np.random.default_rng(9).normal(0, 0.6, linear.shape[:2])[:, :, None]
    photo = np.clip(encode(np.clip(linear, 0.0, 1.0)) * 255 + grain + 0.5, 0, 255).astype(np.uint8)
    coded = np.sqrt(np.clip(np.where(within, light / even, 1.0) / LIGHT_CODE, 0.0, 1.0))
    nearest = distance_transform_edt(number == 0, return_distances=False, return_indices=True)
    spread = np.where(within, number[tuple(nearest)], 0).astype(np.uint8)
    return Picture(photo, _bytes(fabric), _bytes(cover), _bytes(coded), place, spread, pieces, scale)


def _bytes(plane: F) -> NDArray[np.uint8]:
    return np.clip(plane * 255 + 0.5, 0, 255).astype(np.uint8)


def _ground(cover: F, camera: Camera, scale: float) -> F:
    """Seamless paper with a gentle fall-off and the garment's soft shadow, thrown down and to the right."""
    y, x = np.mgrid[0 : camera.height, 0 : camera.width]
    far = np.hypot((x - camera.width * 0.42) / camera.width, (y - camera.height * 0.40) / camera.height)
    light = 1.015 - 0.10 * far**2
    shadow = np.zeros_like(cover)
    for spread, dx, dy, strength in ((0.5, 0.35, 0.45, 0.20), (1.8, 1.2, 1.5, 0.15), (6.0, 2.8, 3.6, 0.12)):
        small = gaussian_filter(np.roll(cover, (round(dy * scale), round(dx * scale)), (0, 1)), spread * scale)
        shadow = 1 - (1 - shadow) * (1 - strength * small)
    tone = np.array([1.0, 1.012, 1.03])
    return np.asarray(WARM_GROUND * light[:, :, None] * (1 - shadow[:, :, None] * tone))


def _shoulder(linear: F) -> F:
    """Highlights roll off above 0.75 and never clip."""
    return np.where(linear < 0.75, linear, 0.75 + 0.22 * (1 - np.exp(-(linear - 0.75) / 0.22)))
