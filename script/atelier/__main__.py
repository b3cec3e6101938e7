"""``script/garments SLUG...|--all --out DIR``: cut, drape and photograph the default garments again, front and back."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from ml_backend.garments import ROOT, SIDES

from .design import make, picture
from .designs import COLLECTION
from .export import write


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status 0, or 2 with one line on a slug that is not in the collection."""
    parser = argparse.ArgumentParser(prog="script/garments", description=__doc__)
    parser.add_argument("slugs", nargs="*", metavar="SLUG", help=", ".join(COLLECTION))
    parser.add_argument("--all", action="store_true", help="every garment of the collection")
    parser.add_argument(
        "--out", type=Path, default=ROOT, help="where SLUG and SLUG-back are made (default: where the site reads)"
    )
    parser.add_argument("--draft", action="store_true", help="small and rough, in a fraction of the time")
    parser.add_argument("--threads", type=int, default=0, help="processors that render (default: all)")
    options = parser.parse_args(arguments)
    slugs = list(COLLECTION) if options.all else options.slugs
    unknown = [slug for slug in slugs if slug not in COLLECTION]
    if unknown or not slugs:
        said = f"There is no garment {unknown[0]!r}" if unknown else "Name a garment, or say --all"
        sys.stderr.write(f"{said}; the collection has {', '.join(COLLECTION)}.\n")
        return 2
    for slug in slugs:
        _make(slug, options.out, options.draft, options.threads)
    sys.stdout.flush()
    os._exit(0)  # Blender's own clean-up at exit complains of pictures that are still in memory


def _make(slug: str, out: Path, draft: bool, threads: int) -> None:
    design = COLLECTION[slug]
    print(f"{slug}: draping")
    mesh = make(design, spacing=design.spacing * 1.6, effort=0.6) if draft else make(design)
    for side in SIDES:
        back = side == "back"
        print(f"{slug}: photographing the {side}")
        small, samples = (0.4, 6) if draft else (1.0, 12)
        shot = picture(design, mesh, back=back, small=small, samples=samples, threads=threads)
        write(design, shot, out / (f"{slug}-back" if back else slug), back=back)


if __name__ == "__main__":
    sys.exit(main())
