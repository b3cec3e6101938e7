"""How well the surface of cloth is read: on rendered people, whose maps are exact, and on photos of plain garments,
whose own luminance is the light.  Beside the network stands the method by hand that came before it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from ..colour import luminance, to_linear
from ..errors import BadInput
from ..pipelines.surface import Surface

if TYPE_CHECKING:
    from ..training.data.rendered_people import Rendered

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]
Bits = NDArray[np.bool_]
Reader = Callable[[Image.Image, F32, U8 | None], Surface]
"""Photo, soft mask, garment numbers -> surface: the pipeline, or :func:`by_hand`."""

BAND = (0.006, 0.06)
"""Sigmas of the band of :func:`plain_light`, as shares of the garment's size: from small folds to broad ones."""

_BLACK = 0.004
"""Added to luminance before its logarithm."""

_HAND_SIDE = 1024
"""Longest side of the grid of the method by hand."""

_GRAZING = 0.2
"""Cloth that turns further away than this cosine counts neither for its grain nor for its scale."""


# --- rendered people ----------------------------------------------------------------------------------------------


def rendered_figures(read: Reader, root: Path | str) -> dict[str, float]:
    """On every held-out picture in each of its fabrics; means over pictures.

    ``shading``: rms of log light with each garment's mean removed; ``between``: the same with the mean of all cloth
    removed; ``normal``: mean angle in degrees; ``warp``, ``weft``: median angle, ``warp_mean`` its mean, in which limbs
    have more say; ``cm``: how far the median of centimetres a pixel is off, as a factor less 1; ``cm_within_15``: share
    of pictures where that is below 15 %.
    """
    from ..training.data.rendered_people import PICTURES, folders, picture
    from ..training.data.rendered_people import read as read_rendered

    rows = []
    for folder in folders(root, validation=True):
        truth = read_rendered(folder)
        for which in range(PICTURES):
            rows.append(_compared(read, truth, picture(folder, which)))
    names = rows[0].keys()
    figures = {name: float(np.mean([row[name] for row in rows])) for name in names}
    return {"pictures": len(rows), **figures, "cm_within_15": float(np.mean([row["cm"] < 0.15 for row in rows]))}


def _compared(read: Reader, truth: Rendered, rgb: U8) -> dict[str, float]:
    from ..training.data.rendered_people import lie

    cloth = truth.cloth.numpy()
    garment = np.where(cloth, truth.garment.numpy(), 0).astype(np.uint8)
    found = on_photo(read(Image.fromarray(rgb), cloth.astype(np.float32), garment), (rgb.shape[1], rgb.shape[0]))
    inner = ndimage.binary_erosion(cloth, iterations=1) & _agreed(garment)
    off = (found.shading - truth.light.float().numpy())[inner]
    normal = truth.normal.float().numpy()
    normal /= np.maximum(np.linalg.norm(normal, axis=0), 1e-6)
    turned = np.degrees(np.arccos(np.clip((normal * found.normal).sum(axis=0), -1, 1)))
    true = lie(truth.grain)
    warp, weft, cm = directions(found.jacobian)
    facing = inner & (normal[2] > _GRAZING)
    angles = [_angle(mine, theirs.numpy())[facing] for mine, theirs in ((warp, true.warp), (weft, true.weft))]
    ratio = np.log(cm).mean(axis=0)[facing] - true.log_cm.mean(dim=0).numpy()[facing]
    return {
        "shading": _rms(_less_means(off, garment[inner])),
        "between": _rms(off - off.mean()),
        "normal": float(turned[inner].mean()),
        "warp": float(np.median(angles[0])),
        "warp_mean": float(angles[0].mean()),
        "weft": float(np.median(angles[1])),
        "cm": float(np.exp(abs(np.median(ratio))) - 1),
    }


