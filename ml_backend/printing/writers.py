"""Files written while the picture is painted: PNG, TIFF and PDF that never hold more of it than a band.

Pillow writes a picture that is whole in memory, which a panel of two hundred million pixels is not.  The three formats
are simple where nothing is left open: rows are filtered and deflated as PNG wants them, which is also what a PDF's
image stream may be (predictor 15), and a TIFF is strips and a directory.  The strips' LZW is libtiff's, through
Pillow.

Each file carries resolution, colour profile, XMP and, but for PDF, the recipe: PNG (ISO 15948), TIFF 6.0, PDF 1.7.
"""

from __future__ import annotations

import io
import json
import struct
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from ..images import RECIPE_KEY, XMP_KEY
from ..provenance import xmp

U8 = NDArray[np.uint8]

CHANNELS = {"L": 1, "RGB": 3, "CMYK": 4}
CREATED = struct.pack(">6H", 2026, 1, 1, 0, 0, 0)
"""Of the sRGB profile, so that the same print is the same file."""


@lru_cache(maxsize=1)
def srgb() -> bytes:
    """An sRGB profile (ICC 4), as files embed it."""
    made = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return made[:24] + CREATED + made[36:]


@dataclass(frozen=True)
class Sheet:
    """What a file is told before its first row; ``mode`` is L, RGB or CMYK, ``icc`` the profile of those numbers."""

    width: int
    height: int
    dpi: int
    mode: str = "RGB"
    icc: bytes | None = None
    recipe: Mapping[str, Any] = field(default_factory=dict)
    title: str = ""

    @property
    def channels(self) -> int:
        return CHANNELS[self.mode]

    @property
    def xmp(self) -> bytes:
        return xmp(self.recipe)


class Writer(Protocol):
    """Takes rows from top to bottom, then closes the file."""

    def write(self, band: U8) -> None:
        """(h, width) or (h, width, channels)."""

    def close(self) -> None:
        """After the last row."""


def writer(format: str, file: BinaryIO, sheet: Sheet) -> Writer:
    """The one of ``format``: png, tiff or pdf."""
    kinds: dict[str, Callable[[BinaryIO, Sheet], Writer]] = {"png": PngWriter, "tiff": TiffWriter, "pdf": PdfWriter}
    return kinds[format](file, sheet)


class _Deflated:
    """Rows with PNG's filter "up", deflated: flat colours of a design become runs of zeros."""

    def __init__(self, sheet: Sheet) -> None:
        self._above = np.zeros(sheet.width * sheet.channels, np.uint8)
        self._packing = zlib.compressobj(4)

    def pack(self, band: U8) -> bytes:
        rows = band.reshape(len(band), -1)
        filtered = np.empty((len(rows), rows.shape[1] + 1), np.uint8)
        filtered[:, 0] = 2
        filtered[0, 1:] = rows[0] - self._above
        filtered[1:, 1:] = rows[1:] - rows[:-1]
        self._above = rows[-1].copy()
        return self._packing.compress(filtered.tobytes())

    def rest(self) -> bytes:
        return self._packing.flush()


class PngWriter:
    """RGB or grey; CMYK does not exist in PNG."""

    def __init__(self, file: BinaryIO, sheet: Sheet) -> None:
        self._file, self._rows = file, _Deflated(sheet)
        kind = {"L": 0, "RGB": 2}[sheet.mode]
        file.write(b"\x89PNG\r\n\x1a\n")
        self._chunk(b"IHDR", struct.pack(">2I5B", sheet.width, sheet.height, 8, kind, 0, 0, 0))
        if sheet.icc:
            self._chunk(b"iCCP", b"profile\0\0" + zlib.compress(sheet.icc))
        a_metre = round(sheet.dpi / 0.0254)
        self._chunk(b"pHYs", struct.pack(">2IB", a_metre, a_metre, 1))
        self._chunk(b"tEXt", RECIPE_KEY.encode() + b"\0" + json.dumps(sheet.recipe, ensure_ascii=True).encode())
        self._chunk(b"iTXt", XMP_KEY.encode() + b"\0\0\0\0\0" + sheet.xmp)

    def write(self, band: U8) -> None:
        if packed := self._rows.pack(band):
            self._chunk(b"IDAT", packed)

    def close(self) -> None:
        self._chunk(b"IDAT", self._rows.rest())
        self._chunk(b"IEND", b"")

    def _chunk(self, name: bytes, data: bytes) -> None:
        self._file.write(struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)))


