"""A printer's CMYK profile: read with suspicion, then used for separation into process colours and for proofs.

An ICC profile comes from outside and is read by C code.  So its head and table are checked here first, byte by byte
(ICC.1:2022, 7.2 and 7.3), and a profile that a person uploads is tried in a process of its own with limits
(:func:`tried`) before it is kept: the very conversions that a print makes, over a cube of colours.
"""

from __future__ import annotations

import io
import json
import struct
import subprocess
import sys
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from ..colour import lab
from ..errors import BadInput

U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]

MAX_BYTES = 8 * 1024 * 1024
"""Profiles of printers have half a megabyte to three."""
MAX_TAGS = 100
HEAD = 128
OUT_OF_GAMUT = 4.0
"""CIELAB distance between a colour and its proof from which it counts as out of gamut; 2 to 3 is what an eye tells."""
SIGNAL = (255, 0, 255)
"""What colours out of gamut are painted with in the picture that shows where they are."""
_SECONDS = 20
_MEMORY = 1 << 30
_CUBE = 12

NOT_ONE = "This is not a CMYK printer profile. Please choose the .icc or .icm file that your printer gives you."
BROKEN = "This profile is damaged: {why}. Please ask your printer for it again."


@dataclass(frozen=True)
class ProfileFacts:
    """What a profile says of itself."""

    name: str
    version: str


def facts(data: bytes) -> ProfileFacts:
    """Checks head and table; nothing but Python reads a byte.  Raises :class:`BadInput` with a sentence."""
    if len(data) > MAX_BYTES:
        raise BadInput(f"This profile has {len(data) // 1_000_000} MB; printers' profiles have at most 8.")
    if len(data) < HEAD + 4 or data[36:40] != b"acsp":
        raise BadInput(NOT_ONE)
    (size,) = struct.unpack_from(">I", data)
    if size != len(data):
        raise BadInput(BROKEN.format(why=f"it should have {size} bytes and has {len(data)}"))
    if data[12:16] != b"prtr" or data[16:20] != b"CMYK":
        found = data[16:20].decode("ascii", "replace").strip()
        raise BadInput(f"{NOT_ONE} This one is for {'colours of ' + found if found.isalnum() else 'something else'}.")
    if data[20:24] not in (b"Lab ", b"XYZ "):
        raise BadInput(BROKEN.format(why="it does not say what its colours mean"))
    name = _name(data, _tags(data))
    return ProfileFacts(name or "CMYK profile", f"{data[8]}.{data[9] >> 4}")


def _tags(data: bytes) -> dict[bytes, tuple[int, int]]:
    """Offset and length of each tag, all of them inside the file."""
    (count,) = struct.unpack_from(">I", data, HEAD)
    if not 1 <= count <= MAX_TAGS or HEAD + 4 + 12 * count > len(data):
        raise BadInput(BROKEN.format(why="its table of contents does not fit into it"))
    tags: dict[bytes, tuple[int, int]] = {}
    for number in range(count):
        name, offset, length = struct.unpack_from(">4s2I", data, HEAD + 4 + 12 * number)
        if offset < HEAD or offset + length > len(data) or length < 8:
            raise BadInput(BROKEN.format(why="a part of it lies beyond its end"))
        tags[name] = (offset, length)
    missing = [name.decode() for name in (b"A2B0", b"B2A0") if name not in tags]
    if missing:
        raise BadInput(BROKEN.format(why=f"the tables {' and '.join(missing)} are missing"))
    return tags


def _name(data: bytes, tags: dict[bytes, tuple[int, int]]) -> str:
    """Its description, of either kind, as one short line."""
    offset, length = tags.get(b"desc", (0, 0))
    tag = data[offset : offset + length]
    text = ""
    if tag[:4] == b"desc" and len(tag) > 12:
        (count,) = struct.unpack_from(">I", tag, 8)
        text = tag[12 : 12 + min(count, 120)].decode("latin-1")
    elif tag[:4] == b"mluc" and len(tag) >= 28:
        size, start = struct.unpack_from(">2I", tag, 20)
        text = tag[start : start + min(size, 240)].decode("utf-16-be", "replace")
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())[:80]


