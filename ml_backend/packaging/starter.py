"""The starter models that ship in ``ml_backend/weights``."""

from __future__ import annotations

from pathlib import Path

from ..errors import BadPackage
from .package import Package

WEIGHTS_DIR = Path(__file__).resolve().parent.parent / "weights"

GENERATOR = "xgan-starter"
"""The starter that dreams fabrics where no other is named."""


def starter(name: str) -> Package:
    """The shipped package of that folder name, verified.  Raises :class:`BadPackage` when there is none."""
    if not (WEIGHTS_DIR / name).is_dir():
        raise BadPackage(f"There is no starter model called {name!r}.")
    return Package.load(WEIGHTS_DIR / name)


def package_of(folder: Path | None, name: str) -> Package:
    """The package of a folder, or the starter of that name where none is given.  Raises :class:`BadPackage`."""
    return starter(name) if folder is None else Package.load(folder)
