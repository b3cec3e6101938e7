"""The jobs of photos: find the cloth, correct by hand what was found, answer taps."""

from __future__ import annotations

from typing import Any

import numpy as np
from django.db import transaction

from ml_backend.errors import BadInput, Stopped
from ml_backend.models import Job
from ml_backend.requests import TapRequest, parse_garment
from ml_backend.serving import jobs, loading
from ml_backend.serving.storage import delete_files
from patterns.made import still_wanted, wanted

from .fitting import fit, remember
from .mending import MendRequest
from .models import Mask, Photo

NO_CLOTH = (
    "We could not find any clothes in this photo. The photo is kept; "
    "try one in which the person or the garment is larger and well lit."
)


def _photo(job: Job) -> Photo:
    return wanted(Photo.objects.filter(job=job), "The photo is no longer there.")


@jobs.handler("segment", possible=_photo)
def segment(job: Job, report: jobs.Report, should_stop: jobs.ShouldStop) -> jobs.Publish:
    """Fills in the photo's mask, labels, previews and fit."""
    from .. import pictures

    photo = _photo(job)
    image = pictures.load(str(photo.image), "RGB")
    found = loading.pipeline("segment")(
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
    fitted = fit(image, mask, labels)
    fitted = fitted.scaled(photo.fit.get(pictures.FULL_SCALE, fitted.px_per_cm))
    report(0.9, "Laying out the previews")
    files, data = pictures.fitted_files(image, fitted)
    keys = {name: jobs.save(job, photo.folder, pictures.SUFFIXES[name], content) for name, content in files.items()}
    remember(keys["mask"], fitted)
    return {**keys, "fit": data, "classes": data.get("classes", [])}


@jobs.handler("mend", possible=_photo)
def mend(job: Job, report: jobs.Report, should_stop: jobs.ShouldStop) -> jobs.Publish:
    """Request: a :class:`MendRequest`.  Writes mask and class map anew, with fit and previews; keeps what was found."""
    from .. import pictures

    photo = _photo(job)
    report(0.05, "Opening the photo")
    image = pictures.load(str(photo.image), "RGB")
    request = jobs.asked(job, MendRequest)
    drawn = Mask.objects.filter(pk=request.mask).first() if request.mask else None
    mask, labels, found = _mended(photo, request.garment, drawn)
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


NO_TAPS = "The model that finds clothes here knows no taps. What is marked so far is safe; use the brush instead."

NOTHING_THERE = "Nothing was found where you tapped. What is marked so far is safe; tap elsewhere, or use the brush."

NOTHING_TO_TAKE = (
    "Nothing could be told from the garment where you tapped. "
    "What is marked so far is safe; tap elsewhere, or use the eraser."
)

_SURE = 0.5

_seen: dict[tuple[str, str], Any] = {}
"""The photo tapped last, as the network saw it, by model and key: who taps once taps again."""


def _draft(job: Job) -> Mask:
    return wanted(Mask.objects.select_related("photo").filter(job=job), "The tap is no longer wanted.")


@jobs.handler("tap", possible=_draft)
def tap(job: Job, report: jobs.Report, should_stop: jobs.ShouldStop) -> jobs.Publish:
    """Request: a :class:`TapRequest` of the photo.  Fills in what the last tap adds or takes."""
    from ml_backend.pipelines import mending

    from .. import pictures

    mask = _draft(job)
    request = jobs.asked(job, TapRequest)
    photo = mask.photo
    if not photo.ready or request.garment not in photo.classes:
        raise BadInput("This garment is not in the photo any more. Nothing of yours is lost; choose one that is.")
    report(0.05, "Opening the photo")
    garment = mending.of_garment(
        pictures.load_mask(str(photo.mask)), pictures.load_labels(str(photo.labels)), parse_garment(request.garment)
    )
    network = loading.pipeline("segment")
    if not network.knows_taps:
        raise BadInput(NO_TAPS)
    report(0.2, "Looking at the photo")
    encoded = _encoded(network, str(photo.image))
    if should_stop():
        raise Stopped("The tap is no longer wanted.")
    report(0.6, "Following the garment")
    answer = _meant(network, encoded, request, garment)
    key = jobs.save(job, mask.folder, "mask.png", pictures.mask_file(mending.reduced(answer)))

    def publish() -> None:
        still_wanted(Mask.objects.filter(pk=mask.pk).update(file=key))

    return publish


def _meant(network: Any, encoded: Any, request: TapRequest, garment: Any) -> Any:
    """The soft mask (H,W) of what the last tap adds to the ``garment`` or, off it, of what it takes away.

    What is taken is what the garment loses by that tap, and the thing that was tapped as far as it is not the
    garment's: the hand may have painted it in without the network knowing.
    """
    from ml_backend.pipelines.hints import Tap

    taps = [Tap(*each) for each in request.taps]
    last = taps[-1]
    now = network.tap(encoded, taps, garment)
    if last.on:
        if not (now > _SURE).any():
            raise BadInput(NOTHING_THERE)
        return now
    before = network.tap(encoded, taps[:-1], garment) if taps[:-1] else garment
    thing = network.tap(encoded, [Tap(last.x, last.y)])
    taken = np.maximum(before, thing) * (1 - now)
    if not (taken > _SURE).any():
        raise BadInput(NOTHING_TO_TAKE)
    return taken


def _encoded(network: Any, key: str) -> Any:
    from .. import pictures

    known = (str(network.model), key)
    if known not in _seen:
        encoded = network.encode(pictures.load(key, "RGB"))
        _seen.clear()
        _seen[known] = encoded
    return _seen[known]
