"""The jobs that work from words: find a region, repaint it, make pictures from nothing.

The pictures of a batch are published one by one.  A job that is tried again, or taken back from a worker that died,
makes only the pictures that are still missing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from ml_backend.errors import BadInput, Stopped
from ml_backend.models import Job
from ml_backend.serving import jobs, registry, safety

from ..models import FromWords, Imagining, Mask, Photo, Restyle
from .wanted import still_wanted

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
UNPAINTED = "The model gave fewer pictures than were asked for. Those that came are kept; try again for the rest."

Row = TypeVar("Row", bound=FromWords)


def _mask(job: Job) -> Mask:
    mask = Mask.objects.select_related("photo").filter(pk=job.request["mask"]).first()
    if mask is None or mask.request is None:
        raise Stopped("The mask is no longer wanted.")
    return mask


@jobs.handler("text-mask", possible=_mask)
def text_mask(job: Job, report: jobs.Report, should_stop: jobs.ShouldStop) -> jobs.Publish:
    """Request: ``{"mask": id}``.  Fills in the mask's file and what its words were taken for."""
    from .. import pictures

    mask = _mask(job)
    assert mask.request is not None  # else it was stopped above
    photo = pictures.load(str(mask.photo.image), "RGB")
    model = mask.request.model
    look = registry.pipeline("text-mask", model) if model else registry.pipeline("text-mask")
    found = look(
        photo,
        mask.request,
        progress=_upto(report, 0.9),
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
        "params": {**mask.params, "model": model or registry.reference("text-mask")},
    }

    def publish() -> None:
        still_wanted(Mask.objects.filter(pk=mask.pk).update(**fields))

    return publish


def _restyles(job: Job) -> list[Restyle]:
    rows = _missing(Restyle, job)
    if rows and rows[0].mask is None:
        raise BadInput(NO_MASK)
    return rows


def _imaginings(job: Job) -> list[Imagining]:
    return _missing(Imagining, job)


def _cloth(photo: Photo, image: Image, should_stop: jobs.ShouldStop) -> Callable[[], tuple[Any, Any]] | None:
    """Gives what the segmentation sees of the photo: as it was found when the photo came in, else found now."""
    from .. import pictures

    def kept() -> tuple[Any, Any]:
        return pictures.load_mask(str(photo.mask)), pictures.load_labels(str(photo.labels))

    def fresh() -> tuple[Any, Any]:
        found = registry.pipeline("segment")(image, should_stop=should_stop)
        return found.mask, found.labels

    if photo.mask and photo.labels:
        return kept
    return fresh if registry.serves("segment") else None


@jobs.handler("restyle", possible=_restyles)
def restyle(job: Job, report: jobs.Report, should_stop: jobs.ShouldStop) -> jobs.Publish:
    """Request: ``{"batch": id}``.  Repaints the photo of the batch once for each picture that is not made yet."""
    from .. import pictures

    rows = _restyles(job)
    if not rows:
        return _nothing
    photo, mask = rows[0].photo, rows[0].mask
    if mask is None or not mask.ready:
        raise BadInput(NO_MASK)
    report(0.01, "Opening the photo")
    batch = _Batch(job, rows, lambda row, request: restyle_recipe(row, request.to_dict()))
    made = _pipeline(f"restyle-{rows[0].engine}", rows[0])(
        pictures.load(str(photo.image), "RGB"),
        pictures.load_mask(str(mask.file)),
        [row.request for row in rows],
        progress=_upto(report, 0.98),
        should_stop=should_stop,
        preview=batch.show,
        on_image=batch.keep,
    )
    batch.keep_all(made)
    return _nothing


