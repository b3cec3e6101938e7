"""Which model serves a capability.

A capability (generate, upscale, segment, surface, classify, text-mask, restyle, imagine) is served by the
:class:`ModelVersion` that staff made the default, else by one that can do it besides its own, else by the starter model
that ships with Toile.  To generate, several may serve beside that one, and a request names the one it wants (see
:func:`offered`).  LoRAs do no work by themselves: those that staff let serve are offered by name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from django.db.models import F, Q

from ..engines import ENGINES
from ..errors import BadInput, BadPackage, quoted
from ..models import ModelVersion
from ..packaging import Manifest, Package
from ..packaging.contents import lora_file, text_width
from ..packaging.starter import GENERATOR, starter
from ..packaging.starter import WEIGHTS_DIR as WEIGHTS_DIR
from ..requests import ImagineRequest, RestyleRequest, TextMaskRequest, parse_lora
from . import copies, endpoints

SERVING = ModelVersion.Status.SERVING
R = TypeVar("R", RestyleRequest, ImagineRequest, TextMaskRequest)

STARTERS = {
    "generate": GENERATOR,
    "upscale": "srgan-x8-starter",
    "segment": "unet-starter",
    "surface": "surface-starter",
    "classify": "classifier-starter",
    "text-mask": "clipseg-starter",
    "restyle": "inpaint-starter",
    "imagine": "inpaint-starter",
}
BESIDE = {"generate": ("dcgan-starter",)}
"""Capabilities of which people choose the model, and the starters offered beside the first."""
WORK = {
    "generate": "dream fabrics",
    "surface": "read the light and the folds of cloth",
    "text-mask": "find things in photos by words",
    "restyle": "repaint photos from words",
    "imagine": "paint pictures from words",
}
"""What a capability does, to say what is missing while nothing serves it."""
CAPABILITIES = (*STARTERS, "lora")
NO_LORAS = 0
"""Width of a model that is served elsewhere: nothing can be mixed in there."""
MOST_NAMED = 20
"""Models or LoRAs that a sentence names to choose from."""


@dataclass(frozen=True)
class Offer:
    """A model that a request may name."""

    reference: str
    name: str
    is_default: bool

    @property
    def title(self) -> str:
        """Its name as a person reads it: ``dcgan-starter`` -> ``DCGAN starter``."""
        first, *others = self.name.replace("_", " ").replace("-", " ").split() or [self.reference]
        return " ".join([first.upper() if first.lower().endswith("gan") else first[:1].upper() + first[1:], *others])


_listener: ContextVar[Callable[[str], None] | None] = ContextVar("listener", default=None)


@contextmanager
def heard(listener: Callable[[str], None]) -> Iterator[None]:
    """``listener`` is told the reference of every model whose files are asked for in the block; so is who hears
    around it."""
    around = _listener.get()

    def both(reference: str) -> None:
        listener(reference)
        if around is not None:
            around(reference)

    token = _listener.set(both)
    try:
        yield
    finally:
        _listener.reset(token)


def _told(package: Package) -> Package:
    if listener := _listener.get():
        listener(package.manifest.reference)
    return package


def serving(capability: str) -> Package:
    """The package that serves ``capability``.  Raises :class:`BadPackage` when none does or it is damaged."""
    return _told(_serving(capability))


def _serving(capability: str) -> Package:
    version = chosen(capability)
    if version is not None:
        return _package(version)
    if capability not in STARTERS:
        raise BadPackage(f"No model serves {quoted(capability)}.")
    if not _starter_ships(capability):
        raise BadPackage(
            f"No model to {WORK.get(capability, capability)} is installed here; whoever runs this site can add one: "
            f"'manage.py models known' lists some."
        )
    return starter_package(_serving_starters(capability)[0])


def serves(capability: str) -> bool:
    """Whether anything serves ``capability``; reads no weights."""
    return chosen(capability) is not None or _starter_ships(capability)


def chosen(capability: str) -> ModelVersion | None:
    """The version that staff chose for ``capability``, else the newest serving one that can do it besides its own.

    None while a starter serves that nobody had to choose.
    """
    serving = ModelVersion.objects.filter(status=SERVING).exclude(capability="lora")
    versions = list(serving.order_by("-default", "-created_at", "-pk"))
    own = next((version for version in versions if version.capability == capability), None)
    if own is not None and (own.default or not _serving_starters(capability)):
        return own
    return next((version for version in versions if capability in version.capabilities[1:]), None)


def is_elsewhere(capability: str) -> bool:
    """Whether some model that does this work for people is served by an endpoint."""
    rows = ModelVersion.objects.filter(status=SERVING).exclude(endpoint={})
    return any(capability in version.capabilities for version in rows)


def offered(capability: str) -> list[Offer]:
    """The models that a request may name for ``capability``, the one that serves unnamed first; reads no weights."""
    rows = ModelVersion.objects.filter(status=SERVING, starter="").order_by("-created_at", "-pk")
    able = [version for version in rows if capability in version.capabilities]
    try:
        default = reference(capability)
        # Where people choose, a starter goes on beside what came later; elsewhere it retires.
        beside = capability in BESIDE or chosen(capability) is None
        starters = [Manifest.read(WEIGHTS_DIR / folder) for folder in _serving_starters(capability)] if beside else []
    except BadPackage:
        return []  # nothing serves, or a starter is damaged: the first job that needs it says so
    names = {version.reference: version.name for version in able}
    names |= {manifest.reference: manifest.name for manifest in starters}
    offers = [Offer(reference, name, reference == default) for reference, name in names.items()]
    return sorted(offers, key=lambda offer: not offer.is_default)


def resolve(capability: str, text: str) -> str:
    """The reference of the model that a person named, by its whole name or its whole reference.

    The one way in for a model that a request names, from pages, programs and recipes alike.  One that has retired is
    found by the reference that recipes hold, while its files are kept.  Raises :class:`BadInput` with the names to
    choose from when that one neither serves ``capability`` nor did.
    """
    offers = offered(capability)
    for offer in offers:
        if text in (offer.reference, offer.name):
            return offer.reference
    if _retired_here(capability, text):
        return text
    names = ", ".join(offer.reference for offer in offers[:MOST_NAMED]) or "none"
    what = WORK.get(capability, capability)
    where = "is kept, but does not serve" if _is_kept(text) else "does not serve here"
    raise BadInput(f"The model {text} {where}, or no longer does. To {what}, choose one of: {names}.")


def is_retired(capability: str, reference: str) -> bool:
    """Whether the model that a recipe names serves no more; see :func:`can_make_again`."""
    return bool(reference) and reference not in {offer.reference for offer in offered(capability)}


def can_make_again(capability: str, reference: str) -> bool:
    """Whether the model that a recipe names may do its work: it serves, or has retired and is still kept."""
    return bool(reference) and (not is_retired(capability, reference) or _retired_here(capability, reference))


def _retired_here(capability: str, reference: str) -> bool:
    retired = ModelVersion.objects.filter(status=ModelVersion.Status.RETIRED, owner=None)
    if any(one.reference == reference and capability in one.capabilities for one in retired):
        return True
    shipped = [folder for folder in starters(capability) if _ships(folder)]
    try:
        return reference in {Manifest.read(WEIGHTS_DIR / folder).reference for folder in shipped}
    except BadPackage:
        return False


def _is_kept(text: str) -> bool:
    rows = ModelVersion.objects.filter(owner=None).only("name", "sha256", "starter")
    return any(text in (version.name, version.reference) for version in rows)


def settled(capability: str, request: R, person: Any = None) -> R:
    """``request`` with the model that it names, if it does, resolved for its engine, and its LoRAs looked at.

    ``capability`` is what the request is for: ``text-mask``, ``restyle`` or ``imagine``; ``person`` asks for it, and
    may name LoRAs of their own.  Raises :class:`BadInput`.
    """
    needed = capability
    if not isinstance(request, TextMaskRequest):
        engine = ENGINES[capability][request.engine]
        needed = engine.may_name
        if "loras" in engine.heeds and request.loras:
            _check_loras(loras(capability, person), request.loras)
    return request if request.model is None else replace(request, model=resolve(needed, request.model))


def _check_loras(offered_here: Loras, wanted: Sequence[str]) -> None:
    """Raises :class:`BadInput` for one that cannot be had; one that is another person's is as unknown as any."""
    for name, _ in map(parse_lora, wanted):
        if name not in offered_here:
            known = ", ".join(list(offered_here)[:MOST_NAMED]) or "none"
            raise BadInput(f"There is no LoRA called {name} here; choose of: {known}.")


