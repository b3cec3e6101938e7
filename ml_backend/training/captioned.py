"""Recipe: the captioned pictures that the autoencoder and the inpainting model learn from.

Not a network, but the first of the three steps that make ``inpaint-starter``: ``captioned``, ``autoencoder``,
``inpainting``.  The run's ``pictures`` folder is what the other two are given.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..pipelines.base import Progress, ShouldStop, check, tell
from .data.captioned import Shares, draw_pictures, find_regions
from .run import Run


@dataclass(frozen=True)
class CaptionedRecipe:
    """``count`` pictures of ``size`` pixels; the shares are explained in :class:`.data.captioned.Shares`."""

    street_dir: str
    garment_photos_dir: str = ""
    garment_mattes_dir: str = ""
    recipe: str = "captioned"
    count: int = 9000
    size: int = 192
    whole_share: float = 0.5
    own_cloth: float = 0.2
    plain: float = 0.25
    swatches: float = 0.0
    workers: int = 1
    seed: int = 7


def train(
    config: CaptionedRecipe, run: Run, *, progress: Progress | None = None, should_stop: ShouldStop | None = None
) -> None:
    """Draw all pictures, with ``config.workers`` processes."""
    check(should_stop)
    singles = (Path(config.garment_photos_dir), Path(config.garment_mattes_dir)) if config.garment_photos_dir else None
    regions = find_regions(Path(config.street_dir), *(singles or (None, None)), validation=False)
    tell(progress, 0.0, f"Dressing {len(regions)} garments")
    pictures = draw_pictures(
        regions,
        config.count,
        size=config.size,
        seed=config.seed,
        shares=Shares(config.whole_share, config.own_cloth, config.plain, config.swatches),
        workers=config.workers,
    )
    pictures.save(run.path / "pictures")
    tell(progress, 1.0, f"{config.count} pictures drawn")
