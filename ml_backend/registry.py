"""Which model serves a capability, and the pipelines that a worker keeps loaded.

A capability (generate, upscale, segment) is served by the :class:`ModelVersion` that staff marked as serving, else by
the starter model that ships with Toile.
"""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import default_storage
from django.db import transaction

from .errors import BadPackage
from .models import ModelVersion
from .packaging import Package
from .packaging.starter import starter

STARTERS = {
    "generate": "dcgan-starter",
    "upscale": "srgan-x8-starter",
    "segment": "unet-starter",
    "classify": "classifier-starter",
}
FILES = ("manifest.json", "weights.safetensors", "README.md")


def serving(capability: str) -> Package:
    """The package that serves ``capability``.  Raises :class:`BadPackage` when none does or it is damaged."""
    version = ModelVersion.objects.filter(capability=capability, serving=True).first()
    if version is not None:
        return _local(version.sha256, version.folder)
    if capability not in STARTERS:
        raise BadPackage(f"No model serves {capability!r}.")
    return _starter(STARTERS[capability])


def reference(capability: str) -> str:
    """``name@sha256-prefix`` of what serves now, from the manifest alone (no weights are read)."""
    version = ModelVersion.objects.filter(capability=capability, serving=True).first()
    return version.reference if version is not None else serving(capability).manifest.reference


def find(reference: str) -> Package:
    """The very package a recipe names.  Raises :class:`BadPackage` when it is no longer kept."""
    name, _, prefix = reference.partition("@")
    version = ModelVersion.objects.filter(name=name, sha256__startswith=prefix).first() if prefix else None
    if version is not None:
        return _local(version.sha256, version.folder)
    for folder in STARTERS.values():
        try:
            package = _starter(folder)
        except BadPackage:
            continue
        if package.manifest.reference == reference:
            return package
    raise BadPackage(f"The model {reference} that made this is no longer kept here.")


def add(path: Path | str, *, notes: str = "") -> ModelVersion:
    """Keep a copy of the package at ``path`` in storage; adding the same weights again returns the first row."""
    package = Package.load(path)
    known = ModelVersion.objects.filter(sha256=package.manifest.sha256).first()
    if known is not None:
        return known
    manifest = package.manifest
    version = ModelVersion(
        name=manifest.name,
        version=manifest.version,
        capability=manifest.capability,
        sha256=manifest.sha256,
        notes=notes,
        manifest={"architecture": manifest.architecture, "config": manifest.config, "metrics": manifest.metrics},
    )
    for name in FILES:
        source = package.path / name
        if not source.is_file():
            continue
        if name == "README.md":
            version.card = source.read_text(encoding="utf-8")
        with source.open("rb") as file:
            default_storage.delete(f"{version.folder}/{name}")
            default_storage.save(f"{version.folder}/{name}", File(file))
    version.save()
    return version


def serve(version: ModelVersion) -> None:
    """Make ``version`` the one that serves its capability; workers take it up with their next job."""
    with transaction.atomic():
        # Two curators take turns; the order keeps them from waiting for each other.
        list(ModelVersion.objects.select_for_update().filter(capability=version.capability).order_by("pk"))
        ModelVersion.objects.filter(capability=version.capability, serving=True).exclude(pk=version.pk).update(
            serving=False
        )
        ModelVersion.objects.filter(pk=version.pk).update(serving=True)
    version.refresh_from_db()


def withdraw(version: ModelVersion) -> None:
    """Let the starter serve again."""
    ModelVersion.objects.filter(pk=version.pk).update(serving=False)
    version.refresh_from_db()


@lru_cache(maxsize=8)
def _starter(folder: str) -> Package:
    return starter(folder)


@lru_cache(maxsize=8)
def _local(sha256: str, folder: str) -> Package:
    """A verified copy on this machine; a damaged copy is fetched once more."""
    path: Path = settings.DATA_DIR / "models" / sha256
    if path.is_dir():
        try:
            return Package.load(path)
        except BadPackage:
            shutil.rmtree(path, ignore_errors=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as fresh:
        target = Path(fresh) / sha256
        target.mkdir()
        for name in FILES:
            if default_storage.exists(f"{folder}/{name}"):
                with default_storage.open(f"{folder}/{name}") as source, (target / name).open("wb") as copy:
                    shutil.copyfileobj(source, copy)
        if Package.load(target).manifest.sha256 != sha256:
            raise BadPackage("The stored model is not the one that was registered.")
        if not path.exists():
            target.rename(path)
    return Package.load(path)


# --- pipelines (worker only: these import torch) ------------------------------------------------------------------


def pipeline(capability: str) -> Any:
    """The pipeline of ``capability`` with the serving model, loaded once per process and model version."""
    if capability == "generate":
        return _generate(serving("generate"), serving("upscale"))
    if capability == "upscale":
        return _upscale(serving("upscale"))
    if capability == "segment":
        return _segment(serving("segment"))
    if capability == "draw":
        return _draw()
    if capability == "overlay":
        return _overlay()
    raise BadPackage(f"No pipeline is called {capability!r}.")


def pipeline_of(reference: str) -> Any:
    """The generating pipeline with the very model of a recipe."""
    return _generate(find(reference), serving("upscale"))


def device() -> str:
    """``cuda`` where there is one.  Asked only inside a worker's job: CUDA does not survive a fork."""
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def _generate(package: Package, upscale: Package) -> Any:
    def load() -> Any:
        from .pipelines.generate import GeneratePipeline

        return GeneratePipeline(package, _upscale(upscale), device=device())

    return _resident(("generate", package.manifest.sha256, upscale.manifest.sha256), load)


def _draw() -> Any:
    """Generates drawn fabrics only; needs no model."""

    def load() -> Any:
        from .pipelines.generate import GeneratePipeline

        return GeneratePipeline(None, None)

    return _resident(("draw",), load)


def _upscale(package: Package) -> Any:
    def load() -> Any:
        from .pipelines.upscale import UpscalePipeline

        return UpscalePipeline(package, device=device())

    return _resident(("upscale", package.manifest.sha256), load)


def _segment(package: Package) -> Any:
    def load() -> Any:
        from .pipelines.segment import SegmentPipeline

        return SegmentPipeline(package, device=device())

    return _resident(("segment", package.manifest.sha256), load)


def _overlay() -> Any:
    from .pipelines.overlay import OverlayPipeline

    return OverlayPipeline()


_loaded: OrderedDict[tuple[str, ...], Any] = OrderedDict()
MOST_LOADED = 6
_loading = threading.RLock()
"""A job that comes while the worker is still warming up waits for the same pipeline; loading may nest."""


def _resident(key: tuple[str, ...], load: Callable[[], Any]) -> Any:
    """What ``load`` makes, kept for the next job; the one unused for longest goes when there are too many."""
    with _loading:
        if key not in _loaded:
            _loaded[key] = load()
        _loaded.move_to_end(key)
        while len(_loaded) > MOST_LOADED:
            _loaded.popitem(last=False)
        return _loaded[key]
