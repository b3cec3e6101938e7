"""The job of the mend editor's taps: what one more tap adds to a garment, or takes from it."""

from __future__ import annotations

from typing import Any

import numpy as np

from ml_backend.errors import BadInput, Stopped
from ml_backend.models import Job
from ml_backend.requests import TapRequest, parse_garment
from ml_backend.serving import jobs, registry

from ..models import Mask
from .wanted import still_wanted

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
    mask = Mask.objects.select_related("photo").filter(pk=job.request["mask"]).first()
    if mask is None:
        raise Stopped("The tap is no longer wanted.")
    return mask


@jobs.handler("tap", possible=_draft)
def tap(job: Job, report: jobs.Report, should_stop: jobs.ShouldStop) -> jobs.Publish:
    """Request: ``{"mask": id, "taps": a TapRequest of the photo}``.  Fills in what the last tap adds or takes."""
    from ml_backend.pipelines import mending

    from .. import pictures

    mask = _draft(job)
    request = TapRequest.from_dict(job.request["taps"])
    photo = mask.photo
    if not photo.ready or request.garment not in photo.classes:
        raise BadInput("This garment is not in the photo any more. Nothing of yours is lost; choose one that is.")
    report(0.05, "Opening the photo")
    garment = mending.of_garment(
        pictures.load_mask(str(photo.mask)), pictures.load_labels(str(photo.labels)), parse_garment(request.garment)
    )
    network = registry.pipeline("segment")
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
