"""A CMYK printer profile made by hand, small and legal: ICC.1:2022 with the two tables that a printer's has."""

from __future__ import annotations

import struct

import numpy as np

from ml_backend.colour import from_lab, lab, rgb_of


def cmyk_profile(grid: int = 5, strength: float = 0.85) -> bytes:
    """Inks that take away red, green and blue by ``strength`` at most: bright colours are out of its gamut."""
    steps = np.linspace(0, 1, grid)
    c, m, y, k = np.meshgrid(steps, steps, steps, steps, indexing="ij")
    light = np.stack([(1 - strength * ink) * (1 - 0.95 * k) for ink in (c, m, y)], -1)
    to_lab = _pcs(lab((light * 255).astype(np.float32)))
    side = 9
    axis = np.linspace(0, 1, side)
    lightness, a, b = np.meshgrid(axis, axis, axis, indexing="ij")
    wanted = np.stack([lightness * 100, a * 255 - 128, b * 255 - 128], -1).reshape(-1, 3).astype(np.float32)
    rgb = np.array([rgb_of(from_lab(one)) for one in wanted]) / 255
    black = np.clip(1 - rgb.max(axis=1, keepdims=True), 0, 1)
    inks = np.clip((1 - rgb / np.maximum(1 - 0.95 * black, 0.05)) / strength, 0, 1)
    tags = {
        b"desc": b"desc\0\0\0\0" + struct.pack(">I", 13) + b"Test printer\0" + bytes(78),
        b"wtpt": b"XYZ \0\0\0\0" + struct.pack(">3i", 63190, 65536, 54061),
        b"cprt": b"text\0\0\0\0" + b"CC0\0",
        b"A2B0": _lut(4, 3, grid, np.rint(to_lab * 65535)),
        b"B2A0": _lut(3, 4, side, np.rint(np.concatenate([inks, black], 1) * 65535)),
    }
    return _profile(tags)


def _pcs(values: np.ndarray) -> np.ndarray:
    """CIELAB as a 16-bit table of version 2 has it, 0..1: L of 100 is 0xff00."""
    flat = values.reshape(-1, 3) + np.array([0, 128, 128])
    return np.clip(flat / np.array([100, 255, 255]) * (0xFF00 / 0xFFFF), 0, 1)


def _lut(inputs: int, outputs: int, grid: int, table: np.ndarray) -> bytes:
    head = b"mft2\0\0\0\0" + struct.pack(">4B", inputs, outputs, grid, 0)
    matrix = struct.pack(">9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 65536)
    line = struct.pack(">2H", 0, 65535)
    data = table.astype(">u2").tobytes()
    return head + matrix + struct.pack(">2H", 2, 2) + line * inputs + data + line * outputs


def _profile(tags: dict[bytes, bytes]) -> bytes:
    offset = 128 + 4 + 12 * len(tags)
    table, body = struct.pack(">I", len(tags)), b""
    for name, data in tags.items():
        data += bytes(-len(data) % 4)
        table += struct.pack(">4s2I", name, offset + len(body), len(data))
        body += data
    head = bytearray(128)
    struct.pack_into(">I", head, 0, 128 + len(table) + len(body))
    head[8:12] = b"\2\x40\0\0"
    head[12:24] = b"prtrCMYKLab "
    struct.pack_into(">6H", head, 24, 2026, 1, 1, 0, 0, 0)
    head[36:40] = b"acsp"
    struct.pack_into(">3i", head, 68, 63190, 65536, 54061)
    return bytes(head) + table + body