def default_engine(capability: str) -> str:
    """Of ``restyle`` or ``imagine``: ``diffusion`` once a model was put into service for it, else ``fabric``.

    The starter is too small to be what one sees first.
    """
    return "diffusion" if chosen(capability) is not None else "fabric"


def only_sketches(capability: str) -> bool:
    """Whether nothing but the starter diffuses to ``restyle`` or ``imagine``: it sketches, and is offered as that."""
    return chosen(capability) is None and serves(capability)


def engines(capability: str) -> list[str]:
    """The engines that can ``restyle`` or ``imagine`` here: they need no model, or one of theirs serves."""
    return [name for name, engine in ENGINES[capability].items() if not engine.model or serves(engine.model)]


def begins_from() -> str:
    """The ``sketch`` of the model that repaints where a request leaves it open; "none" without a model."""
    version = chosen("restyle")
    if version is not None and not version.starter:
        config = version.manifest.get("config", {})
    elif serves("restyle"):
        folder = version.starter if version is not None else _serving_starters("restyle")[0]
        config = Manifest.read(WEIGHTS_DIR / folder).config
    else:
        return "none"
    return (config.get("defaults") or {}).get("sketch") or "none"


def reference(capability: str) -> str:
    """``name@sha256-prefix`` of what serves now; of a model kept in storage no weights are read."""
    version = chosen(capability)
    if version is not None and not version.starter:
        return version.reference
    if version is not None or _starter_ships(capability):
        folder = version.starter if version is not None else _serving_starters(capability)[0]
        return Manifest.read(WEIGHTS_DIR / folder).reference
    return serving(capability).manifest.reference


