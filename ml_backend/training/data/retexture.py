"""Rendered people dressed anew: fresh fabric, folds, shadows, light and camera at every step, with exact targets.

    photo = camera(albedo(u, v) x light x colour of the light + gloss)

Everything is a function of the random generator that is given.
"""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from ...colour import LUMINANCE, decode, encode
from ...networks.surface import DARK, jacobian
from ...requests import PATTERN_TYPES
from .bank import Bank
from .plain_garments import PlainPhoto
from .rendered_people import Rendered, lie

_FINE_SHARE = 0.3
"""Share of the pictures that are drawn at twice the size and averaged; the others have harder outlines."""
_ZOOM = (0.8, 1.7)
"""How much larger, or smaller, the cloth is than what would just fit."""
_TURNED = math.radians(14)
_NAVY = (0.012, 0.016, 0.045)


@dataclass(frozen=True)
class Sample:
    """What the network sees and should say, float32 (C, H, W); ``garment`` int64 (H, W), 0 where nothing is known.

    ``rgb`` sRGB 0..1, ``mask`` (1) and ``labels`` int64 (H, W) as a segmentation would have found them.  ``shading``
    (1), ``normal`` (3), ``warp``, ``weft``, ``log_cm`` (2) as in :class:`SurfaceMaps`; where ``lies`` is False only the
    shading is known.
    """

    rgb: Tensor
    mask: Tensor
    labels: Tensor
    garment: Tensor
    shading: Tensor
    normal: Tensor
    warp: Tensor
    weft: Tensor
    log_cm: Tensor
    lies: bool = True


@dataclass(frozen=True)
class View:
    """A window into a picture: where each drawn pixel lies in it, and how directions turn.

    ``x``, ``y`` float32 (h, w) in the picture's pixels; ``turn`` (2, 2) maps its directions (x right, y down) to the
    window's; ``scale`` is drawn pixels for each of its own.
    """

    x: Tensor
    y: Tensor
    turn: Tensor
    scale: float


def dressed(figure: Rendered, bank: Bank, rng: np.random.Generator, size: tuple[int, int]) -> Sample:
    """The figure in new fabrics under new light, (height, width) px."""
    fine = 2 if rng.random() < _FINE_SHARE else 1
    view = look(figure.cloth, rng, (size[0] * fine, size[1] * fine), 1.6 * fine)
    column, row = (axis.round().long() for axis in (view.x, view.y))
    height, width = figure.garment.shape
    inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
    column, row = column.clamp(0, width - 1), row.clamp(0, height - 1)
    garment = torch.where(inside & figure.cloth[row, column], figure.garment[row, column], 0).long()
    kept = _worn(garment, rng)
    lain = lie(figure.grain[:, row, column])
    u, v = _place(figure, lain.warp, lain.weft, lain.log_cm, (column, row), view)
    lamp = _turned(torch.tensor(_lamp(figure, rng)), view.turn)
    normal = _turned(unit(figure.normal[:, row, column].float()), view.turn)

    light = figure.light[row, column].float() * float(rng.uniform(0.75, 1.25))
    folds, tilt = _folds(garment, normal, lamp, rng)
    panel = figure.panel[row, column].long()
    cloth = garment > 0
    light = light + torch.where(cloth, folds + _seams(garment, panel, u, v, lain.log_cm.mean(dim=0).exp(), rng), 0.0)
    normal = torch.where(cloth, unit(normal + tilt), normal)
    shadow = cast_shadow(garment.shape, rng)
    light = light + shadow

    albedo = _albedo(garment, u, v, lain.log_cm.mean(dim=0) - math.log(view.scale), bank, rng)
    linear = decode(figure.rgb[:, row, column].float() / 255)
    ground = _ground(linear, inside & (figure.garment[row, column] > 0), bank, rng)
    lit = albedo * (light.exp() * _tint(light, cloth, rng)) + _gloss(garment, normal, lamp, light, rng)
    picture = torch.where(cloth, lit, ground * shadow.exp())
    return Sample(
        rgb=camera(_smaller(picture, fine), rng),
        garment=_agreed(kept, fine),
        shading=_smaller(light[None], fine),
        normal=unit(_smaller(normal, fine)),
        warp=unit(_smaller(torch.einsum("ij,jhw->ihw", view.turn, lain.warp), fine)),
        weft=unit(_smaller(_mirrored(view.turn, lain.weft), fine)),
        log_cm=_smaller(lain.log_cm, fine) - math.log(view.scale / fine),
        mask=found_mask(_smaller((kept > 0).float()[None], fine), rng),
        labels=found_labels(kept[::fine, ::fine], rng),
    )


