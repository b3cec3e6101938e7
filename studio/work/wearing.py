"""The jobs of the workspace: find the cloth in a photo, render a look at full size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from django.db import transaction

from ml_backend import garments
from ml_backend.errors import BadInput, Stopped
from ml_backend.models import Job
from ml_backend.requests import parse_garment
from ml_backend.serving import jobs, registry
from ml_backend.serving.storage import delete_files

from ..models import Garment, Look, Mask, Photo, Wearable
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
    fields = _laid_out(job, photo, image, found.mask, found.labels, report)

    def publish() -> None:
        still_wanted(Photo.objects.filter(pk=photo.pk).update(**fields))

    return publish


def _laid_out(job: Job, photo: Photo, image: Any, mask: Any, labels: Any, report: jobs.Report) -> dict[str, Any]:
    """The fit of ``image`` and its previews, saved; the fields of ``photo`` that tell of them.

    A photo that was fitted before keeps its scale: a fabric on it does not grow because an edge was mended.
    """
    from .. import pictures

    report(0.65, "Reading folds and light")
    fitted = _fit(image, mask, labels)
    fitted = fitted.scaled(photo.fit.get(pictures.FULL_SCALE, fitted.px_per_cm))
    report(0.9, "Laying out the previews")
    files, data = pictures.fitted_files(image, fitted)
    keys = {name: jobs.save(job, photo.folder, pictures.SUFFIXES[name], content) for name, content in files.items()}
    _remember(keys["mask"], fitted)
    return {**keys, "fit": data, "classes": data.get("classes", [])}


@jobs.handler("mend", possible=_photo)
def mend(job: Job, report: jobs.Report, should_stop: jobs.ShouldStop) -> jobs.Publish:
    """Request: ``{"photo": id, "garment": name, "mask": id of the drawn one}``, or no names: back to what was found.

    Writes mask and class map anew, fits and previews with them; what was found is kept beside them.
    """
    from .. import pictures

    photo = _photo(job)
    report(0.05, "Opening the photo")
    image = pictures.load(str(photo.image), "RGB")
    drawn = Mask.objects.filter(pk=job.request["mask"]).first() if job.request["mask"] else None
    mask, labels, found = _mended(photo, job.request["garment"], drawn)
    if should_stop():
        raise Stopped("The correction is no longer wanted.")
    fields = {**_laid_out(job, photo, image, mask, labels, report), **found}
    old = [str(getattr(photo, field)) for field in Photo.file_fields if field in fields]
    gone = sorted({key for key in old if key} - {str(value) for value in fields.values() if isinstance(value, str)})

    def publish() -> None:
        still_wanted(Photo.objects.filter(pk=photo.pk, mask=str(photo.mask)).update(**fields))
        transaction.on_commit(lambda: delete_files(gone))
        Mask.objects.filter(photo=photo, origin=Mask.Origin.TAPS).delete()
        if drawn is not None:
            drawn.delete()

    return publish


def _mended(photo: Photo, name: str, drawn: Mask | None) -> tuple[Any, Any, dict[str, str]]:
    """The mask and class map, and where those that were found are kept."""
    from ml_backend.pipelines import mending

    from .. import pictures

    if not name:
        if not photo.mended:
            raise BadInput("The garments of this photo are as they were found.")
        mask, labels = pictures.load_mask(str(photo.found_mask)), pictures.load_labels(str(photo.found_labels))
        return mask, labels, {"found_mask": "", "found_labels": ""}
    if drawn is None or not drawn.file:
        raise BadInput("What was painted is gone. The garments are as they were; mark again what to change.")
    mask, labels = pictures.load_mask(str(photo.mask)), pictures.load_labels(str(photo.labels))
    mask, labels = mending.mend(mask, labels, parse_garment(name), pictures.load_mask(str(drawn.file)))
    found = (photo.found_mask, photo.found_labels) if photo.mended else (photo.mask, photo.labels)
    return mask, labels, {"found_mask": str(found[0]), "found_labels": str(found[1])}


def _look(job: Job) -> Look:
    look = Look.objects.select_related("photo", "garment").with_parts().filter(pk=job.request["look"]).first()
    if look is None:
        raise Stopped("The look is no longer wanted.")
    patterns = [part.pattern for part in look.parts.all()]
    if not patterns or None in patterns:
        raise BadInput(NO_PATTERN if len(patterns) <= 1 else NO_PATTERN.replace("The pattern", "A pattern"))
    return look


@jobs.handler("wear", possible=_look)
def wear(job: Job, report: jobs.Report, should_stop: jobs.ShouldStop) -> jobs.Publish:
    """Request: an :class:`OutfitRequest` and ``look``.  Renders the look at its photo's full size."""
    from ml_backend.pipelines import overlay

    from .. import pictures

    look = _look(job)
    tiles = _tiles(look)
    if not look.wearable.ready:
        raise BadInput("The clothes in this photo have not been found yet. Try the photo again first.")
    report(0.02, "Opening the photo")
    photo, fitted = _fitted(look.wearable)
    fabrics = [pictures.load(tile, "RGB") for tile in tiles]
    worn = overlay.dress(
        photo, fitted, fabrics, look.outfit, lambda share, stage: report(0.2 + share * 0.6, stage), should_stop
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
    """What makes this look again, given the same photo; nothing in it says whose or which photo that was.

    Of an outfit with one pattern ``overlay`` and ``pattern`` tell it, of any other the list ``parts`` of such pairs.
    """
    worn_on = {"garment": look.garment.slug} if look.garment else {"photo": "own"}
    parts = [
        {"overlay": part.request.to_dict(), "pattern": part.pattern.recipe() if part.pattern else None}
        for part in look.parts.all()
    ]
    told = parts[0] if len(parts) == 1 else {"parts": parts}
    return {"made_with": "Toile", **told, **worn_on}


def _tiles(look: Look) -> list[str]:
    """Storage keys, one a part: the print-size tile where there is one, as a pattern worn large stays sharp with it."""
    patterns = [part.pattern for part in look.parts.all()]
    there = [pattern for pattern in patterns if pattern is not None and pattern.ready]
    if len(there) < len(patterns):
        raise BadInput(NO_PATTERN)
    return [str(pattern.large or pattern.tile) for pattern in there]


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
