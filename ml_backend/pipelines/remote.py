"""What restyle and imagine have in common where an endpoint runs the model."""

from __future__ import annotations

from ..requests import ImagineRequest, RestyleRequest
from ..shipping.asking import Endpoint

OWN_SIZE = 512
"""Side in pixels at which an endpoint paints, where nothing is known of its model."""


def notes_of_remote(request: RestyleRequest | ImagineRequest, endpoint: Endpoint) -> list[str]:
    """What of the request an endpoint cannot honour, in sentences for the person."""
    plain = not endpoint.extras
    notes = {
        "This model is served elsewhere, where no LoRA can be mixed in; it was painted without.": bool(request.loras),
        "This model is served elsewhere, with a scheduler of its own.": request.scheduler is not None,
        "This model takes no seed: the same words give another picture each time.": plain,
        "This model takes no words to avoid.": plain and bool(request.negative_prompt),
        "This model repaints from nothing whatever the strength.": plain
        and getattr(request, "strength", None) not in (None, 1.0),
    }
    return [sentence for sentence, applies in notes.items() if applies]