def find(reference: str) -> Package:
    """The very package a recipe names.  Raises :class:`BadPackage` when it is no longer kept."""
    return _told(_find(reference))


def _find(reference: str) -> Package:
    name, _, prefix = reference.partition("@")
    kept = ModelVersion.objects.filter(name=name, sha256__startswith=prefix, starter="")
    version = next((row for row in kept if row.reference == reference), None)
    if version is not None:
        return _package(version)
    for folder in all_starters():
        try:
            package = starter_package(folder)
        except BadPackage:
            continue
        if package.manifest.reference == reference:
            return package
    raise BadPackage(f"The model {reference} that made this is no longer kept here.")


def loras(capability: str = "imagine", person: Any = None) -> Loras:
    """The LoRAs that fit the model that serves ``capability``, as name -> path of a safetensors file: those of the
    house, and of the ``person``'s own."""
    version = chosen(capability)
    own = getattr(person, "pk", None)
    if version is not None:
        return Loras(NO_LORAS if version.endpoint else version.manifest.get("text_width"), own)
    return Loras(text_width(WEIGHTS_DIR / STARTERS[capability]) if serves(capability) else None, own)


_whose: ContextVar[Any] = ContextVar("whose", default=None)


@contextmanager
def working_for(person: Any) -> Iterator[None]:
    """In the block, models that only the person with that key may use can be had too."""
    token = _whose.set(person)
    try:
        yield
    finally:
        _whose.reset(token)


_lent: ContextVar[Mapping[str, ModelVersion]] = ContextVar("lent", default=MappingProxyType({}))