@jobs.handler("imagine", possible=_imaginings)
def imagine(job: Job, report: jobs.Report, should_stop: jobs.ShouldStop) -> jobs.Publish:
    """Request: ``{"batch": id}``.  Makes each picture of the batch that is not made yet."""
    rows = _imaginings(job)
    if not rows:
        return _nothing
    report(0.01, "Reading the words")
    batch = _Batch(job, rows, lambda _, request: imagine_recipe(request.to_dict()))
    made = _pipeline(f"imagine-{rows[0].engine}", rows[0])(
        [row.request for row in rows],
        progress=_upto(report, 0.98),
        should_stop=should_stop,
        preview=batch.show,
        on_image=batch.keep,
    )
    batch.keep_all(made)
    return _nothing


def restyle_recipe(row: Restyle, request: dict[str, Any]) -> dict[str, Any]:
    """What makes this picture again from the same photo; nothing in it says whose or which photo that was."""
    drawn = {"origin": "brush"}
    mask = drawn if row.mask is None or not row.mask.params else {"origin": "words", **row.mask.params}
    return {"made_with": "Toile", "restyle": request, "mask": mask, "photo": "own"}


def imagine_recipe(request: dict[str, Any]) -> dict[str, Any]:
    """What makes this picture again."""
    return {"made_with": "Toile", "imagine": request}


class _Batch:
    """The pictures that one job still has to make, each kept as soon as it is there."""

    def __init__(self, job: Job, rows: Sequence[FromWords], recipe: Callable[[Any, Any], dict[str, Any]]) -> None:
        self.job = job
        self.rows = rows
        self.recipe = recipe
        self._kept: set[int] = set()

    def show(self, image: Image) -> None:
        """Show what is in work; not where pictures are checked, for nobody has checked this one yet."""
        from .. import pictures

        if not safety.checks():
            jobs.show(self.job, lambda: pictures.small(image, jobs.MAX_PREVIEW))

    def keep(self, number: int, made: Any) -> None:
        """Publish one picture, or why it is refused.  One that its owner has deleted meanwhile is dropped."""
        if number in self._kept:
            return
        self._kept.add(number)
        row = self.rows[number]
        refused = made.refused or safety.refusal(made.image, row.prompt)
        fields: dict[str, Any] = {
            "notes": list(made.notes),
            "recipe": self.recipe(row, made.request),
            "refused": refused,
        }
        keys: dict[str, str] = {}
        if not refused:
            keys = self._files(row, made.image, fields["recipe"])
            fields |= {**keys, "width": made.image.width, "height": made.image.height}

        def publish() -> None:
            still_wanted(type(row)._default_manager.filter(pk=row.pk).update(**fields))

        try:
            jobs.publish_part(self.job, publish, keys.values())
        except Stopped:
            return

    def keep_all(self, made: Sequence[Any]) -> None:
        """What was not handed over one by one.  Raises :class:`BadInput` when there is less than was asked for."""
        for number, one in enumerate(made):
            self.keep(number, one)
        if len(self._kept) < len(self.rows):
            raise BadInput(UNPAINTED)

    def _files(self, row: FromWords, image: Image, recipe: dict[str, Any]) -> dict[str, str]:
        from .. import pictures

        names = {"file": "picture.png", "thumb": "thumb.webp"}
        files = pictures.look_files(image, "png", recipe)
        return {name: jobs.save(self.job, row.folder, names[name], data) for name, data in files.items()}


def _missing(model: type[Row], job: Job) -> list[Row]:
    """The pictures of the job that are not made yet; empty when a worker died between the last one and the end."""
    rows = model._default_manager.filter(job=job)
    if not rows.exists():
        raise Stopped("These pictures are no longer wanted.")
    wanted = rows.filter(file="", refused="").order_by("number")
    return list(wanted.select_related("photo", "mask") if model is Restyle else wanted)


def _pipeline(name: str, row: FromWords) -> Any:
    """With the very model that a recipe names, else the one that serves now."""
    model = row.params.get("model")
    return registry.pipeline(name, model) if model else registry.pipeline(name)


def _upto(report: jobs.Report, share: float) -> jobs.Report:
    return lambda fraction, stage: report(fraction * share, stage)


def _quoted(words: str) -> str:
    return f"“{words}”"


def _nothing() -> None:
    """Everything is published already."""
