"""Turn an uploaded picture from anywhere into a plain one, in a process of its own that may die.

Run as a script: the upload on standard input, one JSON line and then the encoded pictures on standard output.  It
imports nothing of Django and nothing of Toile, gives itself limits on memory, time and files before it reads a byte,
and checks the pixel count before it decodes a pixel.

``decode.py MAX_PIXELS`` takes a photo: the result is upright (EXIF orientation applied once), sRGB, opaque, 8-bit, the
first frame only, without metadata.  ``decode.py MAX_PIXELS WIDTH HEIGHT`` takes a mask for a photo of that size: the
result is upright, grey, 8-bit, of that size.
"""

from __future__ import annotations

import io
import json
import re
import resource
import sys
import time
import warnings
from dataclasses import dataclass
from typing import Any

from PIL import Image, ImageCms, ImageOps

MEMORY_BYTES = 2 << 30
CPU_SECONDS = 10
"""Photos of 50 megapixels in all formats took at most 2.5 on the slowest machine that was tried."""
MAX_SCANS = 32
"""Passes over a progressive JPEG; cameras and programs write about ten, and each costs as much as the whole picture."""
MIN_SIDE, MAX_SIDE = 64, 16_000
KEEP_PNG_PIXELS = 4_000_000
"""A lossless source up to this size stays lossless."""
THUMB_SIDE = 320
MIN_MASK_SIDE = 8
LEAST_MARK = 16
"""Of 255: what is darker everywhere marks nothing."""
MOST_STRETCH = 1.1
"""A mask whose proportions differ from the photo's by more was drawn on another picture, or on this one turned."""

FORMATS = {"JPEG": ("JPEG", "MPO"), "PNG": ("PNG",), "WEBP": ("WEBP",), "AVIF": ("AVIF",), "HEIF": ("HEIF",)}
"""Sniffed family -> the Pillow formats allowed to open it; an MPO is a JPEG with more pictures behind it."""

_MARKER = re.compile(rb"\xff[\x01-\xfe]")
"""In the coded picture 0xff is followed by zero, so that what is found there is a marker too."""
_START_OF_SCAN, _END_OF_IMAGE = 0xDA, 0xD9
_BARE_MARKERS = frozenset((0x01, *range(0xD0, 0xD9)))
"""Markers without a length: restarts, and the start of an image."""


class Refused(Exception):
    """``kind`` is one of the keys of ``studio.photos.ingest.SENTENCES``."""

    def __init__(self, kind: str, **details: Any) -> None:
        super().__init__(kind)
        self.kind = kind
        self.details = details


@dataclass(frozen=True)
class Decoded:
    """The normalised picture and its thumbnail (WebP), encoded; ``format`` is JPEG or PNG."""

    width: int
    height: int
    format: str
    image: bytes
    thumb: bytes

    @property
    def suffix(self) -> str:
        """Of the picture's file."""
        return "png" if self.format == "PNG" else "jpg"


def sniff(head: bytes) -> str:
    """The family of a file by its first bytes, whatever its name says.  Raises :class:`Refused` for anything else."""
    if head.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "WEBP"
    if head[4:8] == b"ftyp":
        return _sniff_boxes(head)
    raise Refused("format", found=_name(head))


def _sniff_boxes(head: bytes) -> str:
    """ISO media files name their brand: a still picture or a film."""
    length = min(int.from_bytes(head[:4], "big"), len(head))
    brands = {head[8:12], *(head[i : i + 4] for i in range(16, length - 3, 4))}
    if brands & {b"avif", b"avis"}:
        return "AVIF"
    if brands & {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}:
        return "HEIF"
    raise Refused("format", found="a film")


