"""Which model serves a capability, and the pipelines that a worker keeps loaded.

A capability (generate, upscale, segment, surface, classify, text-mask, restyle, imagine) is served by the
:class:`ModelVersion` that staff made the default, else by one that can do it besides its own, else by the starter model
that ships with Toile.  To generate, several may serve beside that one, and a request names the one it wants (see
:func:`offered`).  LoRAs do not serve: all that are kept are offered by name.
"""

from __future__ import annotations

import tempfile
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from ..errors import BadInput, BadPackage, quoted
from ..models import ModelVersion
from ..networks import ARCHITECTURES
from ..packaging import Manifest, Package, sources
from ..packaging.contents import lora_file, text_width
from ..packaging.files import CARD
from ..packaging.starter import GENERATOR, WEIGHTS_DIR, starter
from ..requests import RESTYLE_ENGINES, ImagineRequest, RestyleRequest, TextMaskRequest, parse_lora
from . import copies
from .faults import BrokenProcess

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


def serving(capability: str) -> Package:
    """The package that serves ``capability``.  Raises :class:`BadPackage` when none does or it is damaged."""
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
    return _starter(_serving_starters(capability)[0])


def serves(capability: str) -> bool:
    """Whether anything serves ``capability``; reads no weights."""
    return chosen(capability) is not None or _starter_ships(capability)


def chosen(capability: str) -> ModelVersion | None:
    """The version that staff chose for ``capability``, else the newest serving one that can do it besides its own.

    None while a starter serves that nobody had to choose.
    """
    versions = list(ModelVersion.objects.filter(serving=True).order_by("-default", "-created_at", "-pk"))
    own = next((version for version in versions if version.capability == capability), None)
    if own is not None and (own.default or not _serving_starters(capability)):
        return own
    return next((version for version in versions if capability in version.capabilities[1:]), None)


