"""Photo -> soft cloth mask and garments, one by one, at the photo's own size; and what a tap on the photo means.

The network looks twice: at the whole photo, small, to see where people are, then at them alone, larger.  Edges then
come from the photo itself (:mod:`.refine`), not from the network's coarse map.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage
from torch.nn import functional as F

from ..errors import BadInput, BadPackage
from ..networks.unet import MIDDLE_UNIT, Seen, TapDecoder, UNet
from ..packaging import Package
from ..requests import GARMENT_CLASSES, MAX_TAPS, garment_name
from .base import Progress, ShouldStop, check, tell
from .hints import Tap, disks
from .pieces import FIRST_CLOTH, LAST_CLOTH, LEAST_SKIN, SKIN, Pieces, tell_apart
from .refine import GUIDE_SIDE, refine, refine_together

F32 = NDArray[np.float32]
Box = tuple[int, int, int, int]
"""Left, top, right, bottom in pixels of the photo."""

OTHER = GARMENT_CLASSES.index("other")

GLANCE_PIXELS = 288 * 192
"""Pixels of the first look, at the whole photo."""

WORKING_PIXELS = 384 * 224
"""Pixels of the second look, at the people."""

LOOKS = (320 * 192, WORKING_PIXELS)
"""Pixels of the pictures whose mean answer the second look is: the smaller knows better which garment, the larger where
it ends."""

MARGIN = 0.08
"""Room around the people in the second look, as a part of their height."""

SLIMMEST = 2.2
"""Height over width of the second look, at most; the network has learnt from such pictures."""

LEAST_LOOK = 1 / 4
"""The second look takes in at least this part of the photo's sides: who is smaller is not looked at more closely."""

LEAST_SPOT = 0.004
"""Cloth that stands alone and is a smaller part of all cloth is none."""

OBEDIENCE_STEPS, OBEDIENCE_RATE, OBEDIENCE_PRICE = 10, 0.05, 0.02
"""How the answer to taps is brought to obey them: steps, rate, and the price of leaving what the decoder said."""

BORDER_SIDE = 512
"""Longest side, in pixels, of the photo by which garments that meet are parted."""

TILE = 256
"""Side in pixels of the pieces in which classes are enlarged."""

PRESENT = 0.01
"""A garment counts as worn when it covers this share of the cloth."""


@dataclass(frozen=True)
class Garment:
    """One garment of a photo: ``value`` is its pixel value in the labels, ``name`` what it is called ("top-2"),
    ``kind`` its class, ``person`` who wears it (0 is the leftmost), ``order`` 0 for the one in front of all others,
    ``box`` where it is, ``share`` how much of the photo it covers."""

    value: int
    name: str
    kind: str
    person: int
    order: int
    box: Box
    share: float


@dataclass(frozen=True)
class Segmentation:
    """``mask``: float32 (H, W) in 0..1, how much each pixel is cloth.  ``labels``: uint8 (H, W), the value of the
    garment there (:func:`ml_backend.requests.garment_name`), whose remainder by 8 is the index into
    :data:`GARMENT_CLASSES`; wherever the mask is above zero the label is a garment.  ``pieces``: the garments, the one
    in front first."""

    mask: F32
    labels: NDArray[np.uint8]
    pieces: tuple[Garment, ...] = ()

    @property
    def garments(self) -> tuple[str, ...]:
        """The names of the garments that are worn, largest first."""
        counts = np.bincount(self.labels[self.mask > 0.5], minlength=1)
        order = np.argsort(-counts, kind="stable")
        return tuple(garment_name(int(i)) for i in order if counts[i] > PRESENT * max(counts.sum(), 1))

    def mask_of(self, garment: Garment | str) -> F32:
        """The soft mask (H, W) of one garment, by its name or itself."""
        from ..requests import parse_garment

        value = parse_garment(garment) if isinstance(garment, str) else garment.value
        return np.where(self.labels == value, self.mask, np.float32(0))


@dataclass(frozen=True)
class Looked:
    """What the network says of a photo: class probabilities ``coarse`` (8, h, w) and for each pixel where its person's
    middle is, ``middles`` (2, h, w), right and down in pixels of the map; None where the network does not know."""

    coarse: F32
    middles: F32 | None = None