def _name(head: bytes) -> str:
    """What a refused file seems to be, with its article; empty when nobody could tell."""
    known = (
        (b"GIF8", "a GIF"),
        (b"BM", "a BMP"),
        (b"II*\0", "a TIFF or camera raw file"),
        (b"MM\0*", "a TIFF or camera raw file"),
        (b"%PDF", "a PDF"),
        (b"PK\x03\x04", "a ZIP or office file"),
        (b"8BPS", "a Photoshop file"),
        (b"\0\0\1\0", "an icon"),
        (b"\x1aE\xdf\xa3", "a film"),
        (b"RIFF", "a film or sound"),
    )
    for magic, name in known:
        if head.startswith(magic):
            return name
    text = head[:256].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if b"<svg" in head[:1024].lower():
        return "an SVG drawing"
    if text.startswith((b"<!doctype html", b"<html")):
        return "a web page"
    return ""


def decode(data: bytes, max_pixels: int) -> Decoded:
    """The whole work.  Raises :class:`Refused`; a damaged file never raises anything else but MemoryError."""
    if not data:
        raise Refused("empty")
    family = sniff(data[:4096])
    image = _load(data, family, max_pixels)
    upright = _upright(image)
    plain = _opaque_srgb(upright)
    lossless = family == "PNG" or (family == "WEBP" and b"VP8L" in data[12:64])
    return _encode(plain, keep_png=lossless and plain.width * plain.height <= KEEP_PNG_PIXELS)


def decode_mask(data: bytes, max_pixels: int, size: tuple[int, int]) -> Decoded:
    """A drawn mask for a photo of ``size`` as 8-bit grey PNG, white where it marks.  Raises as :func:`decode` does."""
    if not data:
        raise Refused("empty")
    image = _upright(_load(data, sniff(data[:4096]), max_pixels, MIN_MASK_SIDE))
    stretch = image.width * size[1] / (image.height * size[0])
    if not 1 / MOST_STRETCH <= stretch <= MOST_STRETCH:
        raise Refused("proportions", width=image.width, height=image.height, wanted=list(size))
    marked = _marked(image)
    if marked.size != size:
        marked = marked.resize(size, Image.Resampling.BILINEAR)
    if _brightest(marked) < LEAST_MARK:
        raise Refused("unmarked")
    target = io.BytesIO()
    marked.save(target, "PNG", compress_level=3)
    return Decoded(*size, "PNG", target.getvalue(), b"")


def _marked(image: Image.Image) -> Image.Image:
    """Any mode -> L: how bright and how opaque a pixel is; a drawing in black on nothing counts by its opacity."""
    image.info.pop("icc_profile", None)  # the numbers are meant, not their looks
    black = Image.new("L", image.size)
    alpha = _alpha(image)
    if alpha is None:
        return _opaque_srgb(image).convert("L")
    grey = image.convert("RGBA").convert("RGB").convert("L")
    marked = Image.composite(grey, black, alpha)
    drawn_in_black = _brightest(marked) < LEAST_MARK
    return alpha if drawn_in_black and alpha.getextrema() != (255, 255) else marked


def _brightest(grey: Image.Image) -> int:
    return next(value for value, count in reversed(list(enumerate(grey.histogram()))) if count)


def _alpha(image: Image.Image) -> Image.Image | None:
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa"):
        return image.convert("RGBA").getchannel("A")
    return image.convert("RGBA").getchannel("A") if "transparency" in image.info else None


def _load(data: bytes, family: str, max_pixels: int, min_side: int = MIN_SIDE) -> Image.Image:
    if family == "HEIF":
        import pillow_heif

        pillow_heif.register_heif_opener(thumbnails=False)
    if family == "JPEG" and scans_of(data) > MAX_SCANS:
        raise Refused("heavy")
    Image.MAX_IMAGE_PIXELS = None  # our own check follows, before anything is decoded
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS[family])
        _check_size(image.width, image.height, max_pixels, min_side)
        image.seek(0)
        image.load()
    except (Refused, MemoryError):
        raise
    except Exception as error:  # decoders raise nearly anything for damaged data
        raise Refused("damaged") from error
    return image


def scans_of(data: bytes) -> int:
    """How often a JPEG goes over its picture: the scans of its first image, as far as it is whole."""
    count, at = 0, 2
    while (found := _MARKER.search(data, at)) is not None:
        marker, at = data[found.end() - 1], found.end()
        if marker == _END_OF_IMAGE:
            break
        if marker in _BARE_MARKERS:
            continue
        count += marker == _START_OF_SCAN
        # A segment is stepped over, whatever is in it: a thumbnail in the metadata has scans of its own.
        at += int.from_bytes(data[at : at + 2], "big")
    return count


