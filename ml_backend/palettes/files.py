"""Palettes as files: Adobe Swatch Exchange (``.ase``), GIMP (``.gpl``) and JSON, written and read.

Files come from anywhere: their size is looked at before they are read, every length and number before it is used.
Colours of ``.ase`` may be RGB, grey, CIELAB (D50) or CMYK; the last are read without a profile and so only roughly.
"""

from __future__ import annotations

import io
import json
import math
import re
import struct
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ..colour import from_lab_d50, rgb_of, written
from ..errors import BadInput
from .facts import facts
from .held import MAX_HELD, MIN_HELD, Held

MAX_BYTES = 64 * 1024
"""Of a file that is read: some hundred times a palette of twelve colours."""

MAX_BLOCKS = 1024

_GROUP, _GROUP_END, _COLOUR = 0xC001, 0xC002, 0x0001
_MODELS = {b"RGB ": 3, b"Gray": 1, b"GRAY": 1, b"LAB ": 3, b"CMYK": 4}
_TABLE = re.compile(r"\s*(\d{1,3})\s+(\d{1,3})\s+(\d{1,3})(?:\s+(.*))?")

DAMAGED = "This palette file is damaged or incomplete. Nothing was kept; please export it again."
UNKNOWN = "This is no palette that can be read. Please give an .ase, .gpl or .json file."


def write(palette: Held, suffix: str) -> bytes:
    """The file of ``suffix`` (``ase``, ``gpl`` or ``json``).  Raises :class:`BadInput` for another."""
    if suffix not in WRITERS:
        raise BadInput(f"Palettes are written as {', '.join(WRITERS)}, not as {suffix!r}.")
    return WRITERS[suffix](palette)


def read(data: bytes, name: str = "") -> Held:
    """The palette in a file, told by its first bytes; ``name`` is what it is called where the file does not say.

    Raises :class:`BadInput`, with what to do, for everything that is not a palette of 2 to 12 colours.
    """
    if len(data) > MAX_BYTES:
        raise BadInput(f"This palette file is larger than {MAX_BYTES // 1024} KB. Nothing was kept; please send less.")
    if not data.strip():
        raise BadInput("This palette file is empty. Nothing was kept; please choose another.")
    if data.startswith(b"ASEF"):
        found, swatches = _read_ase(data)
    else:
        found, swatches = _read_text(data)
    if not MIN_HELD <= len(swatches) <= MAX_HELD:
        raise BadInput(
            f"This palette has {len(swatches)} colour{'' if len(swatches) == 1 else 's'}; {MIN_HELD} to {MAX_HELD} can "
            "be held. Nothing was kept; please export those that you need."
        )
    return Held(found or name, tuple(colour for colour, _ in swatches), tuple(said for _, said in swatches))


Swatches = list[tuple[str, str]]
"""Colours and what they are called."""


# --- Adobe Swatch Exchange: big-endian blocks, names in UTF-16 with a NUL at their end ---


def _write_ase(palette: Held) -> bytes:
    blocks = [_block(_GROUP, _text(palette.name))]
    for colour, name in zip(palette.colours, palette.names, strict=True):
        values = struct.pack(">3f", *(value / 255 for value in rgb_of(colour)))
        kind = struct.pack(">H", 2)  # a plain colour, neither global nor spot
        blocks.append(_block(_COLOUR, _text(name or colour) + b"RGB " + values + kind))
    blocks.append(_block(_GROUP_END, b""))
    return b"ASEF" + struct.pack(">HHI", 1, 0, len(blocks)) + b"".join(blocks)


def _block(kind: int, content: bytes) -> bytes:
    return struct.pack(">HI", kind, len(content)) + content


