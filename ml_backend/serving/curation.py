"""What staff do with models: bring them in, let them serve, take them out of service, remove them."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from ..errors import BadInput, BadPackage
from ..models import ModelVersion
from ..packaging import Package, sources
from ..packaging.contents import text_width
from ..packaging.files import CARD
from . import copies, loading, registry


def add(path: Path | str, *, notes: str = "", progress: copies.Progress | None = None) -> ModelVersion:
    """Keep a copy of the package at ``path`` in storage; adding the same weights again returns the first row."""
    package = Package.load(path)
    for capability in package.manifest.capabilities:
        if capability not in registry.CAPABILITIES:
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
            loading.try_out(package, progress)
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
        others.update(default=False, **({} if version.capability in registry.BESIDE else {"serving": False}))
        ModelVersion.objects.filter(pk=version.pk).update(serving=True, default=True)
    version.refresh_from_db()


def offer(version: ModelVersion) -> None:
    """Let people choose ``version``; what serves unnamed stays.  Raises :class:`BadPackage` where nobody chooses."""
    if version.capability not in registry.BESIDE:
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
        if registry.STARTERS.get(version.capability) == folder and version.capability not in registry.BESIDE:
            withdraw(version)


def withdraw(version: ModelVersion) -> None:
    """Take ``version`` out of service: the starter serves again, or another one that does.

    Raises :class:`BadPackage` for a starter that nothing else could stand in for.
    """
    with transaction.atomic():
        _locked(version.capability)
        others = [one for one in registry.offered(version.capability) if one.reference != version.reference]
        if version.starter and not others:
            raise BadPackage(
                f"Nothing else can {registry.WORK[version.capability]}; let another serve before {version.name} goes."
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
    for folder in (folder for capability in registry.BESIDE for folder in registry.starters(capability)):
        try:
            package = registry.starter_package(folder)
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
        Package.load(registry.starter_folder(version.starter))
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
    registry.forget_packages()