def directions(jacobian: F32) -> tuple[F32, F32, F32]:
    """Of (2, 2, h, w) derivatives: the warp's and the weft's unit vectors in the picture (2, h, w), x right, y down,
    and centimetres a pixel along each (2, h, w)."""
    (a, b), (c, d) = jacobian
    determinant = a * d - b * c
    determinant = np.where(np.abs(determinant) < 1e-9, 1e-9, determinant)
    warp, weft = np.stack((-b, a)) / determinant, np.stack((d, -c)) / determinant  # pixels for a centimetre
    lengths = np.stack([np.maximum(np.hypot(*step), 1e-9) for step in (warp, weft)])
    found = (warp / lengths[0], weft / lengths[1], 1 / lengths)
    return tuple(np.asarray(plane, np.float32) for plane in found)  # type: ignore[return-value]


def on_photo(surface: Surface, size: tuple[int, int]) -> Surface:
    """The maps on the photo's own pixels, (width, height); beyond the box as on its border."""
    left, top, right, bottom = surface.box
    width, height = right - left, bottom - top
    pad = ((top, size[1] - bottom), (left, size[0] - right))

    def spread(plane: F32) -> F32:
        image = Image.fromarray(np.ascontiguousarray(plane, np.float32))
        larger = np.asarray(image.resize((width, height), Image.Resampling.BILINEAR))
        return np.pad(larger, pad, mode="edge")

    normal = np.stack([spread(plane) for plane in surface.normal])
    jacobian = np.stack([np.stack([spread(plane) for plane in row]) for row in surface.jacobian])
    length = np.maximum(np.linalg.norm(normal, axis=0), 1e-6)
    return Surface((0, 0, *size), spread(surface.shading), normal / length, jacobian)


def _agreed(garment: U8) -> Bits:
    """Pixels whose neighbours belong to the same garment."""
    return np.asarray(ndimage.minimum_filter(garment, 3) == ndimage.maximum_filter(garment, 3))


def _angle(first: F32, second: F32) -> F32:
    return np.asarray(np.degrees(np.arccos(np.clip((first * second).sum(axis=0), -1, 1))), np.float32)


def _less_means(values: F32, groups: U8) -> F32:
    result = values.copy()
    for group in np.unique(groups):
        result[groups == group] -= values[groups == group].mean()
    return result


def _rms(values: F32) -> float:
    return float(np.sqrt(np.square(values).mean())) if values.size else 0.0


# --- plain garments -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class PlainCase:
    """A photo (RGB), the soft mask of one plain garment in it (H, W), and a name to find it by."""

    name: str
    photo: Image.Image
    mask: F32


def plain_garments(photos: Path, mattes: Path) -> list[PlainCase]:
    """The held-out single garments that are plain.  Raises :class:`BadInput` where there is none."""
    from ..training.data.cloth import GARMENT_FOLDERS, held_out
    from ..training.data.plain_garments import is_plain

    cases = []
    for folder in GARMENT_FOLDERS:
        for path in sorted((photos / folder).glob("*.jpg")):
            matte = mattes / folder / f"{path.stem}.png"
            if not held_out(path.stem) or not matte.exists():
                continue
            photo, mask = Image.open(path).convert("RGB"), np.asarray(Image.open(matte).convert("L")) > 127
            if mask.shape == photo.size[::-1] and is_plain(np.asarray(photo), mask):
                cases.append(PlainCase(f"{folder}/{path.stem}", photo, mask.astype(np.float32)))
    if not cases:
        raise BadInput(f"{photos} holds no plain garment with a matte in {mattes} that is held out.")
    return cases


def plain_figures(read: Reader, cases: Sequence[PlainCase]) -> dict[str, float]:
    """``correlation`` and ``strength`` of the light against the photos' own (:func:`plain_light`), means;
    ``worst_tenth`` is the mean correlation of the worst tenth of the garments."""
    found = []
    for case in cases:
        surface = on_photo(read(case.photo, case.mask, None), case.photo.size)
        found.append(plain_light(log_luminance(np.asarray(case.photo)), surface.shading, case.mask > 0.5))
    correlations = sorted(correlation for correlation, _ in found)
    return {
        "garments": len(found),
        "correlation": float(np.mean(correlations)),
        "worst_tenth": float(np.mean(correlations[: max(1, round(len(found) / 10))])),
        "strength": float(np.mean([strength for _, strength in found])),
    }