def _check_size(width: int, height: int, max_pixels: int, min_side: int) -> None:
    if width * height > max_pixels or max(width, height) > MAX_SIDE:
        raise Refused("large", width=width, height=height, megapixels=max_pixels // 1_000_000)
    if min(width, height) < min_side:
        raise Refused("small", width=width, height=height, least=min_side)


def _upright(image: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(image)
    except MemoryError:
        raise
    except Exception:
        return image  # broken metadata says nothing about how to turn the picture


def _opaque_srgb(image: Image.Image) -> Image.Image:
    """Any mode -> RGB in sRGB; transparent parts become white."""
    profile = image.info.get("icc_profile")
    if image.mode == "P" or "transparency" in image.info:
        image = image.convert("RGBA" if "transparency" in image.info else "RGB")
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        image = _eight_bits(image)
    alpha = (
        image.getchannel("A") if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") and "A" in image.getbands() else None
    )
    if alpha is not None:
        image = image.convert("L" if image.mode.startswith("L") else "RGB")
    colour = _to_srgb(image, profile)
    if alpha is None or alpha.getextrema() == (255, 255):
        return colour
    white = Image.new("RGB", colour.size, "white")
    white.paste(colour, mask=alpha)
    return white


def _eight_bits(image: Image.Image) -> Image.Image:
    """Grey of 16 bits (or 32, which Pillow uses for some 16-bit files) -> L, scaled rather than clipped."""
    wide = image.convert("I") if image.mode.startswith("I;16") else image
    return wide.point(lambda value: value * (1 / 257)).convert("L")


def _to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    if not profile:
        return image.convert("RGB")
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        target = ImageCms.createProfile("sRGB")
        converted = ImageCms.profileToProfile(image, source, target, outputMode="RGB")
    except MemoryError:
        raise
    except Exception:
        return image.convert("RGB")  # a profile that does not fit the picture is worth nothing
    return converted if converted is not None else image.convert("RGB")


def _encode(image: Image.Image, *, keep_png: bool) -> Decoded:
    image.info = {}  # nothing of the source travels on
    target, small = io.BytesIO(), io.BytesIO()
    if keep_png:
        image.save(target, "PNG", compress_level=4)
    else:
        image.save(target, "JPEG", quality=95, subsampling=0)
    thumb = image.copy() if max(image.size) <= THUMB_SIDE else _shrunk(image)
    thumb.save(small, "WEBP", quality=86)
    return Decoded(*image.size, "PNG" if keep_png else "JPEG", target.getvalue(), small.getvalue())


def _shrunk(image: Image.Image) -> Image.Image:
    scale = THUMB_SIDE / max(image.size)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return image.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)


def confine() -> None:
    """Limit this process; a breach ends it, which its parent reads as a refusal."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main(max_pixels: int, mask_of: tuple[int, int] | None = None) -> None:
    confine()
    warnings.simplefilter("ignore")
    try:
        data = sys.stdin.buffer.read()
        decoded = decode(data, max_pixels) if mask_of is None else decode_mask(data, max_pixels, mask_of)
    except Refused as refusal:
        _answer({"refused": refusal.kind, **refusal.details})
        return
    except MemoryError:
        _answer({"refused": "heavy"})
        return
    header = {"width": decoded.width, "height": decoded.height, "format": decoded.format, "image": len(decoded.image)}
    _answer(header, decoded.image, decoded.thumb)


def _answer(header: dict[str, Any], *payloads: bytes) -> None:
    out = sys.stdout.buffer
    header["cpu"] = time.process_time()
    out.write(json.dumps(header).encode() + b"\n")
    for payload in payloads:
        out.write(payload)
    out.flush()


if __name__ == "__main__":
    limit, *photo = map(int, sys.argv[1:])
    main(limit, (photo[0], photo[1]) if photo else None)