def offered(capability: str) -> list[Offer]:
    """The models that a request may name for ``capability``, the one that serves unnamed first; reads no weights."""
    rows = ModelVersion.objects.filter(serving=True, starter="").order_by("-created_at", "-pk")
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

    The one way in for a model that a request names, from pages, programs and recipes alike.  Raises
    :class:`BadInput` with the names to choose from when that one does not serve ``capability``.
    """
    offers = offered(capability)
    for offer in offers:
        if text in (offer.reference, offer.name):
            return offer.reference
    names = ", ".join(offer.reference for offer in offers[:MOST_NAMED]) or "none"
    what = WORK.get(capability, capability)
    where = "is kept, but does not serve" if _is_kept(text) else "does not serve here"
    raise BadInput(f"The model {text} {where}, or no longer does. To {what}, choose one of: {names}.")


def is_retired(capability: str, reference: str) -> bool:
    """Whether the model that a recipe names can no longer be asked for."""
    return bool(reference) and reference not in {offer.reference for offer in offered(capability)}


def _is_kept(text: str) -> bool:
    rows = ModelVersion.objects.only("name", "sha256", "starter")
    return any(text in (version.name, version.reference) for version in rows)


def settled(capability: str, request: R) -> R:
    """``request`` with the model that it names, if it does, resolved for its engine, and its LoRAs looked at.

    ``capability`` is what the request is for: ``text-mask``, ``restyle`` or ``imagine``.  Raises :class:`BadInput`.
    """
    needed = capability if isinstance(request, TextMaskRequest) else model_of(capability, request.engine)
    if not isinstance(request, TextMaskRequest) and request.engine == "diffusion" and request.loras:
        _check_loras(capability, request.loras)
    return request if request.model is None else replace(request, model=resolve(needed, request.model))


def _check_loras(capability: str, wanted: Sequence[str]) -> None:
    """Raises :class:`BadInput` for one that cannot be had for what serves ``capability``."""
    offered_here = loras(capability)
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


def model_of(capability: str, engine: str) -> str:
    """The capability whose model the engine needs to ``restyle`` or ``imagine``: fabrics are generated."""
    return PIPELINES[f"{capability}-{engine}"]


def engines(capability: str) -> list[str]:
    """The engines that something serves, of those that ``restyle`` or ``imagine``."""
    return [engine for engine in RESTYLE_ENGINES if serves(model_of(capability, engine))]


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
    name, _, prefix = reference.partition("@")
    kept = ModelVersion.objects.filter(name=name, sha256__startswith=prefix, starter="")
    version = next((row for row in kept if row.reference == reference), None)
    if version is not None:
        return _package(version)
    for folder in all_starters():
        try:
            package = _starter(folder)
        except BadPackage:
            continue
        if package.manifest.reference == reference:
            return package
    raise BadPackage(f"The model {reference} that made this is no longer kept here.")


def loras(capability: str = "imagine") -> Loras:
    """The LoRAs that fit the model that serves ``capability``, as name -> path of a safetensors file."""
    version = chosen(capability)
    if version is not None:
        return Loras(version.manifest.get("text_width"))
    return Loras(text_width(WEIGHTS_DIR / STARTERS[capability]) if serves(capability) else None)


class Loras(Mapping[str, Path]):
    """Names of kept LoRAs with their files; a file is fetched and verified when it is asked for.

    ``width`` is the text embedding width of the model they are for; LoRAs known to be for another are left out.  Of
    several with one name the newest counts.  Always up to date: a pipeline that stays loaded sees what came later.
    """

    def __init__(self, width: int | None) -> None:
        self.width = width

    def __getitem__(self, name: str) -> Path:
        version = self._versions()[name]
        return lora_file(_package(version))

    def __contains__(self, name: object) -> bool:
        return name in self._versions()

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._versions()))

    def __len__(self) -> int:
        return len(self._versions())

    def _versions(self) -> dict[str, ModelVersion]:
        kept = ModelVersion.objects.filter(capability="lora").order_by("created_at", "pk")
        return {version.name: version for version in kept if _fits(version, self.width)}


def _fits(lora: ModelVersion, width: int | None) -> bool:
    own = lora.manifest.get("text_width")
    return own is None or width is None or own == width


def add(path: Path | str, *, notes: str = "", progress: copies.Progress | None = None) -> ModelVersion:
    """Keep a copy of the package at ``path`` in storage; adding the same weights again returns the first row."""
    package = Package.load(path)
    for capability in package.manifest.capabilities:
        if capability not in CAPABILITIES:
            raise BadPackage(f"{package.manifest.name} claims to {capability[:40]!r}, which nothing here can use.")
    known = ModelVersion.objects.filter(sha256=package.manifest.sha256).first()
    if known is not None:
        return known
    manifest = package.manifest
    version = ModelVersion(
        **_described(package),
        source=_said(manifest.config.get("source", {}))[:300],
        notes=notes,
    )
    copies.store(package, version.folder, progress)
    version.save()
    return version


def _described(package: Package) -> dict[str, Any]:
    """What a row tells of the package."""
    manifest = package.manifest
    card = package.path / CARD
    return {
        "name": manifest.name[:100],
        "version": manifest.version[:40],
        "capability": manifest.capability,
        "sha256": manifest.sha256,
        "licence": manifest.licence,
        "size": package.size,
        "card": card.read_text(encoding="utf-8", errors="replace") if card.is_file() else "",
        "manifest": {
            "architecture": manifest.architecture,
            "config": manifest.config,
            "metrics": manifest.metrics,
            "text_width": text_width(package.path),
        },
    }


def pull(
    text: str,
    *,
    allow_pickle: bool = False,
    config: str | None = None,
    notes: str = "",
    should_try: bool = True,
    progress: copies.Progress | None = None,
) -> ModelVersion:
    """Fetch a model from a hub id or path (see :mod:`ml_backend.packaging.sources`), check it and keep it.

    Unless ``should_try`` is False it is loaded once, as a worker would.  What served before goes on serving, whatever
    happens.  Raises :class:`BadInput` or :class:`BadPackage`.
    """
    source = sources.Source.parse(text)
    if source.kind == "starter":
        raise BadInput(f"{source.name} ships with Toile; there is nothing to pull.")
    downloads: Path = settings.DATA_DIR / "downloads"
    downloads.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=downloads) as fresh:
        package = sources.fetch(
            source,
            Path(fresh) / "package",
            downloads=downloads,
            allow_pickle=allow_pickle,
            config=config,
            progress=progress,
        )
        if should_try:
            try_out(package, progress)
        return add(package.path, notes=notes, progress=progress)


def _said(source: Any) -> str:
    """Where a package says it comes from, in one line."""
    if not isinstance(source, dict):
        return ""
    if "hub_id" in source:
        return f"{source['hub_id']}@{source.get('revision', '')}"
    return str(source.get("file", ""))


def serve(version: ModelVersion) -> None:
    """Make ``version`` the default of its capability; workers take it up with their next job.

    Where people may choose, those that served go on serving beside it; elsewhere they retire.  Raises
    :class:`BadPackage` for a LoRA, which is offered by name as soon as it is kept.
    """
    if version.capability == "lora":
        raise BadPackage(f"{version.name} is a LoRA: it is offered by its name and serves nothing by itself.")
    with transaction.atomic():
        others = _locked(version.capability).exclude(pk=version.pk)
        others.update(default=False, **({} if version.capability in BESIDE else {"serving": False}))
        ModelVersion.objects.filter(pk=version.pk).update(serving=True, default=True)
    version.refresh_from_db()


def offer(version: ModelVersion) -> None:
    """Let people choose ``version``; what serves unnamed stays.  Raises :class:`BadPackage` where nobody chooses."""
    if version.capability not in BESIDE:
        raise BadPackage(f"Nobody chooses between models of {version.capability}; make {version.name} the default.")
    ModelVersion.objects.filter(pk=version.pk).update(serving=True)
    version.refresh_from_db()


def serve_starter(folder: str) -> None:
    """Let the starter of that folder serve what it is the starter of."""
    adopt_starters()
    row = ModelVersion.objects.filter(starter=folder).first()
    if row is not None:
        serve(row)
    for version in ModelVersion.objects.filter(serving=True, starter=""):
        if STARTERS.get(version.capability) == folder and version.capability not in BESIDE:
            withdraw(version)


def withdraw(version: ModelVersion) -> None:
    """Take ``version`` out of service: the starter serves again, or another one that does.

    Raises :class:`BadPackage` for a starter that nothing else could stand in for.
    """
    with transaction.atomic():
        _locked(version.capability)
        others = [one for one in offered(version.capability) if one.reference != version.reference]
        if version.starter and not others:
            raise BadPackage(
                f"Nothing else can {WORK[version.capability]}; let another serve before {version.name} goes."
            )
        ModelVersion.objects.filter(pk=version.pk).update(serving=False, default=False)
    version.refresh_from_db()


def _locked(capability: str) -> QuerySet[ModelVersion]:
    """The models of a capability; two curators take turns, and the order keeps them from waiting for each other."""
    rows = ModelVersion.objects.filter(capability=capability)
    list(rows.select_for_update().order_by("pk"))
    return rows


def adopt_starters() -> None:
    """Give the starters that people may choose a row for staff to curate; one that is new serves from now on."""
    for folder in (folder for capability in BESIDE for folder in starters(capability)):
        try:
            package = _starter(folder)
        except BadPackage:
            ModelVersion.objects.filter(starter=folder).delete()
            continue
        manifest = package.manifest
        if ModelVersion.objects.filter(sha256=manifest.sha256).exclude(starter=folder).exists():
            continue  # an earlier release of it was kept by hand; that row curates it
        values = {**_described(package), "source": "ships with Toile"}
        ModelVersion.objects.update_or_create(
            starter=folder, defaults=values, create_defaults={**values, "serving": True}
        )


def verify(version: ModelVersion, progress: copies.Progress | None = None) -> None:
    """Read all of its stored files.  Raises :class:`BadPackage` naming the first that is damaged or missing."""
    if version.starter:
        Package.load(WEIGHTS_DIR / version.starter)
        return
    copies.verify(version.sha256, version.folder, progress)


def remove(version: ModelVersion) -> None:
    """Forget a model and delete its files.  Raises :class:`BadPackage` while it serves, and for a starter."""
    if version.starter:
        raise BadPackage(f"{version.name} ships with Toile and cannot be removed; take it out of service instead.")
    if version.serving:
        raise BadPackage(f"{version.name} serves {version.capability}; let another serve first.")
    folder = version.folder
    version.delete()
    copies.remove(folder)
    _local.cache_clear()


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
    retired = set(ModelVersion.objects.filter(starter__in=shipped, serving=False).values_list("starter", flat=True))
    return [folder for folder in shipped if folder not in retired]


def _starter_ships(capability: str) -> bool:
    return bool(_serving_starters(capability))


def _ships(folder: str) -> bool:
    return (WEIGHTS_DIR / folder / "manifest.json").is_file()


def _package(version: ModelVersion) -> Package:
    return _starter(version.starter) if version.starter else _local(version.sha256, version.folder)


@lru_cache(maxsize=8)
def _starter(folder: str) -> Package:
    return starter(folder)


@lru_cache(maxsize=8)
def _local(sha256: str, folder: str) -> Package:
    return copies.local(sha256, folder)


# --- pipelines (worker only: these import torch) ------------------------------------------------------------------


_loading = threading.RLock()


@contextmanager
def loading() -> Iterator[None]:
    """The one door through which torch and what needs it is imported and loaded, one thread at a time; it nests.

    Two threads that import torch by different modules meet in the middle: one gets a module half made, and the
    process never recovers.  Raises :class:`BrokenProcess` when an import or the memory fails, for no later job of this
    process would fare better.
    """
    with _loading:
        try:
            yield
        except (ImportError, MemoryError) as error:
            raise BrokenProcess(str(error) or type(error).__name__) from error


PIPELINES = {
    "generate": "generate",
    "upscale": "upscale",
    "segment": "segment",
    "surface": "surface",
    "text-mask": "text-mask",
    "restyle-fabric": "generate",
    "restyle-diffusion": "restyle",
    "imagine-fabric": "generate",
    "imagine-diffusion": "imagine",
}
"""Pipeline -> capability of its model."""


def pipeline(name: str, model: str | None = None) -> Any:
    """The pipeline of that name with the serving model, or the very ``model`` of a recipe, loaded once per process.

    Names are those of :data:`PIPELINES`, and ``draw`` and ``overlay``, which do without one.  Raises
    :class:`BadPackage` when its model is missing or damaged.
    """
    if name not in PIPELINES and name not in ("draw", "overlay"):
        raise BadPackage(f"No pipeline is called {quoted(name)}.")
    with loading():
        if name == "draw":
            return _draw()
        if name == "overlay":
            return _overlay()
        return pipeline_of(model, name) if model else _load(name, serving(PIPELINES[name]))


def pipeline_of(reference: str, name: str = "generate") -> Any:
    """The pipeline of that name with the very model of a recipe.

    Raises :class:`BadPackage` when the model is no longer kept, or is not one for this pipeline.
    """
    if name not in PIPELINES:
        raise BadPackage(f"No pipeline is called {quoted(name)}.")
    with loading():
        package = find(reference)
        if PIPELINES[name] not in package.manifest.capabilities:
            raise BadPackage(f"The model {reference} cannot {WORK.get(PIPELINES[name], PIPELINES[name])}.")
        return _load(name, package)


def _load(name: str, package: Package) -> Any:
    loaders: dict[str, Callable[[Package], Any]] = {
        "generate": lambda package: _generate(package, serving("upscale")),
        "upscale": _upscale,
        "segment": _segment,
        "surface": _surface,
        "text-mask": _text_mask,
        "restyle-fabric": _restyle_fabric,
        "restyle-diffusion": _restyle_diffusion,
        "imagine-fabric": _imagine_fabric,
        "imagine-diffusion": _imagine_diffusion,
    }
    return loaders[name](package)


def surface_reader() -> Any:
    """The pipeline that reads the surface of cloth; None where no model serves that, and it has to be estimated."""
    return pipeline("surface") if serves("surface") else None


def try_out(package: Package, progress: copies.Progress | None = None) -> bool:
    """Load the model once and let it go again; False where memory is too short to try, or it is a LoRA.

    Raises :class:`BadPackage` for files that are whole and do not make a model together.
    """
    with loading():
        return _try_out(package, progress)


def _try_out(package: Package, progress: copies.Progress | None) -> bool:
    from ..pipelines.diffusion.residency import Residency, memory_of

    architecture = package.manifest.architecture
    if architecture in ARCHITECTURES:
        package.network()
        return True
    need = 3 * package.size  # half precision on disk, single precision on a CPU, and a part of it twice while it loads
    if architecture not in ("clipseg", "diffusers") or memory_of("cpu")[0] < need:
        return False
    if progress is not None:
        progress(1.0, f"Loading {package.manifest.name} once")
    if architecture == "clipseg":
        from ..pipelines.text_mask import TextMaskPipeline

        TextMaskPipeline(package)
        return True
    from ..pipelines.restyle.diffusion import DiffusionRestyle

    resident: Residency[Any] = Residency()
    DiffusionRestyle(package, resident=resident)
    resident.clear()
    return True


def device() -> str:
    """``cuda`` where there is one.  Asked only inside a worker's job: CUDA does not survive a fork."""
    with loading():
        import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def _generate(package: Package, upscale: Package) -> Any:
    def load() -> Any:
        from ..pipelines.generate import GeneratePipeline

        return GeneratePipeline(package, _upscale(upscale), device=device())

    return _resident(("generate", package.manifest.sha256, upscale.manifest.sha256), load)


