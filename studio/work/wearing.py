"""The jobs of the workspace: find the cloth in a photo, render a look at full size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ml_backend import garments, jobs, registry
from ml_backend.errors import BadInput, Stopped
from ml_backend.models import Job

from ..models import Garment, Look, Photo, Wearable
from .wanted import still_wanted

if TYPE_CHECKING:
    from ml_backend.pipelines.overlay import Fit

NO_CLOTH = (
    "We could not find any clothes in this photo. The photo is kept; "
    "try one in which the person or the garment is larger and well lit."
)

NO_PATTERN = "The pattern of this look was deleted. The photo is kept; choose another pattern."

_fits: dict[str, Fit] = {}
"""The fit of the photo used last, by its mask's key: a person tries several looks on one photo."""


def _photo(job: Job) -> Photo:
    photo = Photo.objects.filter(pk=job.request["photo"]).first()
    if photo is None:
        raise Stopped("The photo is no longer there.")
    return photo


@jobs.handler("segment", possible=_photo)
def segment(job: Job, report: jobs.Report, should_stop: jobs.ShouldStop) -> jobs.Publish:
    """Request: ``{"photo": id}``.  Fills in the photo's mask, labels, previews and fit."""
    from .. import pictures

    photo = _photo(job)
    image = pictures.load(str(photo.image), "RGB")
    found = registry.pipeline("segment")(
        image, progress=lambda share, stage: report(share * 0.6, stage), should_stop=should_stop
    )
    if not (found.mask > 0.5).any():
        raise BadInput(NO_CLOTH)
    report(0.65, "Reading folds and light")
    fitted = _fit(image, found.mask, found.labels)
    report(0.9, "Laying out the previews")
    files, data = pictures.fitted_files(image, fitted)
    keys = {name: jobs.save(job, photo.folder, pictures.SUFFIXES[name], content) for name, content in files.items()}
    _remember(keys["mask"], fitted)

    def publish() -> None:
        rows = Photo.objects.filter(pk=photo.pk).update(fit=data, classes=data.get("classes", []), **keys)
        still_wanted(rows)

    return publish


def _look(job: Job) -> Look:
    look = Look.objects.select_related("pattern", "photo", "garment").filter(pk=job.request["look"]).first()
    if look is None:
        raise Stopped("The look is no longer wanted.")
    if look.pattern is None:
        raise BadInput(NO_PATTERN)
    return look


@jobs.handler("wear", possible=_look)
def wear(job: Job, report: jobs.Report, should_stop: jobs.ShouldStop) -> jobs.Publish:
    """Request: an :class:`OverlayRequest` and ``look``.  Renders the look at its photo's full size."""
    from ml_backend.pipelines import overlay

    from .. import pictures

    look = _look(job)
    if look.pattern is None or not look.pattern.ready:
        raise BadInput(NO_PATTERN)
    if not look.wearable.ready:
        raise BadInput("The clothes in this photo have not been found yet. Try the photo again first.")
    report(0.02, "Opening the photo")
    photo, fitted = _fitted(look.wearable)
    tile = pictures.load(_best_tile(look), "RGB")
    worn = overlay.wear(
        photo, fitted, tile, look.request, lambda share, stage: report(0.2 + share * 0.6, stage), should_stop
    )
    report(0.85, "Writing the picture")
    recipe = recipe_of(look)
    files = pictures.look_files(worn, look.format, recipe)
    names = {"file": "look.png" if look.format == Look.Format.PNG else "look.jpg", "thumb": "thumb.webp"}
    keys = {name: jobs.save(job, look.folder, names[name], content) for name, content in files.items()}

    def publish() -> None:
        still_wanted(Look.objects.filter(pk=look.pk).update(recipe=recipe, **keys))

    return publish


def recipe_of(look: Look) -> dict[str, Any]:
    """What makes this look again, given the same photo; nothing in it says whose or which photo that was."""
    worn_on = {"garment": look.garment.slug} if look.garment else {"photo": "own"}
    pattern = look.pattern.recipe() if look.pattern else None
    return {"made_with": "Toile", "overlay": look.request.to_dict(), "pattern": pattern, **worn_on}


def _best_tile(look: Look) -> str:
    """The print-size tile where there is one: a pattern worn large stays sharp."""
    assert look.pattern is not None
    return str(look.pattern.large or look.pattern.tile)


def _fitted(wearable: Wearable) -> tuple[Any, Fit]:
    from .. import pictures

    photo = pictures.load(str(wearable.image), "RGB")
    key = str(wearable.mask)
    if key not in _fits:
        labels = pictures.load_labels(str(wearable.labels)) if wearable.labels else None
        fitted = _fit(photo, pictures.load_mask(key), labels)
        if isinstance(wearable, Garment):
            fitted = garments.known(fitted, garments.ROOT / wearable.slug)
            # The preview was laid out by the stored scale, which for a garment of ours is known rather than guessed.
            fitted = fitted.scaled(wearable.fit.get(pictures.FULL_SCALE, fitted.px_per_cm))
        _remember(key, fitted)
    return photo, _fits[key]


def _fit(photo: Any, mask: Any, labels: Any) -> Fit:
    """The fit as it will be read back: the mask at the 8 bits it is stored with, so a look is the same either way."""
    from ml_backend.pipelines import overlay

    stored = np.rint(mask * 255).astype(np.float32) / np.float32(255)
    read = registry.surface_reader()
    return overlay.fit(photo, stored, labels, read(photo, stored, labels) if read else None)


def _remember(key: str, fitted: Fit) -> None:
    _fits.clear()
    _fits[key] = fitted