def plain_light(before: F32, after: F32, garment: Bits) -> tuple[float, float]:
    """Correlation of two log luminances (H, W), the photo's and that of a look or of a light, over one garment, both
    passed through :data:`BAND`; and the strength of the second, its deviation over the first's."""
    inner = ndimage.binary_erosion(garment, iterations=2)
    if inner.sum() < 50:
        inner = garment
    one, other = (_band(plane, garment)[inner] for plane in (before, after))
    if one.std() < 1e-6 or other.std() < 1e-6:
        return 0.0, float(other.std() / max(float(one.std()), 1e-6))
    return float(np.corrcoef(one, other)[0, 1]), float(other.std() / one.std())


def _band(plane: F32, garment: Bits) -> F32:
    """What lies between the two sigmas, measured inside the garment alone."""
    size = np.sqrt(garment.sum())
    weight = garment.astype(np.float32)

    def smooth(share: float) -> F32:
        sigma = max(0.5, share * float(size))
        total = ndimage.gaussian_filter(weight, sigma)
        return np.asarray(ndimage.gaussian_filter(plane * weight, sigma) / np.maximum(total, 1e-4), np.float32)

    return smooth(BAND[0]) - smooth(BAND[1])


def log_luminance(rgb: U8) -> F32:
    """sRGB bytes (H, W, 3) -> log of linear luminance (H, W)."""
    return np.asarray(np.log(luminance(to_linear(rgb)) + np.float32(_BLACK)), np.float32)


# --- the method by hand -------------------------------------------------------------------------------------------


def by_hand(photo: Image.Image, mask: F32, labels: U8 | None) -> Surface:
    """What the rules say: Retinex with hand-set constants, limbs as cylinders, the photo's vertical for warp."""
    from ..pipelines.overlay.estimate import estimate, sides
    from ..pipelines.overlay.maps import resize
    from .retinex import shading, solver_size

    box = (0, 0, *photo.size)
    factor = min(1.0, _HAND_SIDE / max(photo.size))
    width, height = max(1, round(photo.width * factor)), max(1, round(photo.height * factor))
    linear = to_linear(np.asarray(photo.convert("RGB").resize((width, height), Image.Resampling.BOX)))
    cover = resize(mask, width, height, Image.Resampling.BOX)
    classes = labels
    if labels is not None:
        classes = np.asarray(Image.fromarray(labels).resize((width, height), Image.Resampling.NEAREST))
    rows, columns = solver_size(height, width)
    log = shading(linear, cover, classes, sides(resize(cover, columns, rows, Image.Resampling.BOX)))
    known = estimate(mask, labels, box)
    normal, steps = (
        np.stack([resize(plane, width, height, Image.Resampling.BILINEAR) for plane in maps])
        for maps in (known.normal, known.jacobian.reshape(4, *known.shading.shape))
    )
    return Surface(box, log, normal, steps.reshape(2, 2, height, width))


def as_worn(read: Reader) -> Reader:
    """``read`` with its scale as an overlay has it, which hears people's proportions too."""
    from ..pipelines.overlay.fitting import heard
    from ..pipelines.overlay.measure import px_per_cm

    def worn(photo: Image.Image, mask: F32, labels: U8 | None) -> Surface:
        found = read(photo, mask, labels)
        cm = directions(on_photo(found, photo.size).jacobian)[2].mean(axis=0)
        told = 1.0 / float(np.median(cm[mask > 0.5]))
        return replace(found, jacobian=found.jacobian * np.float32(told / heard(told, px_per_cm(mask, labels))))

    return worn


def side_by_side(readers: dict[str, Reader], measure: Callable[[Reader], dict[str, float]]) -> dict[str, float]:
    """The figures of each reader, its name in front."""
    return {f"{name}_{key}": value for name, read in readers.items() for key, value in measure(read).items()}