class Press:
    """``Press(profile)(rgb)`` -> CMYK as it would be printed; ``proof`` shows how that looks on a screen."""

    def __init__(self, data: bytes, intent: str = "relative") -> None:
        facts(data)
        chosen = {"relative": ImageCms.Intent.RELATIVE_COLORIMETRIC, "perceptual": ImageCms.Intent.PERCEPTUAL}[intent]
        flags = ImageCms.Flags.BLACKPOINTCOMPENSATION
        try:
            own, screen = ImageCms.ImageCmsProfile(io.BytesIO(data)), ImageCms.createProfile("sRGB")
            self._print = ImageCms.buildTransform(screen, own, "RGB", "CMYK", chosen, flags)
            self._look = ImageCms.buildTransform(
                own, screen, "CMYK", "RGB", ImageCms.Intent.RELATIVE_COLORIMETRIC, flags
            )
        except (ImageCms.PyCMSError, OSError, ValueError, TypeError) as error:
            raise BadInput(BROKEN.format(why="its tables cannot be read")) from error

    def __call__(self, rgb: U8) -> U8:
        """(H,W,3) sRGB -> (H,W,4), 255 is full ink."""
        return _through(self._print, rgb, "RGB")

    def proof(self, rgb: U8) -> U8:
        """(H,W,3) sRGB -> the sRGB of how it would look printed."""
        return _through(self._look, self(rgb), "CMYK")

    def lost(self, rgb: U8) -> F32:
        """(H,W) CIELAB distance between each colour and its print."""
        before, after = (lab(picture.astype(np.float32)) for picture in (rgb, self.proof(rgb)))
        return np.asarray(np.linalg.norm(before - after, axis=-1), np.float32)


def _through(transform: ImageCms.ImageCmsTransform, pixels: U8, mode: str) -> U8:
    image = Image.frombuffer(mode, (pixels.shape[1], pixels.shape[0]), np.ascontiguousarray(pixels), "raw", mode, 0, 1)
    done = ImageCms.applyTransform(image, transform)
    assert done is not None  # only "in place" answers with nothing
    return np.asarray(done)


@dataclass(frozen=True)
class Proof:
    """How a picture prints: its soft proof, where and how much is out of gamut, the inks that are."""

    picture: U8
    where: U8
    """The proof with what is out of gamut in :data:`SIGNAL`."""
    share: float
    inks: tuple[tuple[str, float], ...]
    """Colours of the palette that cannot be printed, and how far off each comes out (CIELAB)."""

    @property
    def warning(self) -> str:
        """A sentence; empty where everything can be printed."""
        if not self.inks and self.share < 0.0005:
            return ""
        told = f"{self.share:.1%}".replace(".0%", "%") if self.share >= 0.0005 else "less than 0.1%"
        named = "; ".join(f"{colour} comes out {away:.0f} dE away" for colour, away in self.inks)
        return f"{told} of the cloth is out of this profile's gamut{': ' + named if named else ''}."


def proof_of(press: Press, rgb: U8, palette: tuple[str, ...] = ()) -> Proof:
    """The proof of a picture of moderate size, RGB (H,W,3)."""
    from ..colour import rgb_of

    picture, lost = press.proof(rgb), press.lost(rgb) > OUT_OF_GAMUT
    where = picture.copy()
    where[lost] = SIGNAL
    swatches = np.array([[rgb_of(colour) for colour in palette]], np.uint8).reshape(1, -1, 3)
    away = press.lost(swatches)[0] if palette else np.zeros(0, np.float32)
    inks = tuple((colour, float(one)) for colour, one in zip(palette, away, strict=True) if one > OUT_OF_GAMUT)
    return Proof(picture, where, float(lost.mean()), inks)


def tried(data: bytes) -> ProfileFacts:
    """:func:`facts` of a profile that has also been used, in a process of its own that may die.  Raises BadInput."""
    known = facts(data)
    try:
        done = subprocess.run(  # noqa: S603 - our own interpreter and module
            [sys.executable, "-m", __name__], input=data, capture_output=True, timeout=_SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise BadInput(BROKEN.format(why="reading it takes too long")) from error
    if done.returncode:
        raise BadInput(BROKEN.format(why="its tables cannot be read"))
    return known


def _try() -> None:
    """What runs in that process: limits, then both conversions in both intents."""
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (_SECONDS, _SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    data = sys.stdin.buffer.read(MAX_BYTES + 1)
    steps = np.linspace(0, 255, _CUBE).astype(np.uint8)
    cube = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), -1).reshape(_CUBE, -1, 3)
    for intent in ("relative", "perceptual"):
        Press(data, intent).proof(cube)
    sys.stdout.write(json.dumps({"read": True}))


if __name__ == "__main__":
    _try()