def photographed(photo: PlainPhoto, bank: Bank, rng: np.random.Generator, size: tuple[int, int]) -> Sample:
    """A photo with plain garments, often with a print laid over one: its own luminance, before that, is the light.

    Where the fabric lies is not known, so prints are laid flat, swaying a little.
    """
    pixels, garment = _window(photo, rng, size)
    linear = decode(pixels)
    known = torch.where(sum((garment == number for number in photo.plain), torch.zeros_like(garment)) > 0, garment, 0)
    numbers = torch.unique(known[known > 0]).tolist()
    if rng.random() < 0.65:
        suit = rng.random() < 0.2
        state = rng.bit_generator.state
        for number in numbers:
            if suit:
                rng.bit_generator.state = state
            linear = _printed_over(linear, garment == number, bank, rng)
    seen = develop(linear, rng)
    light = _log_luminance(decode(pixels))
    for number in numbers:  # one dye is darker than another, which is not its light
        light = light - light[known == number].median() * (known == number)
    if float(light[known > 0].std() if numbers else 0.0) > 1.2:
        known = torch.zeros_like(known)  # half of it in glaring sun, or not one garment at all
    kept = garment
    if numbers and rng.random() < 0.3:
        kept = torch.where(garment == numbers[int(rng.integers(len(numbers)))], garment, 0)
    nothing = torch.zeros(2, *size)
    return Sample(
        rgb=spoil(seen, rng),
        garment=torch.where(_inside(known), torch.where(kept > 0, known, 0), 0),
        shading=light[None],
        normal=torch.zeros(3, *size),
        warp=nothing,
        weft=nothing,
        log_cm=nothing,
        mask=found_mask((kept > 0).float()[None], rng),
        labels=found_labels(kept, rng),
        lies=False,
    )


