"""``script/garments SLUG...|--all --out DIR``: cut, drape and photograph the default garments again."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from ml_backend.garments import ROOT

from .design import make, picture
from .designs import COLLECTION
from .export import write


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status 0, or 2 with one line on a slug that is not in the collection."""
    parser = argparse.ArgumentParser(prog="script/garments", description=__doc__)
    parser.add_argument("slugs", nargs="*", metavar="SLUG", help=", ".join(COLLECTION))
    parser.add_argument("--all", action="store_true", help="every garment of the collection")
    parser.add_argument(
        "--out", type=Path, default=ROOT, help="where the folder SLUG is made (default: where the site reads)"
    )
    parser.add_argument("--draft", action="store_true", help="small and rough, in a fraction of the time")
    options = parser.parse_args(arguments)
    slugs = list(COLLECTION) if options.all else options.slugs
    unknown = [slug for slug in slugs if slug not in COLLECTION]
    if unknown or not slugs:
        said = f"There is no garment {unknown[0]!r}" if unknown else "Name a garment, or say --all"
        sys.stderr.write(f"{said}; the collection has {', '.join(COLLECTION)}.\n")
        return 2
    for slug in slugs:
        design = COLLECTION[slug]
        sys.stdout.write(f"{slug}: draping\n")
        mesh = make(design, spacing=design.spacing * 1.6, effort=0.6) if options.draft else make(design)
        sys.stdout.write(f"{slug}: photographing\n")
        shot = picture(design, mesh, size=(600, 750) if options.draft else None)
        write(design, shot, options.out / slug)
        sys.stdout.write(f"{slug}: {options.out / slug}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
