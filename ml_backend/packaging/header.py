"""The header of a safetensors file and the JSON beside it, read as strictly as somebody else's file deserves.

The format (https://github.com/huggingface/safetensors#format): eight bytes with the length of a JSON header, the header
with dtype, shape and offsets of every tensor, then the bytes of the tensors one after the other, without holes.
"""

from __future__ import annotations

import json
import math
import struct
from pathlib import Path
from typing import Any

from ..errors import BadPackage

MAX_HEADER_BYTES = 16 * 1024 * 1024
"""The longest that are published, of mixtures of hundreds of layers in one file, have about two."""
MAX_DIMENSIONS = 16
MAX_SIDE = 2**48

BITS = {
    **dict.fromkeys(("BOOL", "U8", "I8", "F8_E4M3", "F8_E5M2", "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ"), 8),
    **dict.fromkeys(("I16", "U16", "F16", "BF16"), 16),
    **dict.fromkeys(("I32", "U32", "F32"), 32),
    **dict.fromkeys(("I64", "U64", "F64", "C64"), 64),
    "F4": 4,
    "F6_E2M3": 6,
    "F6_E3M2": 6,
}
"""Bits of one number, by dtype."""

Tensors = dict[str, tuple[str, tuple[int, ...]]]
"""Name -> (dtype, shape)."""


def strict_json(text: str | bytes) -> Any:
    """The value of a JSON text.

    Raises :class:`ValueError` for anything else, and for what Python reads beyond JSON: NaN and infinities, however
    they are written, names that come twice, and values nested so deeply that nothing honest is.
    """
    try:
        return json.loads(text, parse_constant=_no_number, parse_float=_finite, object_pairs_hook=_named_once)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def tensors_of(file: Path) -> Tensors:
    """The tensors of a safetensors file, from its header.

    Raises :class:`BadPackage` when the file is not whole, or its header could not have been written by the library.
    """
    size = file.stat().st_size
    try:
        with file.open("rb") as stream:
            (length,) = struct.unpack("<Q", stream.read(8))
            if length > size - 8:
                raise ValueError("it is cut short")
            if length > MAX_HEADER_BYTES:
                raise ValueError("its header is too long")
            header = strict_json(stream.read(length))
        return _checked(header, size - 8 - length)
    except (struct.error, ValueError) as error:
        raise BadPackage(f"{file.name} is no whole safetensors file: {_reason(error)}.") from error


def _checked(header: Any, size: int) -> Tensors:
    """Raises :class:`ValueError` unless the tensors fill ``size`` bytes, each as many as its shape needs."""
    if not isinstance(header, dict):
        raise ValueError("its header is not an object")
    tensors: Tensors = {}
    pieces = []
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
            raise ValueError(f"{_short(name)} is not described as a tensor")
        dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
        if not isinstance(dtype, str) or dtype not in BITS:
            raise ValueError(f"{_short(name)} has an unknown kind of numbers")
        if not _are_counts(shape, MAX_SIDE) or len(shape) > MAX_DIMENSIONS:
            raise ValueError(f"{_short(name)} has an impossible shape")
        if not _are_counts(offsets, size) or len(offsets) != 2:
            raise ValueError(f"{_short(name)} lies outside of the file, which may be cut short")
        bits = math.prod(shape) * BITS[dtype]
        if bits != 8 * (offsets[1] - offsets[0]):
            raise ValueError(f"{_short(name)} has not the size of its shape")
        tensors[name] = (dtype, tuple(shape))
        pieces.append((offsets[0], offsets[1]))
    end = 0
    for begin, after in sorted(pieces):
        if begin != end:
            raise ValueError("its tensors overlap, or leave holes")
        end = after
    if end != size:
        raise ValueError(f"it is cut short, or longer than its tensors: {size} bytes of them instead of {end}")
    return tensors


def _are_counts(values: Any, most: int) -> bool:
    """Whether it is a list of whole numbers from 0 to ``most``; true and false are no numbers here."""
    return isinstance(values, list) and all(type(value) is int and 0 <= value <= most for value in values)


def _short(name: str) -> str:
    return repr(name[:80])


def _reason(error: Exception) -> str:
    return "it is cut short" if isinstance(error, struct.error) else str(error)[:300].rstrip(".")


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is no number of JSON")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text[:40]} is too large a number")
    return value


def _named_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) != len(pairs):
        raise ValueError("a name comes twice")
    return values