class TiffWriter:
    """Little-endian, strips of LZW with horizontal differencing; RGB, grey (0 is black) or CMYK."""

    STRIP = 64
    """Rows of a strip."""

    def __init__(self, file: BinaryIO, sheet: Sheet) -> None:
        self._file, self._sheet = file, sheet
        self._waiting = np.empty((0, sheet.width, sheet.channels), np.uint8)
        self._strips: list[tuple[int, int]] = []
        file.write(b"II*\0\0\0\0\0")

    def write(self, band: U8) -> None:
        rows = band.reshape(len(band), self._sheet.width, self._sheet.channels)
        rows = np.concatenate([self._waiting, rows]) if len(self._waiting) else rows
        whole = len(rows) - len(rows) % self.STRIP
        for first in range(0, whole, self.STRIP):
            self._strip(rows[first : first + self.STRIP])
        self._waiting = rows[whole:].copy()

    def close(self) -> None:
        if len(self._waiting):
            self._strip(self._waiting)
        self._directory()

    def _strip(self, rows: U8) -> None:
        packed = _lzw(rows)
        self._strips.append((self._file.tell(), len(packed)))
        self._file.write(packed)

    def _directory(self) -> None:
        sheet = self._sheet
        short, long, ratio, text, raw = "H", "I", "R", "s", "B"
        recipe = json.dumps(sheet.recipe, ensure_ascii=True).encode() + b"\0"
        entries: list[tuple[int, str, Any]] = [
            (256, long, [sheet.width]),
            (257, long, [sheet.height]),
            (258, short, [8] * sheet.channels),
            (259, short, [5]),
            (262, short, [{"L": 1, "RGB": 2, "CMYK": 5}[sheet.mode]]),
            (270, text, recipe),
            (273, long, [offset for offset, _ in self._strips]),
            (277, short, [sheet.channels]),
            (278, long, [self.STRIP]),
            (279, long, [length for _, length in self._strips]),
            (282, ratio, [(sheet.dpi, 1)]),
            (283, ratio, [(sheet.dpi, 1)]),
            (284, short, [1]),
            (296, short, [2]),
            (305, text, b"Toile\0"),
            (317, short, [2]),
            (700, raw, sheet.xmp),
            *([(34675, "u", sheet.icc)] if sheet.icc else []),
        ]
        packed = [(tag, *_packed(kind, values)) for tag, kind, values in entries]
        at = self._aligned()
        after = at + 2 + 12 * len(packed) + 4
        directory, beyond = struct.pack("<H", len(packed)), b""
        for tag, kind, count, data in packed:
            if len(data) <= 4:
                directory += struct.pack("<2HI", tag, kind, count) + data.ljust(4, b"\0")
            else:
                directory += struct.pack("<2H2I", tag, kind, count, after + len(beyond))
                beyond += data + b"\0" * (len(data) % 2)
        self._file.write(directory + struct.pack("<I", 0) + beyond)
        self._file.seek(4)
        self._file.write(struct.pack("<I", at))
        self._file.seek(0, io.SEEK_END)

    def _aligned(self) -> int:
        if self._file.tell() % 2:
            self._file.write(b"\0")
        return self._file.tell()


def _packed(kind: str, values: Any) -> tuple[int, int, bytes]:
    """TIFF's type, count and bytes of a directory entry."""
    if kind in ("s", "B", "u"):
        return {"s": 2, "B": 1, "u": 7}[kind], len(values), bytes(values)
    if kind == "R":
        return 5, len(values), b"".join(struct.pack("<2I", *value) for value in values)
    return {"H": 3, "I": 4}[kind], len(values), struct.pack(f"<{len(values)}{kind}", *values)