def _text(text: str) -> bytes:
    data = text.encode("utf-16-be") + b"\0\0"
    return struct.pack(">H", len(data) // 2) + data


def _read_ase(data: bytes) -> tuple[str, Swatches]:
    name, swatches = "", Swatches()
    for kind, content in _blocks(io.BytesIO(data)):
        if kind == _GROUP:
            name = name or _name(content)
        elif kind == _COLOUR:
            said = _name(content)
            swatches.append((_ase_colour(content), said))
    return name, [(colour, "" if said.lower() == colour else said) for colour, said in swatches]


def _blocks(file: io.BytesIO) -> Iterator[tuple[int, io.BytesIO]]:
    major, _, count = struct.unpack(">4xHHI", _exactly(file, 12))
    if major != 1:
        raise BadInput(f"This palette is of version {major} of Adobe Swatch Exchange; only version 1 can be read.")
    if count > MAX_BLOCKS:
        raise BadInput(f"This palette says that it has {count:,} entries; at most {MAX_BLOCKS:,} are read.")
    for _ in range(count):
        kind, length = struct.unpack(">HI", _exactly(file, 6))
        yield kind, io.BytesIO(_exactly(file, length))


def _name(content: io.BytesIO) -> str:
    (units,) = struct.unpack(">H", _exactly(content, 2))
    return _exactly(content, units * 2).decode("utf-16-be", "replace").rstrip("\0")


def _ase_colour(content: io.BytesIO) -> str:
    model = _exactly(content, 4)
    if model not in _MODELS:
        raise BadInput("A colour of this palette is neither RGB, grey, Lab nor CMYK. Please export it as RGB.")
    count = _MODELS[model]
    values = struct.unpack(f">{count}f", _exactly(content, 4 * count))
    if not all(math.isfinite(value) for value in values):
        raise BadInput(DAMAGED)
    if model == b"LAB ":
        light, a, b = values
        chroma = np.clip((a, b), -128, 128)
        return from_lab_d50(np.array((min(max(light, 0), 1) * 100, *chroma)))[0]
    shares = [min(max(value, 0.0), 1.0) for value in values]
    if model == b"CMYK":
        return written([(1 - ink) * (1 - shares[3]) for ink in shares[:3]])
    return written(shares if count == 3 else shares * 3)


def _exactly(file: io.BytesIO, count: int) -> bytes:
    data = file.read(count)
    if len(data) != count:
        raise BadInput(DAMAGED)
    return data


# --- GIMP: lines of text; JSON: our own ---


def _write_gpl(palette: Held) -> bytes:
    lines = ["GIMP Palette", f"Name: {palette.name}", f"Columns: {len(palette.colours)}", "#"]
    for colour, name in zip(palette.colours, palette.names, strict=True):
        red, green, blue = rgb_of(colour)
        lines.append(f"{red:3d} {green:3d} {blue:3d}\t{name or colour}")
    return ("\n".join(lines) + "\n").encode()


def _write_json(palette: Held) -> bytes:
    return (json.dumps(as_json(palette), indent=1, ensure_ascii=False) + "\n").encode()


def as_json(palette: Held) -> dict[str, Any]:
    """``{"name", "colours": [{"colour", "name", "called", "lab", "lch", "hlc"}]}``, see :class:`.facts.Facts`."""
    return {
        "name": palette.name,
        "colours": [
            {
                "colour": colour,
                "name": name,
                "called": facts(colour).name,
                "lab": [round(value, 2) for value in facts(colour).lab],
                "lch": [round(value, 2) for value in facts(colour).lch],
                "hlc": facts(colour).nearest[0].code,
            }
            for colour, name in zip(palette.colours, palette.names, strict=True)
        ],
    }


def _read_text(data: bytes) -> tuple[str, Swatches]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput(UNKNOWN) from error
    if text.startswith("GIMP Palette"):
        return _read_gpl(text)
    if text.lstrip().startswith(("{", "[")):
        return _read_json(text)
    raise BadInput(UNKNOWN)


def _read_gpl(text: str) -> tuple[str, Swatches]:
    name, swatches = "", Swatches()
    for line in text.splitlines()[1:]:
        if line.startswith("Name:"):
            name = line.removeprefix("Name:").strip()
        if not line.strip() or line.lstrip().startswith("#") or line.startswith(("Name:", "Columns:")):
            continue
        swatches.append(_gpl_colour(line))
        if len(swatches) > MAX_BLOCKS:
            raise BadInput(f"This palette has more than {MAX_BLOCKS:,} entries; no more are read.")
    return name, swatches


def _gpl_colour(line: str) -> tuple[str, str]:
    found = _TABLE.fullmatch(line)
    if not found or max(int(part) for part in found.group(1, 2, 3)) > 255:
        raise BadInput(DAMAGED)
    colour = written([int(part) / 255 for part in found.group(1, 2, 3)])
    said = (found[4] or "").strip()
    return colour, "" if said.lower() in (colour, "untitled") else said


def _read_json(text: str) -> tuple[str, Swatches]:
    try:
        told = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadInput(DAMAGED) from error
    name = str(told.get("name", "")) if isinstance(told, dict) else ""
    entries = told.get("colours") if isinstance(told, dict) else told
    if not isinstance(entries, list) or len(entries) > MAX_BLOCKS:
        raise BadInput(UNKNOWN)
    swatches = Swatches()
    for entry in entries:
        if isinstance(entry, dict):
            swatches.append((str(entry.get("colour", "")), str(entry.get("name", ""))))
        else:
            swatches.append((str(entry), ""))
    return name, swatches


WRITERS: dict[str, Callable[[Held], bytes]] = {"ase": _write_ase, "gpl": _write_gpl, "json": _write_json}