def _draw() -> Any:
    """Generates drawn fabrics only; needs no model."""

    def load() -> Any:
        from ..pipelines.generate import GeneratePipeline

        return GeneratePipeline(None, None)

    return _resident(("draw",), load)


def _upscale(package: Package) -> Any:
    def load() -> Any:
        from ..pipelines.upscale import UpscalePipeline

        return UpscalePipeline(package, device=device())

    return _resident(("upscale", package.manifest.sha256), load)


def _segment(package: Package) -> Any:
    def load() -> Any:
        from ..pipelines.segment import SegmentPipeline

        return SegmentPipeline(package, device=device())

    return _resident(("segment", package.manifest.sha256), load)


def _surface(package: Package) -> Any:
    def load() -> Any:
        from ..pipelines.surface import SurfacePipeline

        return SurfacePipeline(package, device=device())

    return _resident(("surface", package.manifest.sha256), load)


def _text_mask(package: Package) -> Any:
    def load() -> Any:
        from ..pipelines.text_mask import TextMaskPipeline

        return TextMaskPipeline(package, device=device())

    return _resident(("text-mask", package.manifest.sha256), load)


def _restyle_fabric(package: Package) -> Any:
    def load() -> Any:
        from ..pipelines.restyle.fabric import FabricRestyle

        generate = _generate(package, serving("upscale"))
        if not settings.CLIP_FOLDER:
            return FabricRestyle(generate, surface=surface_reader())
        from ..words.similarity import SimilarWords

        understand = SimilarWords(settings.CLIP_FOLDER)
        return FabricRestyle(generate, understand=understand, surface=surface_reader())

    reads = serving("surface").manifest.sha256 if serves("surface") else ""
    return _resident(("restyle-fabric", package.manifest.sha256, reads, settings.CLIP_FOLDER), load)


