"""The jobs of the Restyle page: find a region by words, repaint it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ml_backend.errors import BadInput, Stopped
from ml_backend.models import Job
from ml_backend.serving import jobs, loading, registry
from patterns.made import still_wanted

from ..painting import Batch, missing, nothing, upto
from ..photos.models import Mask, Photo
from .models import Restyle

if TYPE_CHECKING:
    from PIL.Image import Image


LEAST_SHARE = 0.0005
"""Share of the photo that a mask must cover to be worth repainting: a shoe in the distance, not a speck."""

NOT_FOUND = (
    "We could not find {words} in this photo. Nothing of yours is lost; "
    "try other words, or mark the place with the brush."
)

UNKNOWN = (
    "We do not know {words}: the words known here are those for clothes, shoes, bags, hair and people. "
    "Nothing of yours is lost; try one of these, or mark the place with the brush."
)

NO_MASK = "The mask of this picture is gone. The photo is kept; mark again what to change."


def _mask(job: Job) -> Mask:
    mask = Mask.objects.select_related("photo").filter(job=job).first()
    if mask is None or mask.request is None:
        raise Stopped("The mask is no longer wanted.")
    return mask


@jobs.handler("text-mask", possible=_mask)
def text_mask(job: Job, report: jobs.Report, should_stop: jobs.ShouldStop) -> jobs.Publish:
    """Fills in the mask's file and what its words were taken for."""
    from .. import pictures

    mask = _mask(job)
    assert mask.request is not None  # else it was stopped above
    photo = pictures.load(str(mask.photo.image), "RGB")
    model = mask.request.model
    told: list[str] = []
    with registry.heard(told.append):
        look = loading.pipeline("text-mask", model) if model else loading.pipeline("text-mask")
    found = look(
        photo,
        mask.request,
        progress=upto(report, 0.9),
        should_stop=should_stop,
        cloth=_cloth(mask.photo, photo, should_stop),
    )
    if not any(phrase.known for phrase in found.phrases if not phrase.subtract):
        unknown = [phrase.text for phrase in found.phrases if not phrase.known]
        if unknown:
            raise BadInput(UNKNOWN.format(words=", ".join(_quoted(text) for text in unknown)))
    if (found.mask > 0.5).mean() < LEAST_SHARE:
        raise BadInput(NOT_FOUND.format(words=_quoted(mask.words)))
    report(0.95, "Writing the mask")
    key = jobs.save(job, mask.folder, "mask.png", pictures.mask_file(found.mask))
    fields: dict[str, Any] = {
        "file": key,
        "found": [
            {
                "text": phrase.text,
                "subtract": phrase.subtract,
                "confidence": round(float(phrase.confidence), 4),
                **({} if phrase.known else {"known": False}),
            }
            for phrase in found.phrases
        ],
        "params": {**mask.params, "model": model or (told or [registry.reference("text-mask")])[0]},
    }

    def publish() -> None:
        still_wanted(Mask.objects.filter(pk=mask.pk).update(**fields))

    return publish


def _restyles(job: Job) -> list[Restyle]:
    rows = missing(Restyle.objects.select_related("photo", "mask"), job)
    if rows and rows[0].mask is None:
        raise BadInput(NO_MASK)
    return rows


def _cloth(photo: Photo, image: Image, should_stop: jobs.ShouldStop) -> Callable[[], tuple[Any, Any]] | None:
    """Gives what the segmentation sees of the photo: as it was found when the photo came in, else found now."""
    from .. import pictures

    def kept() -> tuple[Any, Any]:
        return pictures.load_mask(str(photo.mask)), pictures.load_labels(str(photo.labels))

    def fresh() -> tuple[Any, Any]:
        found = loading.pipeline("segment")(image, should_stop=should_stop)
        return found.mask, found.labels

    if photo.mask and photo.labels:
        return kept
    return fresh if registry.serves("segment") else None


@jobs.handler("restyle", possible=_restyles)
def restyle(job: Job, report: jobs.Report, should_stop: jobs.ShouldStop) -> jobs.Publish:
    """Repaints the photo of the batch once for each picture that is not made yet."""
    from .. import pictures

    rows = _restyles(job)
    if not rows:
        return nothing
    photo, mask = rows[0].photo, rows[0].mask
    if mask is None or not mask.ready:
        raise BadInput(NO_MASK)
    report(0.01, "Opening the photo")
    batch = Batch(job, rows, lambda row, request: restyle_recipe(row, request.to_dict()))
    given = pictures.load(str(photo.image), "RGB"), pictures.load_mask(str(mask.file))
    return batch.paint("restyle", report, should_stop, *given)


def restyle_recipe(row: Restyle, request: dict[str, Any]) -> dict[str, Any]:
    """What makes this picture again from the same photo; nothing in it says whose or which photo that was."""
    drawn = {"origin": "brush"}
    mask = drawn if row.mask is None or not row.mask.params else {"origin": "words", **row.mask.params}
    return {"made_with": "Toile", "restyle": request, "mask": mask, "photo": "own"}


def _quoted(words: str) -> str:
    return f"“{words}”"
