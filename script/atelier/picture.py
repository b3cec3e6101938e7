"""From a draped mesh to a product picture: photo, exact mask, class map."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from ml_backend.colour import encode

from .light import Studio, gather
from .mesh import F, Mesh
from .raster import Fragments, rasterise
from .trims import Surface, Trim, noise
from .truth import bend_map, light_map

WARM_GROUND = np.array([0.878, 0.855, 0.816])
"""Linear light of the studio ground, a warm off-white."""


@dataclass(frozen=True)
class Camera:
    """A long lens in front of the garment; ``fill`` is the share of the picture the garment may take."""

    width: int = 1200
    height: int = 1500
    distance: float = 430.0
    rise: float = 6.0
    fill: tuple[float, float] = (0.86, 0.86)

    def project(self, x: F) -> tuple[F, float]:
        """Points (V, 3) to pixels with depth (V, 3), and pixels per centimetre at the garment's middle."""
        low, high = x.min(0), x.max(0)
        centre = (low + high) / 2
        away = self.distance / (self.distance - (x[:, 2] - centre[2]))
        px = (x[:, 0] - centre[0]) * away
        py = (x[:, 1] - centre[1] - self.rise) * away
        scale = min(self.fill[0] * self.width / np.ptp(px), self.fill[1] * self.height / np.ptp(py))
        left = self.width / 2 - (px.max() + px.min()) / 2 * scale
        top = self.height / 2 + (py.max() + py.min()) / 2 * scale
        return np.column_stack([left + px * scale, top - py * scale, x[:, 2]]), scale


@dataclass(frozen=True)
class Look:
    """The cloth before the camera: linear ``albedo``, ``weave`` pitch in cm and depth, ``sheen`` at grazing angles."""

    albedo: tuple[float, float, float] = (0.80, 0.783, 0.752)
    weave: float = 0.075
    tooth: float = 0.010
    crumple: float = 0.010
    wrinkle: float = 0.03
    sheen: float = 0.05
    exposure: float = 1.36


@dataclass(frozen=True)
class Picture:
    """photo (H, W, 3) uint8 sRGB; mask (H, W) uint8 share of fabric; cover (H, W) uint8 share of garment;
    light (H, W) and bend (H, W, 3) uint8 as ``truth`` codes them."""

    photo: NDArray[np.uint8]
    mask: NDArray[np.uint8]
    cover: NDArray[np.uint8]
    light: NDArray[np.uint8]
    bend: NDArray[np.uint8]
    px_per_cm: float


def shoot(mesh: Mesh, trims: Sequence[Trim], look: Look, camera: Camera, studio: Studio, over: int = 2) -> Picture:
    """Light, rasterise at ``over`` times the size, dress with trims, and reduce."""
    normals = mesh.normals()
    lit = gather(mesh.x, mesh.faces, normals, studio)
    points, scale = camera.project(mesh.x)
    points[:, :2] *= over
    shape = (camera.height * over, camera.width * over)
    seen = rasterise(points, mesh.faces, shape)
    eye = np.array([0.0, 0.0, 1.0])
    n = _unit(seen.pick(mesh.faces, normals))
    geometry = np.cross(*(mesh.x[mesh.faces[seen.triangle, k]] - mesh.x[mesh.faces[seen.triangle, 0]] for k in (1, 2)))
    inner = geometry @ eye < 0
    face = inner.astype(np.int64)
    rows = np.arange(len(face))
    n = np.where(inner[:, None], -n, n)
    irradiance = seen.pick(mesh.faces, lit.irradiance)[rows, face]
    open_ = np.clip(seen.pick(mesh.faces, lit.open)[rows, face], 0.02, 1.0)
    lean = seen.pick(mesh.faces, lit.lean.reshape(len(mesh.x), 6)).reshape(-1, 2, 3)[rows, face]
    surface = Surface(seen.blend(mesh.uv[seen.triangle]), mesh.panel[seen.triangle], mesh.names, inner)
    _texture(surface, look)
    for trim in trims:
        trim.apply(surface)
    bent = _unit(n + _slope(seen, surface.relief, scale * over))
    flat = (n * lean).sum(axis=1)
    gain = np.clip((bent * lean).sum(axis=1) / np.maximum(flat, 0.25 * np.linalg.norm(lean, axis=1) + 1e-6), 0.35, 1.7)
    light = irradiance * (0.25 + 0.75 * gain) * surface.shade
    colour = _cloth_colour(light, open_, bent, surface, look)
    return _develop(seen, colour, surface, camera, over, scale, look)


def _unit(v: F) -> F:
    return np.asarray(v / np.maximum(np.linalg.norm(v, axis=1, keepdims=True), 1e-9))


