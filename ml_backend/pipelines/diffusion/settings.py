"""What a run is made with once every None is filled in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from ...errors import BadInput, BadPackage, LibraryError
from ...packaging import Manifest
from ...requests import ImagineRequest, RestyleRequest

STEPS = 25
GUIDANCE = 6.5
SCHEDULER = "euler"
STRENGTH = 1.0
SKETCH_STRENGTH = 0.7
"""How much of a sketch is repainted: cloth is painted anew, its pattern is kept (Meng et al. 2022 use 0.5 to 0.8)."""
LCM_STEPS, LCM_GUIDANCE = 8, 1.5
"""A consistency model needs few steps and hardly any guidance (Luo et al. 2023)."""

R = TypeVar("R", RestyleRequest, ImagineRequest)


def fill_in(request: R, manifest: Manifest, own_size: int) -> R:
    """The request with nothing left to the model: what is asked for, else the package's defaults, else ours.

    ``own_size`` is the side that the model was trained at.  Raises :class:`BadPackage` for defaults that are no valid
    parameters.
    """
    defaults = manifest.config.get("defaults") or {}
    if not isinstance(defaults, dict) or not isinstance(defaults.get("sketched", {}), dict):
        raise BadPackage(f"The manifest of {manifest.name} has defaults that cannot be read.")
    sketch, defaults = begun(request, defaults)
    scheduler = request.scheduler or defaults.get("scheduler") or SCHEDULER
    lcm = scheduler == "lcm" and defaults.get("scheduler") != "lcm"
    ours: dict[str, Any] = {
        "steps": LCM_STEPS if lcm else defaults.get("steps") or STEPS,
        "guidance": LCM_GUIDANCE if lcm else defaults.get("guidance", GUIDANCE),
        "scheduler": scheduler,
        "size": defaults.get("size") or max(64, round(own_size / 64) * 64),
        "strength": defaults.get("strength") or STRENGTH,
        "sketch": sketch,
    }
    missing = {name: value for name, value in ours.items() if hasattr(request, name) and getattr(request, name) is None}
    try:
        filled = replace(request, **{**missing, "model": manifest.reference})
    except LibraryError as error:
        raise BadPackage(f"The manifest of {manifest.name} has unusable defaults: {error}") from error
    return filled


def begun(
    request: RestyleRequest | ImagineRequest, defaults: Mapping[str, Any]
) -> tuple[str | None, Mapping[str, Any]]:
    """What a picture begins from, and the defaults for that: those under "sketched" go before the others.

    A strength that is given alone counts from what was there, as it always did.
    """
    if isinstance(request, ImagineRequest):
        return None, defaults
    sketch = request.sketch or (request.strength is None and defaults.get("sketch")) or "none"
    if sketch == "none":
        return sketch, defaults
    return sketch, {**defaults, "strength": SKETCH_STRENGTH, **defaults.get("sketched", {})}


def check_batch(requests: Sequence[R]) -> None:
    """Raise :class:`BadInput` unless the requests differ in nothing but their seeds."""
    if not requests:
        raise BadInput("Nothing was asked for.")
    if any(replace(request, seed=requests[0].seed) != requests[0] for request in requests):
        raise BadInput("Pictures that are made together may differ in their seeds only.")