def _lzw(rows: U8) -> bytes:
    """One strip as libtiff packs it."""
    mode = {1: "L", 3: "RGB", 4: "CMYK"}[rows.shape[2]]
    size = (rows.shape[1], rows.shape[0])
    image = Image.frombuffer(mode, size, np.ascontiguousarray(rows), "raw", mode, 0, 1)
    made = io.BytesIO()
    image.save(made, "TIFF", compression="tiff_lzw", tiffinfo={317: 2}, strip_size=rows.nbytes)
    with Image.open(made) as written:
        tags: Any = written.tag_v2  # type: ignore[attr-defined]
        (offset,), (length,) = tags[273], tags[279]
    return made.getvalue()[offset : offset + length]


class PdfWriter:
    """One page as large as the cloth, with one picture on it; 72 points an inch, whatever the size."""

    def __init__(self, file: BinaryIO, sheet: Sheet) -> None:
        self._file, self._sheet, self._rows = file, sheet, _Deflated(sheet)
        self._at: dict[int, int] = {}
        width, height = (round(side / sheet.dpi * 72, 4) for side in (sheet.width, sheet.height))
        drawn = f"q {width} 0 0 {height} 0 0 cm /Picture Do Q".encode()
        file.write(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
        self._object(1, b"<< /Type /Catalog /Pages 2 0 R /Metadata 8 0 R >>")
        self._object(2, b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>")
        resources = "<< /XObject << /Picture 5 0 R >> >>"
        box = f"[0 0 {width} {height}]"
        page = f"<< /Type /Page /Parent 2 0 R /MediaBox {box} /Resources {resources} /Contents 4 0 R >>"
        self._object(3, page.encode())
        self._stream(4, "", drawn)
        space = {"L": "/DeviceGray", "RGB": "/DeviceRGB", "CMYK": "/DeviceCMYK"}[sheet.mode]
        if sheet.icc:
            self._stream(7, f"/N {sheet.channels} /Alternate {space} /Filter /FlateDecode", zlib.compress(sheet.icc))
            space = "[/ICCBased 7 0 R]"
        self._stream(8, "/Type /Metadata /Subtype /XML", sheet.xmp)
        info = f"<< /Producer (Toile) /Title {_text(sheet.title)} >>"
        self._object(9, info.encode())
        parms = f"<< /Predictor 15 /Colors {sheet.channels} /BitsPerComponent 8 /Columns {sheet.width} >>"
        self._begin(5)
        file.write(
            f"<< /Type /XObject /Subtype /Image /Width {sheet.width} /Height {sheet.height} /ColorSpace {space} "
            f"/BitsPerComponent 8 /Filter /FlateDecode /DecodeParms {parms} /Length 6 0 R >>\nstream\n".encode()
        )
        self._start = file.tell()

    def write(self, band: U8) -> None:
        self._file.write(self._rows.pack(band))

    def close(self) -> None:
        self._file.write(self._rows.rest())
        length = self._file.tell() - self._start
        self._file.write(b"\nendstream\nendobj\n")
        self._object(6, str(length).encode())
        start = self._file.tell()
        table = b"".join(b"%010d 00000 n \n" % self._at[number] for number in sorted(self._at))
        self._file.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(self._at) + 1) + table)
        self._file.write(b"trailer\n<< /Size %d /Root 1 0 R /Info 9 0 R >>\n" % (len(self._at) + 1))
        self._file.write(b"startxref\n%d\n%%%%EOF\n" % start)

    def _begin(self, number: int) -> None:
        self._at[number] = self._file.tell()
        self._file.write(b"%d 0 obj\n" % number)

    def _object(self, number: int, content: bytes) -> None:
        self._begin(number)
        self._file.write(content + b"\nendobj\n")

    def _stream(self, number: int, entries: str, data: bytes) -> None:
        head = f"<< {entries} /Length {len(data)} >>\nstream\n".encode()
        self._object(number, head + data + b"\nendstream")


def _text(text: str) -> str:
    """A string of a PDF: UTF-16 in hexadecimal, so nothing in it can end it."""
    return f"<FEFF{text.encode('utf-16-be').hex().upper()}>"


def write_file(path: Path, format: str, sheet: Sheet, bands: Any, convert: Callable[[U8], U8] | None = None) -> None:
    """All bands into a new file; ``convert`` takes each to the sheet's mode.  A file that fails is taken away again."""
    try:
        with path.open("wb") as file:
            out = writer(format, file, sheet)
            for band in bands:
                out.write(convert(band) if convert else band)
            out.close()
    except BaseException:
        path.unlink(missing_ok=True)
        raise