def _texture(surface: Surface, look: Look) -> None:
    """The weave itself and the slight crumple of cloth that has been handled."""
    uv = surface.uv + 40.0 * surface.panel[:, None]
    threads = noise(uv, (look.weave, look.weave * 3.2), 1) + noise(uv, (look.weave * 3.2, look.weave), 2)
    handled = noise(uv, (1.6, 2.1), 3) + 0.6 * noise(uv @ np.array([[0.8, 0.6], [-0.6, 0.8]]), (0.8, 1.3), 4)
    surface.relief += 0.5 * look.tooth * look.weave / 0.075 * threads + look.crumple * handled
    surface.shade *= 1 + 0.012 * threads
    if look.wrinkle:
        surface.relief += look.wrinkle * _wrinkles(uv)


def _wrinkles(uv: F) -> F:
    """Soft ridges that a garment keeps from being worn: sparse, mostly lengthways, crests sharper than valleys."""
    bend = np.stack([noise(uv, (9.0, 12.0), 5), noise(uv, (11.0, 13.0), 6)], axis=1)
    out = np.zeros(len(uv))
    for turn, size, seed in ((0.35, (3.4, 9.0), 7), (-0.55, (4.2, 10.0), 8)):
        axes = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
        crest = np.exp(-((noise(uv @ axes + 3.0 * bend, size, seed) / 0.38) ** 2))
        there = np.clip(noise(uv, (13.0, 15.0), seed + 40) + 0.25, 0, 1)
        out += crest * there
    return out


def _slope(seen: Fragments, relief: F, scale: float) -> F:
    """Relief (cm) to a tilt (n, 3) of the normal in picture axes; none across the edges of the cloth."""
    height = seen.plane(relief, np.nan)
    depth = seen.plane(seen.depth, np.nan)
    tilt = np.zeros((len(relief), 3))
    for axis, sign in ((1, -1.0), (0, 1.0)):
        slope = np.zeros(seen.shape)
        slope_view = (np.roll(height, -1, axis) - np.roll(height, 1, axis)) * scale / 2
        jump = np.abs(np.roll(depth, -1, axis) - np.roll(depth, 1, axis))
        good = np.isfinite(slope_view) & (jump < 0.8)
        slope[good] = slope_view[good]
        tilt[:, 1 - axis] = sign * np.clip(slope, -0.9, 0.9).ravel()[seen.pixel]
    return tilt


def _cloth_colour(light: F, open_: F, n: F, surface: Surface, look: Look) -> F:
    """Lambert with the glow of many bounces in folds, a little sheen, warm light and cooler shade."""
    albedo = np.array(look.albedo) * surface.tint
    bounced = 1 + 0.55 * albedo * (1 - open_[:, None])
    fresnel = look.sheen * (1 - np.clip(n[:, 2], 0, 1)) ** 3 * open_
    warmth = np.array([0.012, 0.0, -0.016])
    tone = 1 + warmth * np.clip((light - 0.55) / 0.4, -1, 1)[:, None]
    return np.asarray((albedo * light[:, None] * bounced + fresnel[:, None]) * tone * look.exposure)


def _reduce(plane: F, over: int) -> F:
    """Box-average blocks of over x over samples."""
    h, w = plane.shape[0] // over, plane.shape[1] // over
    return np.asarray(plane.reshape(h, over, w, over, *plane.shape[2:]).mean(axis=(1, 3)))


def _develop(
    seen: Fragments, colour: F, surface: Surface, camera: Camera, over: int, scale: float, look: Look
) -> Picture:
    cover_fine = seen.plane(np.ones(len(colour)))
    cover = np.clip(_reduce(cover_fine, over), 0, 1)
    garment = _reduce(seen.plane(_shoulder(colour)), over)
    fabric = _reduce(seen.plane(surface.fabric), over)
    ground = _ground(cover, camera, scale)
    linear = garment + ground * (1 - cover[:, :, None])
    grain = np.random.default_rng(9).normal(0, 0.6, linear.shape[:2])[:, :, None]
    photo = np.clip(encode(np.clip(linear, 0.0, 1.0)) * 255 + grain + 0.5, 0, 255).astype(np.uint8)
    plain = colour.mean(axis=1) / (surface.tint.mean(axis=1) * look.exposure * float(np.mean(look.albedo)))
    light = light_map(_reduce(seen.plane(plain), over), cover)
    return Picture(photo, _bytes(fabric), _bytes(cover), light, _bend(seen, surface, camera, over, scale), scale)


def _bend(seen: Fragments, surface: Surface, camera: Camera, over: int, scale: float) -> NDArray[np.uint8]:
    place = seen.plane(surface.uv * np.array([scale, -scale]))[::over, ::over]
    piece = seen.plane(surface.piece.astype(np.float64), -1.0)[::over, ::over].astype(np.int64)
    return bend_map(place, piece, max(camera.width, camera.height), 4.0 * scale)


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
