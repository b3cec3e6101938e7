"""The garments of the picture on the stage: what each wears, and the address at which it is the chosen one."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from django.http import QueryDict

from ml_backend.requests import OverlayRequest
from patterns.models import Pattern

from .. import outfits
from .state import Workspace


@dataclass(frozen=True)
class Chip:
    """A garment to choose; ``fabric`` is None while it is as photographed."""

    name: str
    words: str
    chosen: bool
    fabric: Pattern | None
    href: str


Part = tuple[Pattern, OverlayRequest]


def chips(now: Workspace) -> list[Chip]:
    """One for each garment of the picture, largest first."""
    return [_chip(now, name) for name in now.worn_classes]


def everything(now: Workspace) -> str:
    """The address at which all garments wear the fabric that is shown."""
    return _address(now, now.pattern, (), now.fit, [])


def bare(now: Workspace) -> str:
    """The address at which the chosen garments are as photographed."""
    return _address(now, None, now.fit.garments, now.fit, now.others)


def _chip(now: Workspace, name: str) -> Chip:
    chosen = name in (now.fit.garments or now.worn_classes)
    fabric = None if now.bare else now.pattern
    if not chosen:
        fabric = next((pattern for pattern, request in now.others if name in request.garments), None)
    return Chip(name, outfits.plain_words(name), chosen, fabric, _choosing(now, name))


def _choosing(now: Workspace, name: str) -> str:
    """The address at which ``name`` alone is chosen, and everything else worn as it is."""
    worn: list[Part] = list(now.others)
    if now.pattern and not now.bare:
        worn.append((now.pattern, dataclasses.replace(now.fit, garments=now.fit.garments or tuple(now.worn_classes))))
    mine = next(((pattern, request) for pattern, request in worn if name in request.garments), None)
    others = [(pattern, left) for pattern, request in worn if (left := _without(request, name))]
    if mine is None:
        return _address(now, None, (name,), OverlayRequest(**outfits.USUAL), others)
    return _address(now, mine[0], (name,), mine[1], others)


def _without(request: OverlayRequest, name: str) -> OverlayRequest | None:
    left = tuple(garment for garment in request.garments if garment != name)
    return dataclasses.replace(request, garments=left) if left else None


def _address(
    now: Workspace,
    pattern: Pattern | None,
    garments: tuple[str, ...],
    fit: OverlayRequest,
    others: list[Part] | tuple[Part, ...],
) -> str:
    query: QueryDict = now.query.copy()
    for name in ("look", *outfits.USUAL):
        query.pop(name, None)
    query["pattern"] = str(pattern.pk) if pattern else outfits.NONE
    query.setlist("garments", list(garments) or [outfits.EVERYTHING])
    query.setlist("wear", [outfits.written(outfits.Worn(one.pk, request)) for one, request in others])
    query.update(outfits.fit_words(fit))
    return f"?{query.urlencode(safe='*')}"