@contextmanager
def lending(loras: Sequence[ModelVersion]) -> Iterator[None]:
    """In the block these go by their names too, before others, though nobody is offered them."""
    token = _lent.set({version.name: version for version in loras})
    try:
        yield
    finally:
        _lent.reset(token)


class Loras(Mapping[str, Path]):
    """Names of the house's offered LoRAs with their files; a file is fetched and verified when it is asked for.

    ``width`` is the text embedding width of the model they are for; LoRAs known to be for another are left out,
    and all for :data:`NO_LORAS`.
    ``person`` is the key of somebody whose own candidates are among them; without one it is whoever the work is done
    for (:func:`working_for`).  Of several with one name the newest counts, one's own before the house's.  Always up to
    date: a pipeline that stays loaded sees what came later.
    """

    def __init__(self, width: int | None, person: Any = None) -> None:
        self.width, self.person = width, person

    def __getitem__(self, name: str) -> Path:
        version = self._versions()[name]
        return lora_file(_told(_package(version)))

    def __contains__(self, name: object) -> bool:
        return name in self._versions()

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._versions()))

    def __len__(self) -> int:
        return len(self._versions())

    def _versions(self) -> dict[str, ModelVersion]:
        offered_here = Q(status=SERVING)
        if (person := self.person or _whose.get()) is not None:
            offered_here |= Q(owner=person, status=ModelVersion.Status.CANDIDATE)
        kept = ModelVersion.objects.filter(offered_here, capability="lora")
        newest_last = kept.order_by(F("owner").asc(nulls_first=True), "created_at", "pk")
        return {version.name: version for version in newest_last if _fits(version, self.width)} | dict(_lent.get())


def _fits(lora: ModelVersion, width: int | None) -> bool:
    own = lora.manifest.get("text_width")
    return width != NO_LORAS and (own is None or width is None or own == width)


def starters(capability: str) -> tuple[str, ...]:
    """Folders of the starters that may serve ``capability``, the first one by default."""
    return (STARTERS[capability], *BESIDE.get(capability, ())) if capability in STARTERS else ()


def all_starters() -> list[str]:
    """Folders of all starters, each once."""
    return list(dict.fromkeys(folder for capability in STARTERS for folder in starters(capability)))


def _serving_starters(capability: str) -> list[str]:
    """Those that ship and that staff have not taken out of service."""
    shipped = [folder for folder in starters(capability) if _ships(folder)]
    if capability not in BESIDE:
        return shipped
    withdrawn = ModelVersion.objects.filter(starter__in=shipped).exclude(status=SERVING)
    retired = set(withdrawn.values_list("starter", flat=True))
    return [folder for folder in shipped if folder not in retired]


def _starter_ships(capability: str) -> bool:
    return bool(_serving_starters(capability))


def starter_folder(name: str) -> Path:
    """Where the starter of that name lies, if it ships."""
    return WEIGHTS_DIR / name


def starter_config(name: str) -> dict[str, Any]:
    """What the manifest of that starter says of how it is used; {} where it does not ship.  Reads no weights."""
    return Manifest.read(WEIGHTS_DIR / name).config if _ships(name) else {}


def _ships(folder: str) -> bool:
    return (WEIGHTS_DIR / folder / "manifest.json").is_file()


def _package(version: ModelVersion) -> Package:
    if version.endpoint:
        return endpoints.elsewhere(version)
    return starter_package(version.starter) if version.starter else _local(version.sha256, version.folder)


@lru_cache(maxsize=8)
def starter_package(folder: str) -> Package:
    """The starter of that folder, verified.  Raises :class:`BadPackage`."""
    return starter(folder)


@lru_cache(maxsize=8)
def _local(sha256: str, folder: str) -> Package:
    return copies.local(sha256, folder)


def forget_packages() -> None:
    """Verify again whatever is asked for next."""
    starter_package.cache_clear()
    _local.cache_clear()