@dataclass(frozen=True)
class Encoded:
    """A photo as the network saw it, to be tapped as often as one likes.  ``box`` is the part that was looked at,
    ``size`` (height, width) its size for the network, ``seen`` what the network keeps of it."""

    photo: Image.Image
    box: Box
    size: tuple[int, int]
    seen: Seen


class SegmentPipeline:
    """``SegmentPipeline(package)(photo) -> Segmentation``.

    The package is a ``unet`` over our classes, or a network with one class (cloth or not), whose cloth is labelled
    ``other``.
    """

    def __init__(self, package: Package, device: str = "cpu") -> None:
        if package.manifest.capability != "segment":
            raise BadPackage(f"{package.manifest.name} does not segment; it is for {package.manifest.capability}.")
        self.model = package.manifest.reference
        self.device = torch.device(device)
        self.network = package.network().to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.multiple = int(self.network.config.multiple)

    def __call__(
        self, photo: Image.Image, *, progress: Progress | None = None, should_stop: ShouldStop | None = None
    ) -> Segmentation:
        """Any RGB photo with sides of at least 16 px.  Raises :class:`BadInput` for smaller ones."""
        _check_size(photo)
        photo = photo.convert("RGB")
        tell(progress, 0.0, "Finding the clothes")
        check(should_stop)
        looked = self.look(photo, should_stop=should_stop)
        tell(progress, 0.6, "Following the edges")
        return at_full_size(photo, looked.coarse, looked.middles)

    def probabilities(self, photo: Image.Image) -> F32:
        """Class probabilities (8, h, w) of the whole photo, as fine as the second look has them."""
        return self.look(photo).coarse

    def look(self, photo: Image.Image, *, should_stop: ShouldStop | None = None) -> Looked:
        """Both looks, put together; the second is the mean over two sizes and their mirror images."""
        glance = self._glance(photo)
        box = where_people_are(glance, photo.size)
        nearer = None
        for pixels in _looks(box):
            check(should_stop)
            nearer = _mean_of(nearer, self._see(photo, box, pixels))
        assert nearer is not None
        if box == (0, 0, *photo.size):
            return nearer
        return _joined(glance, nearer, box, photo.size)

    def encode(self, photo: Image.Image, *, whole: bool = False) -> Encoded:
        """Look at the people of a photo, or at the ``whole`` of it, for :meth:`tap`.

        Raises :class:`BadInput` for a photo with a side under 16 px and for a network that knows no taps.
        """
        _check_size(photo)
        self._check_taps()
        photo = photo.convert("RGB")
        box = (0, 0, *photo.size) if whole else where_people_are(self._glance(photo), photo.size)
        with torch.inference_mode():
            rgb, size = self._picture(photo, box, WORKING_PIXELS)
            return Encoded(photo, box, size, self._unet().look(rgb))

    def tap(self, photo: Image.Image | Encoded, taps: Sequence[Tap], previous: F32 | None = None) -> F32:
        """The garment that the taps mean: float32 (H, W) in 0..1 at the photo's size.

        ``taps`` are all of them so far, in pixels of the photo, at least one of them on the garment unless there is a
        ``previous`` mask (H, W) in 0..1 to be mended.  A photo is encoded first; who taps again keeps the
        :class:`Encoded`.  Raises :class:`BadInput` for taps outside the photo, for none, and for too many.
        """
        encoded = photo if isinstance(photo, Encoded) else self.encode(photo)
        self._check_taps()
        _check_taps(taps, encoded.photo.size, previous)
        if not all(_holds(encoded.box, tap) for tap in taps):
            encoded = self.encode(encoded.photo, whole=True)
        coarse = self._answer(encoded, taps, previous)
        return _tapped_at_full_size(encoded, coarse)

    @torch.inference_mode()
    def _answer(self, encoded: Encoded, taps: Sequence[Tap], previous: F32 | None) -> F32:
        """What the network makes of the taps, (h, w) in 0..1 at the size it saw ``encoded.box`` in."""
        (left, top, right, bottom), (height, width) = encoded.box, encoded.size
        half = tuple(encoded.seen.logits.shape[2:])
        across, along = width / (right - left) / 2, height / (bottom - top) / 2
        near = [Tap((tap.x + 0.5 - left) * across, (tap.y + 0.5 - top) * along, tap.on) for tap in taps]
        hints = np.zeros((1, 3, *half), np.float32)
        hints[0, :2] = disks(near, half)  # type: ignore[arg-type]
        rows, columns = -(-height // 2), -(-width // 2)
        if previous is not None:
            before = Image.fromarray(np.ascontiguousarray(previous[top:bottom, left:right], np.float32))
            hints[0, 2, :rows, :columns] = np.asarray(before.resize((columns, rows), Image.Resampling.BOX))
        else:
            hints[0, 2, :rows, :columns] = _class_at(encoded.seen, near)[:rows, :columns]
        logits = None
        for _ in range(1 if previous is not None or len(taps) == 1 else 2):
            if logits is not None:  # several taps at once: what the first answer misses is seen in the second
                hints[0, 2] = logits.sigmoid()[0, 0].cpu().numpy()
            said = torch.from_numpy(hints).to(self.device)
            logits = _obeying(self._unet().taps, self._unet().taps.maps(encoded.seen, said), said)
        assert logits is not None
        wide = F.interpolate(logits.float(), scale_factor=2.0, mode="bilinear", align_corners=False)
        result: F32 = wide.sigmoid()[0, 0, :height, :width].cpu().numpy()
        return result

    def _glance(self, photo: Image.Image) -> F32:
        return self._see(photo, (0, 0, *photo.size), GLANCE_PIXELS, mirror=False).coarse

    @torch.inference_mode()
    def _see(self, photo: Image.Image, box: Box, pixels: int, *, mirror: bool = True) -> Looked:
        """Probabilities and middles within ``box``, from a picture of about so many pixels."""
        rgb, (height, width) = self._picture(photo, box, pixels)
        if mirror:
            rgb = torch.cat((rgb, rgb.flip(3)))
        if not isinstance(self.network, UNet):
            logits, ways = self.network(rgb), None
        else:
            seen = self.network.look(rgb.contiguous(memory_format=torch.channels_last))
            logits = F.interpolate(seen.logits, scale_factor=2.0, mode="bilinear", align_corners=False)
            ways = seen.middle
        probabilities = logits.softmax(1) if logits.shape[1] > 1 else _one_class(logits)
        mean = probabilities[0] if not mirror else (probabilities[0] + probabilities[1].flip(2)) / 2
        coarse: F32 = mean[:, :height, :width].float().cpu().numpy()
        if ways is None:
            return Looked(coarse)
        way = ways[0]
        if mirror:
            back = ways[1].flip(2) * torch.tensor([-1.0, 1.0], device=ways.device)[:, None, None]
            way = (way + back) / 2
        wide = F.interpolate(way[None].float(), scale_factor=2.0, mode="nearest")[0, :, :height, :width]
        middles = wide.cpu().numpy() * np.float32(MIDDLE_UNIT)
        middles[0] += np.arange(width, dtype=np.float32) + 0.5
        middles[1] += (np.arange(height, dtype=np.float32) + 0.5)[:, None]
        return Looked(coarse, middles)

    def _picture(self, photo: Image.Image, box: Box, pixels: int) -> tuple[torch.Tensor, tuple[int, int]]:
        """The box as the network takes it, (1, 3, H, W) padded to its multiple, and (height, width) without padding."""
        wide = (box[2] - box[0], box[3] - box[1])
        height, width = _working_size(wide, self.multiple, pixels)
        small = np.asarray(photo.resize((width, height), Image.Resampling.BOX, box=box, reducing_gap=2.0))
        rgb = torch.from_numpy(small.copy()).to(self.device).permute(2, 0, 1)[None].float() / 255
        padded = F.pad(rgb, (0, -width % self.multiple, 0, -height % self.multiple), value=0.5)
        return padded.contiguous(memory_format=torch.channels_last), (height, width)

    @property
    def knows_taps(self) -> bool:
        return isinstance(self.network, UNet) and self.network.config.tap_width > 0

    def _check_taps(self) -> None:
        if not self.knows_taps:
            raise BadInput(f"{self.model} does not know taps; choose a model that does, such as the starter.")

    def _unet(self) -> UNet:
        assert isinstance(self.network, UNet)
        return self.network


def _mean_of(larger: Looked | None, smaller: Looked) -> Looked:
    """The mean of two looks at the same box, as large as the first; middles are the first's."""
    if larger is None:
        return smaller
    size = larger.coarse.shape[:0:-1]
    enlarged = np.stack([_enlarge(plane, size) for plane in smaller.coarse])
    return Looked(np.asarray((larger.coarse + enlarged) / 2, np.float32), larger.middles)


def _looks(box: Box) -> list[int]:
    """Pixels of the pictures to see ``box`` in, the largest first: a small photo is hardly enlarged."""
    shown = max(GLANCE_PIXELS, (box[2] - box[0]) * (box[3] - box[1]))
    return sorted({min(pixels, shown) for pixels in LOOKS}, reverse=True)


def _class_at(seen: Seen, taps: Sequence[Tap]) -> F32:
    """The probability (h, w) of the cloth class that was seen at the first tap on the garment; 0 where there is none.

    Who taps cloth begins with what was found there, and the decoder has learnt to mend that.
    """
    probabilities = seen.logits[0].float().softmax(dim=0).cpu().numpy()
    tap = next(tap for tap in taps if tap.on)
    here = probabilities[FIRST_CLOTH : LAST_CLOTH + 1, int(tap.y), int(tap.x)]
    if here.sum() < 0.4:
        return np.zeros(probabilities.shape[1:], np.float32)
    plane: F32 = probabilities[FIRST_CLOTH + int(here.argmax())]
    return plane


def _obeying(decoder: TapDecoder, maps: torch.Tensor, hints: torch.Tensor) -> torch.Tensor:
    """Logits (1, 1, h, w) of the decoder's last ``maps``, scaled and shifted a little so that they obey the taps.

    After Sofiiuk et al., "f-BRS: Rethinking backpropagating refinement for interactive segmentation", CVPR 2020.
    """
    on, off = hints[0, 0] > 0, hints[0, 1] > 0
    with torch.inference_mode(False), torch.enable_grad():
        known = maps.detach()[:, :, on | off].clone().float()
        wanted = on[on | off].clone().float()
        weight, bias = decoder.head.weight.detach().clone(), decoder.head.bias.detach().clone()  # type: ignore[union-attr]
        scale = torch.ones(1, known.shape[1], 1, device=known.device, requires_grad=True)
        shift = torch.zeros(1, known.shape[1], 1, device=known.device, requires_grad=True)
        optimiser = torch.optim.Adam([scale, shift], lr=OBEDIENCE_RATE)
        for _ in range(OBEDIENCE_STEPS):
            found = ((known * scale + shift) * weight[0, :, 0]).sum(dim=1)[0] + bias
            away = (scale - 1).square().sum() + shift.square().sum()
            loss = F.binary_cross_entropy_with_logits(found, wanted) + OBEDIENCE_PRICE * away
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
    return F.conv2d(maps * scale.detach()[..., None] + shift.detach()[..., None], weight, bias)


def where_people_are(coarse: F32, size: tuple[int, int]) -> Box:
    """The box of a photo of ``size`` (width, height) to look at more closely: cloth and skin, and a little more.

    The whole photo where nothing is found, where hardly anything would be left out, and where nobody is: a garment that
    lies there fills its photo, and the first look may have found no more than its print.
    """
    rows, columns = coarse.shape[1:]
    shown = 1 - coarse[0] > 0.5
    whole = (0, 0, *size)
    if not shown.any() or (coarse[SKIN] > 0.5).sum() < LEAST_SKIN * shown.sum():
        return whole
    ends = []
    for axis, count in ((0, columns), (1, rows)):
        along = np.cumsum(shown.sum(axis=axis))
        ends.append([int(np.searchsorted(along, along[-1] * part, "left")) / count for part in (0.004, 0.996)])
        ends[-1][1] += 1 / count
    (left, right), (top, bottom) = ([each * side for each in pair] for pair, side in zip(ends, size, strict=True))
    room = MARGIN * max(bottom - top, (right - left) / 2)
    left, top, right, bottom = left - room, top - room, right + room, bottom + room
    left, right = _widened(left, right, max((bottom - top) / SLIMMEST, LEAST_LOOK * size[0]), size[0])
    top, bottom = _widened(top, bottom, max((right - left) / SLIMMEST, LEAST_LOOK * size[1]), size[1])
    box = (max(0, round(left)), max(0, round(top)), min(size[0], round(right)), min(size[1], round(bottom)))
    if (box[2] - box[0]) * (box[3] - box[1]) > 0.85 * size[0] * size[1] or min(box[2] - box[0], box[3] - box[1]) < 16:
        return whole
    return box


def _widened(low: float, high: float, least: float, side: int) -> tuple[float, float]:
    """The span, at least so long, within 0..side if it can be."""
    if high - low < least:
        middle = (low + high) / 2
        low, high = middle - least / 2, middle + least / 2
    shift = max(0.0, -low) - max(0.0, high - side)
    return low + shift, high + shift


def _joined(glance: F32, nearer: Looked, box: Box, size: tuple[int, int]) -> Looked:
    """The first look's map enlarged to the second's scale, with the second's in its place."""
    _, height, width = nearer.coarse.shape
    scales = (width / (box[2] - box[0]), height / (box[3] - box[1]))
    columns, rows = (
        max(side, round(each * scale)) for each, scale, side in zip(size, scales, (width, height), strict=True)
    )
    left, top = min(round(box[0] * scales[0]), columns - width), min(round(box[1] * scales[1]), rows - height)
    coarse = np.stack([_enlarge(plane, (columns, rows)) for plane in glance])
    window = np.s_[:, top : top + height, left : left + width]
    coarse[window] = nearer.coarse
    if nearer.middles is None:
        return Looked(coarse)
    middles = np.empty((2, rows, columns), np.float32)
    middles[0], middles[1] = np.arange(columns), np.arange(rows)[:, None]
    middles[window] = nearer.middles + np.array([left, top], np.float32)[:, None, None]
    return Looked(coarse, middles)


def _one_class(logits: torch.Tensor) -> torch.Tensor:
    """(N, 1, H, W) logits of cloth -> (N, 8, H, W): cloth as ``other``, the rest as background."""
    cloth = logits.sigmoid()
    result = torch.zeros(len(logits), len(GARMENT_CLASSES), *logits.shape[2:], device=logits.device)
    result[:, :1] = 1 - cloth
    result[:, OTHER : OTHER + 1] = cloth
    return result


def _check_size(photo: Image.Image) -> None:
    if min(photo.size) < 16:
        raise BadInput(f"The photo is {photo.width}x{photo.height} pixels; it needs at least 16 on each side.")


def _check_taps(taps: Sequence[Tap], size: tuple[int, int], previous: F32 | None) -> None:
    if not 1 <= len(taps) <= MAX_TAPS:
        raise BadInput(f"A mask is made of 1 to {MAX_TAPS} taps, not {len(taps)}.")
    if previous is None and not any(tap.on for tap in taps):
        raise BadInput("At least one tap must be on the garment.")
    if not all(_holds((0, 0, *size), tap) for tap in taps):
        raise BadInput(f"A tap lies outside the photo, which is {size[0]}x{size[1]} pixels.")
    if previous is not None and previous.shape != size[::-1]:
        raise BadInput(f"The mask is {previous.shape[1]}x{previous.shape[0]}, the photo {size[0]}x{size[1]}.")


def _holds(box: Box, tap: Tap) -> bool:
    return box[0] <= tap.x < box[2] and box[1] <= tap.y < box[3]


def _working_size(size: tuple[int, int], multiple: int, pixels: int) -> tuple[int, int]:
    """(height, width) of about so many ``pixels`` in the proportions of ``size``; strips keep one ``multiple``."""
    width, height = size
    scale = math.sqrt(pixels / (width * height))
    longest = pixels // multiple
    return tuple(min(longest, max(multiple, round(side * scale))) for side in (height, width))  # type: ignore[return-value]


def at_full_size(
    photo: Image.Image, coarse: F32, middles: F32 | None = None, *, follow_edges: bool = True
) -> Segmentation:
    """Probabilities (8, h, w) at the working size -> the answer at the photo's; without ``follow_edges`` the cloth is
    only enlarged, which is what refinement is measured against.
    """
    coarse = without_spots(coarse)
    cloth = coarse[FIRST_CLOTH : LAST_CLOTH + 1].sum(axis=0)
    found = tell_apart(coarse, middles)
    if not found.values:
        rest = _Contest(coarse[[0, SKIN]], (0, SKIN))
        return Segmentation(np.zeros(photo.size[::-1], np.float32), _label_map(None, rest, photo.size))
    mask = refine(np.asarray(photo), cloth) if follow_edges else _enlarge(cloth, photo.size).clip(0, 1)
    mask[mask < 1 / 255] = 0
    planes = _at_borders(photo, found.planes) if follow_edges else found.planes
    labels = _label_map(_Contest(planes, found.values), _Contest(coarse[[0, SKIN]], (0, SKIN)), mask)
    return Segmentation(mask, labels, _garments(found, mask, labels))


def _at_borders(photo: Image.Image, planes: F32) -> F32:
    """The garments' planes (K, h, w) brought to the edges that part them, at the size of :data:`BORDER_SIDE`."""
    if len(planes) < 2:
        return planes
    factor = min(1.0, BORDER_SIDE / max(photo.size))
    size = (max(16, round(photo.width * factor)), max(16, round(photo.height * factor)))
    small = np.asarray(photo.resize(size, Image.Resampling.BOX, reducing_gap=2.0))
    shares = planes / np.maximum(planes.sum(axis=0), np.float32(1e-3))
    return refine_together(small, shares.astype(np.float32))


def without_spots(coarse: F32) -> F32:
    """The probabilities (8, h, w) without cloth that stands alone and is next to nothing of all cloth."""
    cloth = coarse[FIRST_CLOTH : LAST_CLOTH + 1].sum(axis=0)
    patches, count = ndimage.label(cloth > 0.5, np.ones((3, 3)))
    sizes = np.bincount(patches.ravel(), minlength=count + 1)
    small = np.flatnonzero(sizes < LEAST_SPOT * sizes[1:].sum())
    small = small[small > 0]
    if not len(small):
        return coarse
    spots = ndimage.binary_dilation(np.isin(patches, small), np.ones((3, 3)), iterations=2)
    spots &= ndimage.binary_dilation(np.isin(patches, small, invert=True) & (patches > 0), iterations=2) == 0
    result = coarse.copy()
    result[FIRST_CLOTH : LAST_CLOTH + 1, spots] = 0
    result[0, spots] = np.maximum(result[0, spots], 1 - result[SKIN, spots])
    return result


def _garments(found: Pieces, mask: F32, labels: NDArray[np.uint8]) -> tuple[Garment, ...]:
    """The garments that are to be seen, front to back.  Boxes are a few pixels coarse in a large photo."""
    step = max(1, max(mask.shape) // 1024)
    shown = np.where(mask[::step, ::step] > 0.5, labels[::step, ::step], 0)
    boxes = ndimage.find_objects(shown, max(found.values))
    counts = np.bincount(shown.ravel(), minlength=max(found.values) + 1)
    made = []
    for value, person, rank in zip(found.values, found.people, found.ranks, strict=True):
        if not counts[value]:
            continue
        rows, columns = boxes[value - 1]
        box = (columns.start * step, rows.start * step, columns.stop * step, rows.stop * step)
        box = (box[0], box[1], min(box[2], mask.shape[1]), min(box[3], mask.shape[0]))
        name = garment_name(value)
        kind = GARMENT_CLASSES[value % len(GARMENT_CLASSES)]
        made.append(Garment(value, name, kind, person, rank, box, float(counts[value] / shown.size)))
    made.sort(key=lambda each: each.order)
    return tuple(replace(each, order=order) for order, each in enumerate(made))


def _tapped_at_full_size(encoded: Encoded, coarse: F32) -> F32:
    """The answer to taps brought to the photo's edges; only what is near the garment is worked on."""
    mask = np.zeros(encoded.photo.size[::-1], np.float32)
    rows, columns = (np.flatnonzero((coarse > 0.1).any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return mask
    left, top, right, bottom = encoded.box
    scales = ((right - left) / coarse.shape[1], (bottom - top) / coarse.shape[0])
    spans = [(max(0, int(each[0]) - 4), int(each[-1]) + 5) for each in (columns, rows)]
    near = coarse[spans[1][0] : spans[1][1], spans[0][0] : spans[0][1]]
    start = (left + round(spans[0][0] * scales[0]), top + round(spans[1][0] * scales[1]))
    stop = (
        min(right, left + round((spans[0][0] + near.shape[1]) * scales[0])),
        min(bottom, top + round((spans[1][0] + near.shape[0]) * scales[1])),
    )
    cut = np.asarray(encoded.photo.crop((*start, *stop)))
    found = refine(cut, near, max(64, round(GUIDE_SIDE * max(cut.shape) / max(mask.shape))))
    found[found < 1 / 255] = 0
    mask[start[1] : stop[1], start[0] : stop[0]] = found
    return mask


def _enlarge(
    plane: NDArray[np.float32], size: tuple[int, int], box: tuple[float, float, float, float] | None = None
) -> NDArray[np.float32]:
    return np.array(Image.fromarray(plane).resize(size, Image.Resampling.BILINEAR, box=box), np.float32)


def _label_map(cloth: _Contest | None, rest: _Contest, mask: F32 | tuple[int, int]) -> NDArray[np.uint8]:
    """Full-size labels: the best garment where there is cloth, the better of background and skin elsewhere.

    ``mask`` is the cloth's, or the (width, height) of a photo that has none.  Tile by tile: where one leads in all of
    the coarse map around, it leads in between as well, and nothing needs to be enlarged to know.
    """
    width, height = mask if isinstance(mask, tuple) else mask.shape[::-1]
    labels = np.empty((height, width), np.uint8)
    for top in range(0, height, TILE):
        for left in range(0, width, TILE):
            place = (left, top, min(left + TILE, width), min(top + TILE, height))
            window, size = np.s_[top : place[3], left : place[2]], (width, height)
            target = labels[window]
            is_cloth = np.zeros(1, np.bool_) if isinstance(mask, tuple) else mask[window] > 0
            if cloth is None or not is_cloth.any():
                target[:] = rest.winner(place, size)
            elif is_cloth.all():
                target[:] = cloth.winner(place, size)
            else:
                target[:] = np.where(is_cloth, cloth.winner(place, size), rest.winner(place, size))
    return labels


class _Contest:
    """Which of some planes (K, h, w) is the highest, anywhere in the photo; the first of those that are equal."""

    def __init__(self, planes: F32, values: Sequence[int]) -> None:
        self.values = np.array(values, np.uint8)
        self.planes = planes
        self.leader = planes.argmax(axis=0)

    def winner(self, place: Box, size: tuple[int, int]) -> NDArray[np.uint8]:
        """uint8 value of every pixel of ``place`` in a photo of ``size`` (width, height), or the one of all.

        Leaders are looked for as far around as interpolation looks: a cell, or more where the photo is the smaller.
        """
        rows, columns = self.leader.shape
        left, top, right, bottom = place
        scales = (columns / size[0], rows / size[1])
        box = (left * scales[0], top * scales[1], right * scales[0], bottom * scales[1])
        reach = [math.ceil(max(scale, 1)) for scale in scales]
        around = self.leader[
            max(0, int(box[1]) - reach[1]) : math.ceil(box[3]) + reach[1],
            max(0, int(box[0]) - reach[0]) : math.ceil(box[2]) + reach[0],
        ]
        if (around == around.flat[0]).all():
            best = around[:1, :1]
        else:
            wanted = (right - left, bottom - top)
            leaders = np.unique(around)
            best = leaders[np.stack([_enlarge(self.planes[each], wanted, box) for each in leaders]).argmax(axis=0)]
        winners: NDArray[np.uint8] = self.values[best]
        return winners
