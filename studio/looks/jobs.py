"""The job of a look: rendered at the photo's full size."""

from __future__ import annotations

from typing import Any

from ml_backend.errors import BadInput
from ml_backend.models import Job
from ml_backend.serving import jobs
from patterns.made import still_wanted, wanted

from ..photos.fitting import fitted
from .models import Look

NO_PATTERN = "The pattern of this look was deleted. The photo is kept; choose another pattern."


def _look(job: Job) -> Look:
    look = wanted(
        Look.objects.select_related("photo", "garment").with_parts().filter(job=job), "The look is no longer wanted."
    )
    patterns = [part.pattern for part in look.parts.all()]
    if not patterns or None in patterns:
        raise BadInput(NO_PATTERN if len(patterns) <= 1 else NO_PATTERN.replace("The pattern", "A pattern"))
    return look


@jobs.handler("wear", possible=_look)
def wear(job: Job, report: jobs.Report, should_stop: jobs.ShouldStop) -> jobs.Publish:
    """Renders the look at its photo's full size."""
    from ml_backend.pipelines import overlay

    from .. import pictures

    look = _look(job)
    tiles = _tiles(look)
    if not look.wearable.ready:
        raise BadInput("The clothes in this photo have not been found yet. Try the photo again first.")
    report(0.02, "Opening the photo")
    photo, fit = fitted(look.wearable)
    fabrics = [pictures.load(tile, "RGB") for tile in tiles]
    worn = overlay.dress(
        photo, fit, fabrics, look.outfit, lambda share, stage: report(0.2 + share * 0.6, stage), should_stop
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
