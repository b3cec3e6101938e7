"""Pictures at the library's edge: opened with care, saved with their recipe.

A recipe is the JSON of everything needed to make the picture again.  It travels inside the file: a ``toile`` text chunk
in PNG, the EXIF ``ImageDescription`` in JPEG and WebP; beside it lies the XMP packet of :mod:`.provenance`.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from PIL import Image, ImageOps, PngImagePlugin, UnidentifiedImageError

from .errors import BadInput
from .provenance import xmp

RECIPE_KEY = "toile"
XMP_KEY = "XML:com.adobe.xmp"
"""Of the text chunk in which PNG carries XMP."""
MAX_PIXELS = 100_000_000
QUICK_PNG_PIXELS = 4_500_000
"""A PNG with more pixels is packed quickly: 12 megapixels take 2 s instead of 7 and a quarter more bytes."""
_IMAGE_DESCRIPTION = 0x010E
_FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}


def open_picture(path: Path | str, mode: str = "RGB") -> Image.Image:
    """The picture, upright (EXIF orientation applied) and in ``mode``; transparency is laid on white.

    Raises :class:`BadInput` for anything that is not a readable picture of at most :data:`MAX_PIXELS`.
    """
    path = Path(path)
    try:
        with Image.open(path) as image:
            if image.width * image.height > MAX_PIXELS:
                raise BadInput(f"{path} has {image.width}x{image.height} pixels; at most {MAX_PIXELS:,} can be read.")
            upright = ImageOps.exif_transpose(image)
            return _flatten(upright).convert(mode)
    except FileNotFoundError as error:
        raise BadInput(f"There is no picture at {path}.") from error
    except (OSError, ValueError, SyntaxError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise BadInput(f"{path} cannot be read as a picture.") from error


EXACT: dict[str, Any] = {"format": "WEBP", "lossless": True, "quality": 60, "method": 4}
"""For :func:`encoded`: every pixel as it is, in about half of a PNG's bytes."""


def encoded(image: Image.Image, **options: Any) -> bytes:
    """The picture as the bytes of a file without a recipe; ``options`` are those of Pillow's encoders."""
    target = io.BytesIO()
    image.save(target, **options)
    return target.getvalue()


def save_picture(
    image: Image.Image,
    target: Path | IO[bytes],
    recipe: Mapping[str, Any] | None = None,
    *,
    format: str | None = None,
    quality: int = 95,
) -> None:
    """Write PNG, JPEG (full chroma) or WebP, the recipe inside; ``quality`` is for the latter two.

    The format is ``format`` or the suffix of a path ``target``.  Raises :class:`BadInput` for other formats.
    """
    suffix = target.suffix.lower() if isinstance(target, Path) else ""
    chosen = format or _FORMATS.get(suffix)
    if chosen not in _FORMATS.values():
        raise BadInput(f"Pictures are written as PNG, JPEG or WebP, not as {suffix or format!r}.")
    text = "" if recipe is None else json.dumps(recipe, ensure_ascii=True)
    options: dict[str, Any] = {}
    if chosen == "PNG":
        options["pnginfo"] = PngImagePlugin.PngInfo()
        if image.width * image.height > QUICK_PNG_PIXELS:
            options["compress_level"] = 1
        if text:
            options["pnginfo"].add_text(RECIPE_KEY, text)
            options["pnginfo"].add_itxt(XMP_KEY, xmp(recipe or {}).decode())
    else:
        options = {"quality": quality, **({"subsampling": 0} if chosen == "JPEG" else {})}
        if text:
            exif = Image.Exif()
            exif[_IMAGE_DESCRIPTION] = text
            options |= {"exif": exif, "xmp": xmp(recipe or {})}
    try:
        if isinstance(target, Path):
            target.parent.mkdir(parents=True, exist_ok=True)
        image.save(target, format=chosen, **options)
    except OSError as error:
        raise BadInput(f"{target} cannot be written: {error.strerror or error}.") from error


def read_recipe(image: Image.Image) -> dict[str, Any] | None:
    """The recipe inside an opened picture, or None if there is none."""
    text = image.info.get(RECIPE_KEY) or image.getexif().get(_IMAGE_DESCRIPTION)
    try:
        recipe = json.loads(text) if text else None
    except ValueError:
        return None
    return recipe if isinstance(recipe, dict) else None


def _flatten(image: Image.Image) -> Image.Image:
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        rgba = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("RGB")
    if image.mode.startswith("I;16"):
        return image.point(lambda value: value / 256).convert("L")
    return image