def _imagine_fabric(package: Package) -> Any:
    from ..pipelines.imagine.fabric import FabricImagine

    return FabricImagine(_restyle_fabric(package))


def _restyle_diffusion(package: Package) -> Any:
    def load() -> Any:
        from ..pipelines.restyle.diffusion import DiffusionRestyle

        return DiffusionRestyle(package, device=device(), loras=Loras(text_width(package.path)))

    return _resident(("restyle-diffusion", package.manifest.sha256), load)


def _imagine_diffusion(package: Package) -> Any:
    def load() -> Any:
        from ..pipelines.imagine.diffusion import DiffusionImagine

        return DiffusionImagine(package, device=device(), loras=Loras(text_width(package.path)))

    return _resident(("imagine-diffusion", package.manifest.sha256), load)


def _overlay() -> Any:
    from ..pipelines.overlay import OverlayPipeline

    return OverlayPipeline(surface_reader())


_loaded: OrderedDict[tuple[str, ...], Any] = OrderedDict()
MOST_LOADED = 10
"""Those of diffusion models hold no weights: :mod:`.pipelines.diffusion.residency` keeps these by free memory."""


def _resident(key: tuple[str, ...], load: Callable[[], Any]) -> Any:
    """What ``load`` makes, kept for the next job; the one unused for longest goes when there are too many."""
    with loading():
        if key not in _loaded:
            _loaded[key] = load()
        _loaded.move_to_end(key)
        while len(_loaded) > MOST_LOADED:
            _loaded.popitem(last=False)
        return _loaded[key]
