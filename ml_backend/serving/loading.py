"""The pipelines that a worker keeps loaded.  Importing this is light; calling it imports torch, so only workers do."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from ..engines import ENGINES
from ..errors import BadPackage, quoted
from ..networks import ARCHITECTURES
from ..packaging import Package
from ..packaging.contents import text_width
from . import copies, endpoints, registry
from .endpoints import Elsewhere
from .faults import BrokenProcess

MOST_LOADED = 10
"""Those of diffusion models hold no weights: :mod:`ml_backend.pipelines.diffusion.residency` keeps these by free
memory."""

_door = threading.RLock()
_loaded: OrderedDict[tuple[str, ...], Any] = OrderedDict()


@contextmanager
def alone() -> Iterator[None]:
    """The one door through which torch and what needs it is imported and loaded, one thread at a time; it nests.

    Two threads that import torch by different modules meet in the middle: one gets a module half made, and the
    process never recovers.  Raises :class:`BrokenProcess` when an import or the memory fails, for no later job of this
    process would fare better.
    """
    with _door:
        try:
            yield
        except (ImportError, MemoryError) as error:
            raise BrokenProcess(str(error) or type(error).__name__) from error


def pipeline(name: str, model: str | None = None) -> Any:
    """The pipeline of that name with the serving model, or the very ``model`` of a recipe, loaded once per process.

    Names are those of :data:`BUILDERS`; a model named for one that does without is passed over.  Raises
    :class:`BadPackage` when its model is missing or damaged, is no longer
    kept, or is not one for this pipeline.
    """
    builder = BUILDERS.get(name)
    if builder is None:
        raise BadPackage(f"No pipeline is called {quoted(name)}.")
    with alone():
        if not builder.capability:
            return _resident(name, None)
        return _resident(name, _named(model, builder.capability) if model else registry.serving(builder.capability))


def surface_reader() -> Any:
    """The pipeline that reads the surface of cloth; None where no model serves that, and it has to be estimated."""
    return pipeline("surface") if registry.serves("surface") else None


def try_out(package: Package, progress: copies.Progress | None = None) -> bool:
    """Load the model once and let it go again; False where memory is too short to try, or it is a LoRA.

    Raises :class:`BadPackage` for files that are whole and do not make a model together.
    """
    with alone():
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


def _named(reference: str, capability: str) -> Package:
    package = registry.find(reference)
    if capability not in package.manifest.capabilities:
        raise BadPackage(f"The model {reference} cannot {registry.WORK.get(capability, capability)}.")
    return package


def _resident(name: str, package: Package | None) -> Any:
    """The pipeline of ``name`` with that package, kept for the next job; the one unused for longest goes when there are
    too many.  When a model that it takes besides changes, it is built anew."""
    builder = BUILDERS[name]
    beside = [registry.serving(other) for other in builder.beside if registry.serves(other)]
    marks = [one.mark if one else "" for one in (package, *beside)]
    key = (name, *marks, settings.CLIP_FOLDER)
    with alone():
        if key not in _loaded:
            _loaded[key] = builder.made_of(package)
        _loaded.move_to_end(key)
        while len(_loaded) > MOST_LOADED:
            _loaded.popitem(last=False)
        return _loaded[key]


def _device() -> str:
    """``cuda`` where there is one.  Asked only inside a worker's job: CUDA does not survive a fork."""
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def _generate(package: Package) -> Any:
    from ..pipelines.generate import GeneratePipeline

    return GeneratePipeline(package, _resident("upscale", registry.serving("upscale")), device=_device())


def _draw(_: None) -> Any:
    from ..pipelines.generate import GeneratePipeline

    return GeneratePipeline(None, None)


def _upscale(package: Package) -> Any:
    from ..pipelines.upscale import UpscalePipeline

    return UpscalePipeline(package, device=_device())


def _segment(package: Package) -> Any:
    from ..pipelines.segment import SegmentPipeline

    return SegmentPipeline(package, device=_device())


def _surface(package: Package) -> Any:
    from ..pipelines.surface import SurfacePipeline

    return SurfacePipeline(package, device=_device())


def _text_mask(package: Package) -> Any:
    from ..pipelines.text_mask import TextMaskPipeline

    return TextMaskPipeline(package, device=_device())


def _painter(name: str, heeds: tuple[str, ...]) -> Callable[[Package | None], Any]:
    """What builds the engine of that pipeline; it is given what serves here."""

    def build(package: Package | None) -> Any:
        from ..pipelines import base

        loras = registry.Loras(text_width(package.path)) if package is not None and "loras" in heeds else {}
        given = base.Given(
            package, _device, loras, settings.CLIP_FOLDER, surface_reader, lambda other: _resident(other, None)
        )
        return base.build(name, given)

    return build


def _describe(package: Package) -> Any:
    from ..pipelines.describe import DescribePipeline

    segment = _resident("segment", registry.serving("segment")) if registry.serves("segment") else None
    return DescribePipeline(package, segment, device=_device())


def _name(_: None) -> Any:
    """Of the starters: what a cloth looks like is a word for its page, and no model of anybody's choice."""
    from ..evaluation.patterns import load_classifier
    from ..packaging.starter import WEIGHTS_DIR, starter
    from ..pipelines.naming import NamePipeline

    there = (WEIGHTS_DIR / "designs-starter").is_dir()
    designs = load_classifier(starter("designs-starter")) if there else None
    return NamePipeline(load_classifier(starter("classifier-starter")), designs)


def _asker(work: str) -> Callable[[Elsewhere], Any]:
    """What builds the engine that has an endpoint do that work."""

    def build(package: Elsewhere) -> Any:
        from ..pipelines import base

        return base.build(f"{work}-remote", base.Given(package, endpoint=endpoints.endpoint_of(package)))

    return build


@dataclass(frozen=True)
class Builder:
    """How a pipeline is made: of a model of which capability ("" for none), and of which others that serve besides.

    ``ask`` makes it of a model that is served elsewhere, where that can be.
    """

    capability: str
    build: Callable[[Any], Any]
    beside: tuple[str, ...] = ()
    ask: Callable[[Elsewhere], Any] | None = None

    def made_of(self, package: Package | None) -> Any:
        """Raises :class:`BadPackage` for a model elsewhere that can only work here."""
        if not isinstance(package, Elsewhere):
            return self.build(package)
        if self.ask is None:
            raise BadPackage(f"{package.manifest.name} is served elsewhere, where this work cannot be asked for.")
        return self.ask(package)


BUILDERS = {
    "draw": Builder("", _draw),
    "generate": Builder("generate", _generate, ("upscale",)),
    "upscale": Builder("upscale", _upscale),
    "segment": Builder("segment", _segment),
    "surface": Builder("surface", _surface),
    "text-mask": Builder("text-mask", _text_mask),
    "name": Builder("", _name),
    "describe": Builder("classify", _describe, ("segment",)),
    **{
        f"{work}-{name}": Builder(
            engine.model,
            _painter(f"{work}-{name}", engine.heeds),
            engine.beside,
            _asker(work) if engine.model else None,
        )
        for work, engines in ENGINES.items()
        for name, engine in engines.items()
    },
}
"""All pipelines by name."""
