"""PNG of 16 bits a channel; Pillow reads only the upper half of those that have colours.

After the specification (W3C, "Portable Network Graphics", third edition, 2025).  A pixel is predicted from its left,
upper and upper left neighbours, so all pixels of an anti-diagonal can be restored at once.
"""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_CHANNELS = {0: 1, 2: 3}  # grey, RGB
_MOST_PIXELS = 1 << 26


def read_png16(path: Path) -> NDArray[np.uint16]:
    """(H, W, C) of a grey (C 1) or RGB (C 3) picture without interlacing.  Raises :class:`ValueError` for any other."""
    data = path.read_bytes()
    if not data.startswith(_SIGNATURE):
        raise ValueError(f"{path.name} is not a PNG")
    chunks = _chunks(data, path.name)
    header = next((body for kind, body in chunks if kind == b"IHDR"), b"")
    if len(header) != 13:
        raise ValueError(f"{path.name} has no header")
    width, height, bits, colour, _, _, interlaced = struct.unpack(">IIBBBBB", header)
    if bits != 16 or colour not in _CHANNELS or interlaced or not 0 < width * height <= _MOST_PIXELS:
        raise ValueError(f"{path.name} is not a plain 16-bit picture in grey or RGB")
    stride = 2 * _CHANNELS[colour]
    size = height * (1 + width * stride)
    try:
        packed = b"".join(body for kind, body in chunks if kind == b"IDAT")
        raw = zlib.decompressobj().decompress(packed, size)
    except zlib.error as error:
        raise ValueError(f"{path.name} is damaged: {error}") from error
    if len(raw) != size:
        raise ValueError(f"{path.name} ends too early")
    rows = np.frombuffer(raw, np.uint8).reshape(height, 1 + width * stride)
    pixels = _restored(rows[:, 0], rows[:, 1:].reshape(height, width, stride))
    return pixels.view(">u2").astype(np.uint16)


def _chunks(data: bytes, name: str) -> list[tuple[bytes, bytes]]:
    found, at = [], len(_SIGNATURE)
    while at + 12 <= len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        kind, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        found.append((kind, body))
        if kind == b"IEND":
            return found
        at += 12 + length
    raise ValueError(f"{name} ends too early")


def _restored(filters: NDArray[np.uint8], coded: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Bytes (H, W, B) of pixels from what was filtered, row by row, with filter types 0 to 4."""
    if filters.max(initial=0) > 4:
        raise ValueError("an unknown row filter")
    height, width, stride = coded.shape
    result = np.zeros((height + 1, width + 1, stride), np.uint8)  # a row above and a column to the left, all 0
    kinds = filters[:, None]
    for diagonal in range(height + width - 1):
        y = np.arange(max(0, diagonal - width + 1), min(height, diagonal + 1))
        x = diagonal - y
        left, up, corner = (
            result[rows, columns].astype(np.int16) for rows, columns in ((y + 1, x), (y, x + 1), (y, x))
        )
        kind = kinds[y]
        guesses = (np.zeros_like(left), left, up, (left + up) // 2, _paeth(left, up, corner))
        guess = np.select([kind == number for number in range(5)], guesses)
        result[y + 1, x + 1] = (coded[y, x] + guess).astype(np.uint8)
    return np.ascontiguousarray(result[1:, 1:])


def _paeth(left: NDArray[np.int16], up: NDArray[np.int16], corner: NDArray[np.int16]) -> NDArray[np.int16]:
    """Of the three neighbours the one nearest to left + up - corner (Paeth 1991)."""
    to_left, to_up, to_corner = np.abs(up - corner), np.abs(left - corner), np.abs(left + up - 2 * corner)
    return np.where((to_left <= to_up) & (to_left <= to_corner), left, np.where(to_up <= to_corner, up, corner))
