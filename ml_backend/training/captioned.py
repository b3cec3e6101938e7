"""Recipe: the captioned pictures that the autoencoder and the inpainting model learn from.

Not a network, but the first of the three steps that make ``inpaint-starter``: ``captioned``, ``autoencoder``,
``inpainting``.  The run's ``pictures`` folder is what the other two are given.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from ..pipelines.base import Progress, ShouldStop, check, tell
from .data.captioned import CaptionedPictures, Shares, draw_pictures, find_regions
from .data.captioned_folder import Captioned, write_metadata
from .data.captions import caption
from .run import Run


@dataclass(frozen=True)
class CaptionedRecipe:
    """``count`` pictures of ``size`` pixels; the shares are explained in :class:`.data.captioned.Shares`."""

    street_dir: str = ""
    garment_photos_dir: str = ""
    garment_mattes_dir: str = ""
    recipe: str = "captioned"
    count: int = 9000
    size: int = 192
    whole_share: float = 0.5
    own_cloth: float = 0.2
    plain: float = 0.25
    swatches: float = 0.0
    repeat: tuple[float, float] = (0.25, 0.6)
    recognised: bool = False
    folder: bool = False
    workers: int = 1
    seed: int = 7


def train(
    config: CaptionedRecipe, run: Run, *, progress: Progress | None = None, should_stop: ShouldStop | None = None
) -> None:
    """Draw all pictures, with ``config.workers`` processes; with ``config.folder`` a folder with captions as well."""
    check(should_stop)
    singles = (Path(config.garment_photos_dir), Path(config.garment_mattes_dir)) if config.garment_photos_dir else None
    street = Path(config.street_dir) if config.street_dir else None
    regions = []
    if config.swatches < 1:
        regions = find_regions(street, *(singles or (None, None)), validation=False)
    tell(progress, 0.0, f"Dressing {len(regions)} garments")
    told = (config.whole_share, config.own_cloth, config.plain, config.swatches)
    shares = Shares(*told, config.repeat, config.recognised)
    pictures = draw_pictures(
        regions,
        config.count,
        size=config.size,
        seed=config.seed,
        shares=shares,
        workers=config.workers,
        progress=progress,
        should_stop=should_stop,
    )
    pictures.save(run.path / "pictures")
    if config.folder:
        write_folder(pictures, run.path / "folder", config.seed)
    tell(progress, 1.0, f"{config.count} pictures drawn")


def write_folder(pictures: CaptionedPictures, folder: Path, seed: int) -> None:
    """The pictures as :mod:`.data.captioned_folder` reads them, each with one wording of what is known of it."""
    made = []
    for number, words in enumerate(pictures.words):
        name = f"{number:05d}.png"
        image, mask = pictures.images[number], pictures.masks[number]
        parts = {"images": image} if mask.all() else {"images": image, "masks": mask.astype(np.uint8) * 255}
        for part, pixels in parts.items():
            (folder / part).mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.asarray(pixels)).save(folder / part / name)
        said = caption(words, np.random.default_rng((seed, number)))
        made.append(Captioned(folder / "images" / name, said, folder / "masks" / name if "masks" in parts else None))
    write_metadata(folder, made)