def _window(photo: PlainPhoto, rng: np.random.Generator, size: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """sRGB (3, h, w) and garment numbers (h, w) of a random window about the plain garments, half of them mirrored."""
    height, width = size
    rows, columns = (np.flatnonzero(np.isin(photo.garments, photo.plain).any(axis=axis)) for axis in (1, 0))
    top, bottom, left, right = (float(edge) for edge in (rows[0], rows[-1] + 1, columns[0], columns[-1] + 1))
    fits = min(height / (bottom - top), width / (right - left)) / 1.06
    scale = min(fits * math.exp(rng.uniform(*np.log(_ZOOM))), 1.3)
    middle = [
        (near + far) / 2 + (max(0.0, far - near - side / scale) + 0.06 * (far - near)) * rng.uniform(-0.5, 0.5)
        for near, far, side in ((left, right, width), (top, bottom, height))
    ]
    box = tuple(middle[axis] + sign * side / scale / 2 for sign in (-1, 1) for axis, side in ((0, width), (1, height)))
    # Beyond the photo there is nothing: a frame of one colour, as wide as the window asks for.
    air = math.ceil(max(0, -box[0], -box[1], box[2] - photo.image.shape[1], box[3] - photo.image.shape[0])) + 1
    framed = np.pad(photo.image, ((air, air), (air, air), (0, 0)), constant_values=int(rng.integers(256)))
    numbers = np.pad(photo.garments, air)
    moved = (box[0] + air, box[1] + air, box[2] + air, box[3] + air)
    image = np.asarray(Image.fromarray(framed).resize((width, height), Image.Resampling.BICUBIC, box=moved))
    garment = np.asarray(Image.fromarray(numbers).resize((width, height), Image.Resampling.NEAREST, box=moved))
    if rng.random() < 0.5:
        image, garment = image[:, ::-1], garment[:, ::-1]
    return torch.from_numpy(image.transpose(2, 0, 1).copy()).float() / 255, torch.from_numpy(garment.astype(np.int64))


def _printed_over(linear: Tensor, here: Tensor, bank: Bank, rng: np.random.Generator) -> Tensor:
    """Linear light (3, h, w) with another fabric in the place of a plain one: its light, divided by its dye, stays."""
    if not bool(here.any()):
        return linear
    own = linear[:, here].median(dim=1).values
    light = linear / (own[:, None, None] + DARK)
    rows, columns = (axis.float() for axis in torch.nonzero(here, as_tuple=True))
    tall = float(rows.max() - rows.min()) + 1
    cm = 75 / tall * math.exp(rng.uniform(-0.6, 0.4))
    sway = [field(tuple(here.shape), rng, float(rng.uniform(1.5, 6)))[here] * float(rng.uniform(0, 3)) for _ in "uv"]
    angle = float(rng.normal(0, 0.25))
    u = (columns * math.cos(angle) + rows * math.sin(angle)) * cm + sway[0]
    v = (rows * math.cos(angle) - columns * math.sin(angle)) * cm + sway[1]
    albedo = fabric(u, v, cm, bank, rng)
    # A camera has hardly seen the folds of black cloth: on brighter cloth its noise would be taken for them.
    dark = float(own.mean()) < 0.03
    if dark:
        albedo = albedo * min(1.0, 0.08 / float(albedo.mean().clamp(min=1e-3)))
    result = linear.clone()
    result[:, here] = albedo * light[:, here].clamp(max=6)
    return result


def _log_luminance(linear: Tensor) -> Tensor:
    weights = torch.tensor(LUMINANCE)[:, None, None]
    return ((linear * weights).sum(dim=0) + DARK).log()


def _inside(garment: Tensor) -> Tensor:
    """Pixels (H, W) whose neighbours, two away, belong to the same garment: labels by hand are off by one or two."""
    padded = garment[None, None].float()
    least, most = -F.max_pool2d(-padded, 5, 1, 2), F.max_pool2d(padded, 5, 1, 2)
    return (least == most)[0, 0]


def look(cloth: Tensor, rng: np.random.Generator, size: tuple[int, int], most: float) -> View:
    """A random window of ``size`` (h, w) about the cloth, enlarged ``most`` times or less; half of them mirrored."""
    rows, columns = (torch.nonzero(cloth.any(dim=axis))[:, 0] for axis in (1, 0))
    top, bottom, left, right = (float(edge) for edge in (rows[0], rows[-1] + 1, columns[0], columns[-1] + 1))
    height, width = size
    fits = min(height / (bottom - top), width / (right - left)) / 1.06
    scale = min(fits * math.exp(rng.uniform(*np.log(_ZOOM))), most)
    angle = rng.uniform(-_TURNED, _TURNED) if rng.random() < 0.35 else 0.0
    mirror = -1.0 if rng.random() < 0.5 else 1.0
    # The middle of the window: near the cloth's own, or anywhere on it when it is the smaller.
    spare = [max(0.0, (far - near) - side / scale) + 0.06 * (far - near) for far, near, side in
             ((right, left, width), (bottom, top, height))]  # fmt: skip
    middle = (
        (left + right) / 2 + spare[0] * rng.uniform(-0.5, 0.5),
        (top + bottom) / 2 + spare[1] * rng.uniform(-0.5, 0.5),
    )
    cos, sin = math.cos(angle), math.sin(angle)
    turn = torch.tensor([[cos * mirror, -sin], [sin * mirror, cos]])
    across = torch.arange(width) + 0.5 - width / 2
    down = torch.arange(height)[:, None] + 0.5 - height / 2
    back = turn.T / scale  # a turn and a mirror: the inverse is the transpose
    x = middle[0] - 0.5 + back[0, 0] * across + back[0, 1] * down
    y = middle[1] - 0.5 + back[1, 0] * across + back[1, 1] * down
    return View(x, y, turn, scale)


def _worn(garment: Tensor, rng: np.random.Generator) -> Tensor:
    """The garments that the mask shall hold: all, or one of them where people choose one."""
    present = torch.unique(garment[garment > 0])
    if len(present) < 2 or rng.random() > 0.3:
        return garment
    return torch.where(garment == present[int(rng.integers(len(present)))], garment, 0)


def _place(
    figure: Rendered, warp: Tensor, weft: Tensor, log_cm: Tensor, pixel: tuple[Tensor, Tensor], view: View
) -> tuple[Tensor, Tensor]:
    """Fabric coordinates in centimetres: the nearest pixel's, and on from there by its own Jacobian."""
    column, row = pixel
    u, v = figure.place[:, row, column].float() / 20
    steps = jacobian(warp[None], weft[None], log_cm[None].clamp(-3, 2))[0]  # (2, 2, h, w)
    dx, dy = view.x - column, view.y - row
    near = (dx.abs() <= 0.5) & (dy.abs() <= 0.5)
    du, dv = (torch.where(near, step[0] * dx + step[1] * dy, 0.0) for step in steps)
    return u + du, v + dv


def _lamp(figure: Rendered, rng: np.random.Generator) -> tuple[float, float, float]:
    x, y, z = figure.lamp
    if z < 0.1 or rng.random() < 0.3:  # from behind, or a second lamp
        x, y, z = rng.uniform(-0.9, 0.9), rng.uniform(-0.1, 0.9), rng.uniform(0.3, 1.0)
    length = math.sqrt(x * x + y * y + z * z)
    return (x / length, y / length, z / length)


def _turned(vector: Tensor, turn: Tensor) -> Tensor:
    """(3, ...) in camera space, y up, turned as the window is."""
    flat = torch.stack((vector[0], -vector[1]))
    x, y = torch.einsum("ij,j...->i...", turn, flat)
    return torch.stack((x, -y, vector[2]))


def _mirrored(turn: Tensor, weft: Tensor) -> Tensor:
    """The weft in the window.  In a mirror it would run to the left of a garment's front, so it is turned about."""
    sign = 1.0 if float(torch.linalg.det(turn)) > 0 else -1.0
    return torch.einsum("ij,jhw->ihw", turn * sign, weft)


def unit(vectors: Tensor) -> Tensor:
    """(C, ...) vectors of length 1; ``F.normalize`` takes many times as long over the first of the dimensions."""
    return vectors * (vectors.square().sum(dim=0) + 1e-12).rsqrt()


def _smaller(planes: Tensor, fine: int) -> Tensor:
    return planes if fine == 1 else F.avg_pool2d(planes[None], fine)[0]


def _agreed(garment: Tensor, fine: int) -> Tensor:
    """The garment of each pixel of the result, 0 where its drawn pixels differ."""
    blocks = F.pixel_unshuffle(garment[None, None].float(), fine)[0]
    least, most = blocks.amin(dim=0), blocks.amax(dim=0)
    return torch.where(least == most, least, 0.0).long()


# --- fabric -------------------------------------------------------------------------------------------------------


def _albedo(garment: Tensor, u: Tensor, v: Tensor, log_cm: Tensor, bank: Bank, rng: np.random.Generator) -> Tensor:
    """Linear (3, h, w): a fabric for each garment, or one for all of them."""
    result = torch.zeros(3, *garment.shape)
    suit = rng.random() < 0.25
    state = rng.bit_generator.state
    for index in torch.unique(garment[garment > 0]).tolist():
        if suit:
            rng.bit_generator.state = state
        here = garment == index
        cm = float(log_cm[here].median().exp())
        result[:, here] = fabric(u[here], v[here], cm, bank, rng)
    uneven = float(rng.uniform(0, 0.1)) * (rng.random() < 0.5)
    if uneven:  # melange, weave, wear
        noise = torch.from_numpy(rng.standard_normal(garment.shape, dtype=np.float32))
        result = result * (noise * uneven).exp()
    return result


def fabric(u: Tensor, v: Tensor, cm: float, bank: Bank, rng: np.random.Generator) -> Tensor:
    """Linear albedo (3, N) at N places of a random fabric, in centimetres; a drawn pixel is ``cm`` wide."""
    kind = rng.random()
    plain = torch.tensor(dye(rng))[:, None].expand(3, len(u))
    if kind < 0.33:
        return plain
    tile, repeat = _tile(bank, rng)
    angle = 0.0 if rng.random() < 0.7 else float(rng.choice([math.pi / 2, math.pi / 4, rng.uniform(0, math.pi)]))
    cos, sin = math.cos(angle), math.sin(angle)
    shift = rng.uniform(0, repeat, 2)
    printed = sampled(
        tile, (cos * u - sin * v + shift[0]) / repeat, (sin * u + cos * v + shift[1]) / repeat, cm / repeat
    )
    if kind > 0.88:  # one large motif on plain cloth
        centre, reach = rng.uniform((-15, -5), (15, 30)), rng.uniform(4, 14, 2)
        away = ((u - centre[0]) / reach[0]).abs() ** 4 + ((v - centre[1]) / reach[1]).abs() ** 4
        share = (1 - (away - 1) * 4).clamp(0, 1)
        return torch.lerp(plain, printed, share.expand_as(plain))
    return printed


def dye(rng: np.random.Generator) -> tuple[float, float, float]:
    """Linear colour of plain cloth, black, navy and white often."""
    kind = rng.random()
    if kind < 0.2:
        r, g, b = rng.uniform(0.008, 0.035) * rng.uniform(0.85, 1.15, 3)
    elif kind < 0.3:
        r, g, b = np.array(_NAVY) * rng.uniform(0.6, 2.0) * rng.uniform(0.8, 1.25, 3)
    elif kind < 0.45:
        r, g, b = rng.uniform(0.6, 0.9) * rng.uniform(0.93, 1.07, 3)
    elif kind < 0.6:
        r, g, b = math.exp(rng.uniform(math.log(0.03), math.log(0.7))) * rng.uniform(0.9, 1.1, 3)
    else:
        r, g, b = rng.uniform(0.02, 0.85, 3) ** 1.6
    return float(r), float(g), float(b)


def _tile(bank: Bank, rng: np.random.Generator) -> tuple[Tensor, float]:
    """A drawn design in linear colours (3, S, S), and its repeat in centimetres."""
    label = int(rng.integers(len(PATTERN_TYPES)))
    labels = np.array([label])
    coverage = bank.coverage(labels, rng.integers(0, bank.inks.shape[1], 1))[0]
    palette = bank.palettes[label, rng.integers(bank.palettes.shape[1])]
    if rng.random() < 0.25:  # dyes of our own: greys, pale tones, black and white
        palette = np.array([dye(rng) for _ in palette], np.float32) ** (1 / 2.2)
    colours = decode(torch.from_numpy(palette))
    tile = torch.einsum("khw,kc->chw", coverage, colours)
    mean = tile.mean(dim=(1, 2), keepdim=True)
    tile = mean + (tile - mean) * float(rng.uniform(0.25, 1.0) if rng.random() < 0.4 else 1.0)
    tile = (tile * float(rng.uniform(0.35, 1.0))).clamp(min=0.006)
    return tile, float(math.exp(rng.uniform(math.log(3), math.log(50))))


def sampled(tile: Tensor, x: Tensor, y: Tensor, pixel: float) -> Tensor:
    """The tile (3, S, S), repeated, at (N) places in units of its repeat; a pixel is ``pixel`` of a repeat wide."""
    while tile.shape[-1] > 1 and pixel * tile.shape[-1] > 1.4:
        tile = F.avg_pool2d(tile[None], 2)[0]
    side = tile.shape[-1]
    flat = tile.reshape(3, -1)
    x, y = x * side - 0.5, y * side - 0.5
    left, top = x.floor(), y.floor()
    right_share, lower_share = x - left, y - top
    column, row = left.long() % side, top.long() % side
    after, below = (column + 1) % side, (row + 1) % side
    upper = torch.lerp(flat[:, row * side + column], flat[:, row * side + after], right_share)
    lower = torch.lerp(flat[:, below * side + column], flat[:, below * side + after], right_share)
    return torch.lerp(upper, lower, lower_share)


# --- folds, seams, shadows ----------------------------------------------------------------------------------------


def field(
    shape: Sequence[int], rng: np.random.Generator, cells: float, *, stretch: float = 1.0, angle: float | None = None
) -> Tensor:
    """Smooth noise (h, w) of deviation about 1: ``cells`` along the shorter side, longer by ``stretch`` one way."""
    height, width = ((side + 1) // 2 for side in shape)
    knots = torch.from_numpy(rng.standard_normal((1, 1, 40, 40), dtype=np.float32))
    angle = float(rng.uniform(0, math.pi)) if angle is None else angle
    unit = cells / min(height, width)
    x, y = torch.arange(width) * unit, torch.arange(height)[:, None] * unit
    along, across = math.cos(angle), math.sin(angle)
    start = rng.uniform(0, 40, 2)
    grid = torch.stack((x * along + y * across, (y * along - x * across) / stretch), dim=-1)
    grid = (grid + torch.from_numpy(start.astype(np.float32))) * (2 / 40) - 1
    mode = "bicubic" if cells < 24 else "bilinear"
    found = F.grid_sample(knots, grid[None], mode=mode, padding_mode="reflection", align_corners=False)
    return F.interpolate(found, tuple(shape), mode="bilinear", align_corners=False)[0, 0] * 1.4


def _folds(garment: Tensor, normal: Tensor, lamp: Tensor, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """More folds: what they add to the log light (h, w) and to the normals (3, h, w)."""
    if rng.random() < 0.25:
        return torch.zeros(garment.shape), torch.zeros(3, 1, 1)
    height = torch.zeros(garment.shape)
    for _ in range(int(rng.integers(1, 4))):
        cells = math.exp(rng.uniform(math.log(2.5), math.log(28)))
        wave = field(garment.shape, rng, cells, stretch=float(rng.uniform(1, 6)))
        if rng.random() < 0.5:
            wave = -wave.abs() if rng.random() < 0.5 else wave.abs()  # sharp valleys, sharp ridges
        where = (field(garment.shape, rng, 3.0) + float(rng.uniform(-0.5, 1.0))).clamp(0, 1)
        # slopes, not heights, make light: a fine fold is as steep as a broad one
        steep = float(rng.uniform(0.02, 0.2)) * min(1.0, cells / 8)  # broad ones would be another body
        height += wave * where * steep * (min(garment.shape) / cells)
    other = (garment % 2 == 1).float() * 2 - 1  # garments do not share their folds
    height = height * other
    down, across = torch.gradient(height)
    tilt = torch.stack((-across, down, torch.zeros_like(down))).clamp(-1.5, 1.5)
    ambient = float(rng.uniform(0.25, 0.7))
    before = ambient + (1 - ambient) * (normal * lamp[:, None, None]).sum(dim=0).clamp(min=0)
    bent = unit(normal + tilt)
    after = ambient + (1 - ambient) * (bent * lamp[:, None, None]).sum(dim=0).clamp(min=0)
    return (after / before).log().clamp(-1.5, 1.0), tilt


def _seams(garment: Tensor, panel: Tensor, u: Tensor, v: Tensor, cm: Tensor, rng: np.random.Generator) -> Tensor:
    """Log light (h, w) of seams, plackets and pocket edges: a dark line with a bright one beside it."""
    total = torch.zeros(garment.shape)
    if rng.random() < 0.4:
        return total
    for index in torch.unique(garment[garment > 0]).tolist():
        here = garment == index
        places = (panel[here], u[here], v[here], cm[here])
        total[here] = sum((_seam(*places, rng) for _ in range(int(rng.integers(1, 6)))), torch.zeros(1))
    return total


def _seam(panel: Tensor, u: Tensor, v: Tensor, cm: Tensor, rng: np.random.Generator) -> Tensor:
    """One of them, at N places of a garment; ``cm`` is how wide a pixel is there."""
    ends = torch.tensor([0.05, 0.95])
    centre = [float(rng.uniform(*torch.quantile(axis[::17], ends).tolist())) for axis in (u, v)]
    kind = rng.random()
    if kind < 0.35:  # along the warp, as plackets and side seams are
        away = u - centre[0]
    elif kind < 0.6:
        away = v - centre[1]
    else:  # a pocket or a flap
        reach = rng.uniform(2, 9, 2)
        away = torch.maximum((u - centre[0]).abs() - float(reach[0]), (v - centre[1]).abs() - float(reach[1]))
    width = float(rng.uniform(0.15, 0.7))
    seen = torch.sqrt(width**2 + (0.7 * cm) ** 2)  # never thinner than the picture can show
    dark = float(rng.uniform(0.15, 0.8)) * torch.exp(-((away / seen) ** 2))
    bright = float(rng.uniform(0, 0.4)) * torch.exp(-(((away - 1.6 * seen) / seen) ** 2))
    parity = int(rng.integers(3))
    there = (panel % 2 == parity) | (parity == 2)
    return (bright - dark) * (width / seen).clamp(max=1.0) * there


def cast_shadow(shape: Sequence[int], rng: np.random.Generator) -> Tensor:
    """Log light (h, w) of a shadow that something beside the picture casts; often none."""
    if rng.random() < 0.6:
        return torch.zeros(tuple(shape))
    wave = field(shape, rng, float(rng.uniform(0.7, 6)), stretch=float(rng.uniform(1, 4)))
    edge = float(math.exp(rng.uniform(math.log(1.5), math.log(40))))
    deep = float(rng.uniform(0.2, 1.2))
    return -deep * torch.sigmoid((wave - float(rng.uniform(-0.3, 0.9))) * edge)


# --- light and camera ---------------------------------------------------------------------------------------------


def _tint(light: Tensor, cloth: Tensor, rng: np.random.Generator) -> Tensor:
    """Colour of the light (3, h, w): lamps are warmer than the sky that fills the shadows."""
    warm = float(rng.normal(0, 0.12))
    cool = warm - float(abs(rng.normal(0, 0.12)))
    middle = light[cloth].mean() if bool(cloth.any()) else light.mean()
    share = torch.sigmoid((light - middle) * 3)
    degree = cool + (warm - cool) * share
    green = float(rng.normal(0, 0.03))
    return torch.stack((degree, torch.full_like(degree, green), -degree)).exp()


def _gloss(garment: Tensor, normal: Tensor, lamp: Tensor, light: Tensor, rng: np.random.Generator) -> Tensor:
    """Highlights of satin and leather (Blinn 1977), linear (h, w); most cloth has next to none."""
    result = torch.zeros(garment.shape)
    half = unit(lamp + torch.tensor([0.0, 0.0, 1.0]))
    facing = (normal * half[:, None, None]).sum(dim=0).clamp(min=0)
    for index in torch.unique(garment[garment > 0]).tolist():
        if rng.random() < 0.25:
            power, strength = math.exp(rng.uniform(math.log(6), math.log(80))), rng.uniform(0.01, 0.12)
            result = torch.where(garment == index, facing**power * float(strength), result)
    return result * light.clamp(max=1).exp()


def _ground(linear: Tensor, person: Tensor, bank: Bank, rng: np.random.Generator) -> Tensor:
    """The rendered person before another backdrop, half of the time."""
    if rng.random() < 0.4:
        return linear
    shape = person.shape
    colours = torch.tensor([dye(rng) for _ in range(3)])[:, :, None, None]
    blend = [
        torch.sigmoid(field(shape, rng, float(math.exp(rng.uniform(0, 3)))) * float(rng.uniform(0.5, 6)))
        for _ in range(2)
    ]
    ground = torch.lerp(torch.lerp(colours[0], colours[1], blend[0]), colours[2], blend[1])
    if rng.random() < 0.4:
        tile, _ = _tile(bank, rng)
        rows, columns = torch.meshgrid(torch.arange(shape[0]), torch.arange(shape[1]), indexing="ij")
        repeat = math.exp(rng.uniform(math.log(20), math.log(400)))
        wall = sampled(tile, columns.reshape(-1) / repeat, rows.reshape(-1) / repeat, 1 / repeat)
        ground = torch.lerp(ground, wall.reshape(3, *shape), float(rng.uniform(0.3, 1)))
    return torch.where(person, linear, ground * float(math.exp(rng.uniform(-1, 0.5))))


def camera(linear: Tensor, rng: np.random.Generator) -> Tensor:
    """Linear light (3, H, W) as a camera would deliver it: sRGB 0..1 with its exposure, tone, blur, noise and JPEG."""
    return spoil(develop(linear, rng), rng)


def develop(linear: Tensor, rng: np.random.Generator) -> Tensor:
    """Exposure, colour cast and tone: linear light (3, H, W) to sRGB 0..1."""
    bright = torch.quantile(linear.amax(dim=0).reshape(-1)[::7], 0.97).clamp(min=0.02)
    linear = linear * (float(math.exp(rng.uniform(math.log(0.4), math.log(1.25)))) / bright)
    cast = torch.from_numpy(rng.normal(0, 0.05, (3, 1, 1)).astype(np.float32)).exp()
    linear = linear * cast + float(rng.uniform(0, 0.01)) * (rng.random() < 0.5)
    if rng.random() < 0.5:  # a film-like shoulder
        knee = float(rng.uniform(0.5, 0.9))
        over = (linear - knee).clamp(min=0)
        linear = linear.clamp(max=knee) + (1 - knee) * (1 - torch.exp(-over / (1 - knee)))
    rgb = encode(linear.clamp(0, 1))
    if rng.random() < 0.4:
        rgb = rgb ** float(math.exp(rng.uniform(-0.15, 0.2)))
    return rgb


def spoil(rgb: Tensor, rng: np.random.Generator) -> Tensor:
    """Blur, noise and JPEG."""
    if rng.random() < 0.4:
        rgb = _blur(rgb, float(rng.uniform(0.3, 1.0)))
    noise = torch.from_numpy(rng.standard_normal(rgb.shape, dtype=np.float32)) * float(rng.uniform(0, 0.025))
    if rng.random() < 0.5:
        noise = _blur(noise, 0.6)
    rgb = (rgb + noise).clamp(0, 1)
    return _jpeg(rgb, int(rng.integers(35, 96))) if rng.random() < 0.6 else rgb


def _blur(planes: Tensor, sigma: float) -> Tensor:
    reach = max(1, math.ceil(2.5 * sigma))
    kernel = torch.exp(-0.5 * (torch.arange(-reach, reach + 1) / sigma) ** 2)
    kernel = kernel / kernel.sum()
    padded = F.pad(planes[:, None], (reach, reach, reach, reach), mode="replicate")
    return F.conv2d(F.conv2d(padded, kernel.view(1, 1, 1, -1)), kernel.view(1, 1, -1, 1))[:, 0]


def _jpeg(rgb: Tensor, quality: int) -> Tensor:
    pixels = (rgb * 255).round().to(torch.uint8).permute(1, 2, 0).numpy()
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=quality)
    return torch.from_numpy(np.array(Image.open(file))).permute(2, 0, 1).float() / 255


# --- what a segmentation would have found -------------------------------------------------------------------------


def found_mask(cover: Tensor, rng: np.random.Generator) -> Tensor:
    """The cover (1, H, W) with the errors of a mask: a border too far out or in, or soft."""
    if rng.random() < 0.2:
        return cover
    soft = _blur(cover, float(math.exp(rng.uniform(math.log(0.5), math.log(2.5)))))
    off = (field(cover.shape[1:], rng, 8.0) * 0.15 + float(rng.uniform(-0.2, 0.2))).clamp(-0.35, 0.35)
    return ((soft - 0.5 + off) * float(math.exp(rng.uniform(0.5, 2.5))) + 0.5).clamp(0, 1)


def found_labels(garment: Tensor, rng: np.random.Generator) -> Tensor:
    """The garments (H, W) with their borders a pixel or two off; sometimes nobody tells them apart."""
    if rng.random() < 0.2:
        return torch.zeros_like(garment)
    if rng.random() < 0.4:
        return garment
    down, across = (int(shift) for shift in rng.integers(-2, 3, 2))
    return torch.where(garment > 0, garment.roll((down, across), (0, 1)), garment)
