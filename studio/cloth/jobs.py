"""The job that cuts a fabric from a photo of a cloth."""

from __future__ import annotations

from ml_backend.errors import BadInput
from ml_backend.models import Job
from ml_backend.requests import ClothRequest
from ml_backend.serving import jobs, loading
from patterns import cutting
from patterns.made import MadeQuerySet, still_wanted, wanted
from patterns.models import Pattern

from .models import ClothPhoto
from .services import ClothOrder

GONE = "The photo of this cloth was deleted before it was cut. Upload it again to cut it."


def _pattern(job: Job) -> Pattern:
    pattern = wanted(Pattern.objects.filter(job=job), "The fabric is no longer wanted.")
    if not _photos(job).exists():
        raise BadInput(GONE)
    return pattern


def _photos(job: Job) -> MadeQuerySet[ClothPhoto]:
    return ClothPhoto.objects.filter(pk=jobs.asked(job, ClothOrder).photo, owner_id=job.owner_id)


@jobs.handler("cloth", possible=_pattern)
def cut(job: Job, report: jobs.Report, should_stop: jobs.ShouldStop) -> jobs.Publish:
    """Fills the fabric that waits for this job, and says which pattern it looks like."""
    from ml_backend.pipelines.cloth import cut_cloth

    from .. import pictures

    pattern = _pattern(job)
    photo = _photos(job).get()
    request = ClothRequest.from_dict(pattern.cloth)
    done = cut_cloth(
        pictures.load(str(photo.image), "RGB"),
        request,
        progress=lambda share, stage: report(0.8 * share, stage),
        should_stop=should_stop,
    )
    report(0.85, "Naming the pattern")
    named = loading.pipeline("name")(done.image)
    pattern.palette, pattern.pattern_type = list(done.palette), named.pattern_type
    width, height = (round(side, 2) for side in done.period)
    pattern.cloth = {
        **done.request.to_dict(),
        "palette": list(done.palette),
        "kind": done.repeat.kind,
        "repeat_px": [width, height],
        "confidence": round(done.repeat.confidence, 3),
        "mean_of": done.repeats_seen,
        "looks_like": named.subtype,
    }
    report(0.95, "Cutting the tile")
    made = cutting.cut(done.inks, done.palette, pattern.recipe())
    fields = {
        name: jobs.save(job, pattern.folder, f"{name}.{cutting.SUFFIXES[name]}", data)
        for name, data in made.files.items()
    }

    def publish() -> None:
        values = {"palette": pattern.palette, "pattern_type": pattern.pattern_type, "cloth": pattern.cloth}
        still_wanted(Pattern.objects.filter(pk=pattern.pk).update(**values, colours=made.colours, **fields))

    return publish
