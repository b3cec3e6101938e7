"""What staff do with models: bring them in, move them on, take them back, remove them.

    draft -> candidate -> serving -> retired        (and retired -> serving again)

The one writer of :attr:`ModelVersion.status` and ``default``, for pages, the admin and commands alike.  Every move is a
conditional update under a lock on the models of its capability, and leaves a :class:`CurationEvent` in the same
transaction.  Workers ask :mod:`.registry` for every job, so they take a change up with their next one.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.db.models import QuerySet
from django.db.models.signals import post_delete
from django.dispatch import receiver

from ..errors import BadInput, BadPackage
from ..models import CurationEvent, ModelVersion
from ..packaging import Manifest, Package, sources
from ..packaging.contents import text_width
from ..packaging.files import CARD
from ..packaging.package import WEIGHTS
from . import copies, loading, registry

Action = CurationEvent.Action
Origin = ModelVersion.Origin
Status = ModelVersion.Status

COMES_FROM = {
    Status.CANDIDATE: (Status.DRAFT,),
    Status.SERVING: (Status.CANDIDATE, Status.SERVING, Status.RETIRED),
    Status.RETIRED: (Status.DRAFT, Status.CANDIDATE, Status.SERVING),
}
"""From which status a version gets to another."""


@dataclass(frozen=True)
class Descent:
    """How a version came to be, beside what its package says of itself."""

    origin: Origin | None = None
    """None: as the package tells."""
    owner: Any = None
    """Whose own it is; None for the house's."""
    parent: ModelVersion | None = None
    data_sha256: str = ""
    data_name: str = ""
    recipe: Mapping[str, Any] = field(default_factory=dict)
    metrics: Sequence[Mapping[str, Any]] = ()
    """Rows of the evaluation's table; empty: as the package tells."""


def add(
    path: Path | str,
    *,
    descent: Descent | None = None,
    status: Status | None = None,
    by: AbstractBaseUser | None = None,
    notes: str = "",
    progress: copies.Progress | None = None,
) -> ModelVersion:
    """Keep a copy of the package at ``path`` in storage; adding the same weights again returns the first row.

    With no ``status`` it is a candidate, and a LoRA of the house is offered at once.
    """
    package = Package.load(path)
    descent = descent or Descent()
    manifest = package.manifest
    for capability in manifest.capabilities:
        if capability not in registry.CAPABILITIES:
            raise BadPackage(f"{manifest.name} claims to {capability[:40]!r}, which nothing here can use.")
    same = ModelVersion.objects.filter(sha256=manifest.sha256)
    known = same.filter(owner=descent.owner).first()
    if known is not None:
        return known
    offered_at_once = manifest.capability == "lora" and descent.owner is None
    version = ModelVersion(
        **{**_described(package), **_descended(descent, manifest.config.get("source", {}))},
        status=status or (Status.SERVING if offered_at_once else Status.CANDIDATE),
    )
    if not same.exists():
        copies.store(package, version.folder, progress)
    with transaction.atomic():
        version.save()
        record(Action.ADDED, version, by, text=notes, details={"status": version.status, "origin": version.origin})
    return version


def _descended(descent: Descent, source: Any) -> dict[str, Any]:
    said = _said(source)[:300]
    told = (
        Origin.HUB if isinstance(source, dict) and "hub_id" in source else Origin.UPLOADED if said else Origin.TRAINED
    )
    values = {
        "source": said,
        "origin": descent.origin or told,
        "owner": descent.owner,
        "parent": descent.parent,
        "data_sha256": descent.data_sha256,
        "data_name": descent.data_name[:120],
        "recipe": dict(descent.recipe),
    }
    return values | ({"metrics": [dict(row) for row in descent.metrics]} if descent.metrics else {})


def _described(package: Package) -> dict[str, Any]:
    """What a row tells of the package."""
    manifest = package.manifest
    card = package.path / CARD
    hashes = manifest.files or {WEIGHTS: manifest.sha256}
    return {
        "name": manifest.name[:100],
        "version": manifest.version[:40],
        "capability": manifest.capability,
        "sha256": manifest.sha256,
        "licence": manifest.licence,
        "size": package.size,
        "card": card.read_text(encoding="utf-8", errors="replace") if card.is_file() else "",
        "files": [
            {"name": name, "size": (package.path / name).stat().st_size, "sha256": sha256}
            for name, sha256 in sorted(hashes.items())
        ],
        "metrics": _rows_of(manifest.metrics),
        "manifest": {
            "architecture": manifest.architecture,
            "config": manifest.config,
            "metrics": manifest.metrics,
            "text_width": text_width(package.path),
            "samples": copies.samples_of(package.path),
        },
    }


def _rows_of(metrics: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The figures of a manifest as rows of the evaluation's table; their ``n`` stands among them."""
    nothing = {"deviation": None, "n": None, "features": "", "data": "", "command": ""}
    return [
        {"metric": name, "value": value, **nothing}
        for name, value in metrics.items()
        if isinstance(value, int | float) and name != "n" and not name.endswith("_n")
    ]


def pull(
    text: str,
    *,
    allow_pickle: bool = False,
    config: str | None = None,
    notes: str = "",
    descent: Descent | None = None,
    status: Status | None = None,
    by: AbstractBaseUser | None = None,
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
        return add(package.path, descent=descent, status=status, by=by, notes=notes, progress=progress)


def _said(source: Any) -> str:
    """Where a package says it comes from, in one line."""
    if not isinstance(source, dict):
        return ""
    if "hub_id" in source:
        return f"{source['hub_id']}@{source.get('revision', '')}"
    return str(source.get("file", ""))


def note(version: ModelVersion, by: AbstractBaseUser | None, text: str) -> CurationEvent:
    """Write a remark into the log of ``version``."""
    return record(Action.NOTED, version, by, text=text)


def promote(version: ModelVersion, by: AbstractBaseUser | None = None) -> None:
    """One step on: a draft becomes a candidate; what is one, or has retired, serves.

    Where people choose it serves beside the default, elsewhere as the default.  Raises :class:`BadPackage`.
    """
    if version.status == Status.DRAFT:
        propose(version, by)
    elif people_choose(version.capability):
        offer(version, by)
    else:
        serve(version, by)


def propose(version: ModelVersion, by: AbstractBaseUser | None = None) -> None:
    """Make a candidate of a draft.  Raises :class:`BadPackage` for what is none."""
    with transaction.atomic():
        _move(version, Status.CANDIDATE, by)
        record(Action.PROPOSED, version, by)
    version.refresh_from_db()


def offer(version: ModelVersion, by: AbstractBaseUser | None = None) -> None:
    """Let people choose ``version``; what serves unnamed stays.  Raises :class:`BadPackage` where nobody chooses."""
    if not people_choose(version.capability):
        raise BadPackage(f"Nobody chooses between models of {version.capability}; make {version.name} the default.")
    with transaction.atomic():
        was = _move(version, Status.SERVING, by)
        if was != Status.SERVING:
            record(Action.OFFERED, version, by)
    version.refresh_from_db()


def serve(version: ModelVersion, by: AbstractBaseUser | None = None) -> None:
    """Make ``version`` the default of its capability; workers take it up with their next job.

    Where people may choose, those that served go on serving beside it; elsewhere they retire.  Raises
    :class:`BadPackage` for a LoRA, which is offered by name and serves nothing by itself, and for a draft.
    """
    with transaction.atomic():
        _make_default(version, by, Action.MADE_DEFAULT)
    version.refresh_from_db()


def serve_starter(folder: str, by: AbstractBaseUser | None = None) -> None:
    """Let the starter of that folder serve what it is the starter of."""
    adopt_starters()
    row = ModelVersion.objects.filter(starter=folder).first()
    if row is not None:
        serve(row, by)
    for version in ModelVersion.objects.filter(status=Status.SERVING, starter=""):
        if registry.STARTERS.get(version.capability) == folder and not people_choose(version.capability):
            withdraw(version, by)


def withdraw(version: ModelVersion, by: AbstractBaseUser | None = None) -> None:
    """Retire ``version``: the starter serves again, or another one that does.  What it made can be made again.

    Raises :class:`BadPackage` for a starter that nothing else could stand in for.
    """
    with transaction.atomic():
        _locked(version.capability)
        others = [one for one in registry.offered(version.capability) if one.reference != version.reference]
        if version.starter and not others:
            raise BadPackage(
                f"Nothing else can {registry.WORK[version.capability]}; let another serve before {version.name} goes."
            )
        _retire(version, by)
    version.refresh_from_db()


def roll_back(capability: str, by: AbstractBaseUser | None = None, *, seen: str | None = None) -> ModelVersion | None:
    """The default before the last change becomes it again; None where that was the starter that nobody chose.

    Doing it twice takes it back.  ``seen`` is the reference of the default that whoever asks for it saw, "" for none:
    when it is another by now, nothing changes.  Raises :class:`BadPackage`, also where there was no change.
    """
    with transaction.atomic():
        _locked(capability)
        now = default_of(capability)
        if seen is not None and seen != _name_of(now):
            raise BadPackage(
                f"Meanwhile {_name_of(now) or 'the starter'} became the default; look again. Nothing changed."
            )
        change = last_change(capability)
        if change is None:
            raise BadPackage(f"The default of {capability} was never changed; there is nothing to roll back to.")
        before = change.details["before"]
        version = _find_again(capability, before)
        if version is not None:
            _make_default(version, by, Action.ROLLED_BACK)
        elif before:
            raise BadPackage(f"{before}, which was the default before, is no longer kept. Nothing changed.")
        else:
            _to_the_starter(capability, by)
    return version


def default_of(capability: str) -> ModelVersion | None:
    """The version that staff made the default; None while the starter serves that nobody had to choose."""
    return ModelVersion.objects.filter(capability=capability, default=True).first()


def last_change(capability: str) -> CurationEvent | None:
    """The last event by which another became the default."""
    return CurationEvent.objects.filter(capability=capability, details__has_key="before").first()


def people_choose(capability: str) -> bool:
    """Whether several may serve side by side, and people name the one that they want."""
    return capability in registry.BESIDE or capability == "lora"


def _make_default(version: ModelVersion, by: AbstractBaseUser | None, action: Action) -> None:
    """The conditional updates and events of it, in the caller's transaction."""
    if version.capability == "lora":
        raise BadPackage(f"{version.name} is a LoRA: it is offered by its name and serves nothing by itself.")
    rows = _locked(version.capability)
    before = default_of(version.capability)
    if before == version:
        return
    rows.filter(default=True).update(default=False)
    if not people_choose(version.capability):
        for other in rows.filter(status=Status.SERVING).exclude(pk=version.pk):
            _move(other, Status.RETIRED, by)
            record(Action.RETIRED, other, by, details={"for": version.reference})
    _move(version, Status.SERVING, by, default=True)
    record(action, version, by, details={"before": _name_of(before), "after": version.reference})


def _to_the_starter(capability: str, by: AbstractBaseUser | None) -> None:
    """No default any more.  Raises :class:`BadPackage` where nothing ships that could serve then."""
    now = default_of(capability)
    if now is None:
        return
    if people_choose(capability):
        ModelVersion.objects.filter(pk=now.pk).update(default=False)
    else:
        _move(now, Status.RETIRED, by, default=False)
    if not registry.serves(capability):
        raise BadPackage(f"Before {now.reference} nothing could {registry.WORK.get(capability, capability)}.")
    record(Action.ROLLED_BACK, None, by, capability=capability, details={"before": now.reference, "after": ""})


def _retire(version: ModelVersion, by: AbstractBaseUser | None) -> None:
    was_default = ModelVersion.objects.filter(pk=version.pk, default=True).exists()
    if version.status == Status.RETIRED:
        return
    _move(version, Status.RETIRED, by, default=False)
    change = {"before": version.reference, "after": ""} if was_default else {}
    record(Action.RETIRED, version, by, details=change)


def _move(version: ModelVersion, to: Status, by: AbstractBaseUser | None, **values: Any) -> str:
    """One conditional update; the status before it.  What serves is the house's: its owner lets go of it.

    Raises :class:`BadPackage` where ``version`` has meanwhile got to where no way leads on.
    """
    row = ModelVersion.objects.select_for_update().filter(pk=version.pk).first()
    if row is None:
        raise BadPackage(f"{version.reference} is no longer kept.")
    if row.status not in COMES_FROM[to]:
        raise BadPackage(_REFUSED[to].format(name=version.name, status=row.status))
    if to == Status.SERVING and row.owner_id is not None:
        if ModelVersion.objects.filter(sha256=row.sha256, owner=None).exists():
            raise BadPackage(f"The house keeps the same weights as {version.name} already; promote those.")
        values["owner"] = None
        record(Action.PUBLISHED, version, by, details={"was": row.owner.get_username() if row.owner else ""})
    won = ModelVersion.objects.filter(pk=version.pk, status=row.status).update(status=to, **values)
    if won != 1:
        raise BadPackage(f"Somebody else moved {version.name} on just now; look again. Nothing changed.")
    return row.status


_REFUSED = {
    Status.CANDIDATE: "{name} is {status}, not a draft.",
    Status.SERVING: "{name} is a {status}; make a candidate of it before it serves.",
    Status.RETIRED: "{name} is {status} already.",
}


def record(
    action: Action,
    version: ModelVersion | None,
    by: AbstractBaseUser | None,
    *,
    capability: str = "",
    text: str = "",
    details: Mapping[str, Any] | None = None,
) -> CurationEvent:
    """Write an event into the log, where it stays."""
    return CurationEvent.objects.create(
        action=action,
        by_id=by.pk if by else None,
        by_name=by.get_username() if by else "",
        version=version,
        reference=_name_of(version),
        capability=version.capability if version else capability,
        text=text,
        details=dict(details or {}),
    )


def _name_of(version: ModelVersion | None) -> str:
    return version.reference if version else ""


def _find_again(capability: str, reference: str) -> ModelVersion | None:
    """The version of that reference; of a starter also its later release."""
    rows = ModelVersion.objects.filter(capability=capability, name=reference.partition("@")[0], owner=None)
    found = {row.reference: row for row in rows}
    return found.get(reference) or next((row for row in rows if row.starter), None)


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
        values = {**_described(package), "source": "ships with Toile", "origin": Origin.STARTER}
        ModelVersion.objects.update_or_create(
            starter=folder, defaults=values, create_defaults={**values, "status": Status.SERVING}
        )


def shipped(folder: str) -> ModelVersion | None:
    """What a starter's row tells, or would tell had it one (then it is not saved); None where it does not ship.

    No weights are read.
    """
    row = ModelVersion.objects.filter(starter=folder).first()
    if row is not None:
        return row
    home = registry.starter_folder(folder)
    try:
        package = Package(home, Manifest.read(home))
    except BadPackage:
        return None
    serves = registry.reference(package.manifest.capability) == package.manifest.reference
    status = Status.SERVING if serves else Status.RETIRED
    return ModelVersion(**_described(package), starter=folder, origin=Origin.STARTER, status=status)


def verify(version: ModelVersion, progress: copies.Progress | None = None) -> None:
    """Read all of its stored files.  Raises :class:`BadPackage` naming the first that is damaged or missing."""
    if version.starter:
        Package.load(registry.starter_folder(version.starter))
        return
    copies.verify(version.sha256, version.folder, progress)


def remove(version: ModelVersion, by: AbstractBaseUser | None = None) -> None:
    """Forget a model and delete its files.  Raises :class:`BadPackage` while it serves, and for a starter.

    A LoRA may go while it is offered, for nothing falls back on it.
    """
    if version.starter:
        raise BadPackage(f"{version.name} ships with Toile and cannot be removed; take it out of service instead.")
    with transaction.atomic():
        free = ModelVersion.objects.filter(pk=version.pk)
        if version.capability != "lora":
            free = free.exclude(status=Status.SERVING)
        if not free.exists():
            raise BadPackage(f"{version.name} serves {version.capability}; let another serve first.")
        record(Action.REMOVED, version, by, details={"sha256": version.sha256})
        version.delete()


@receiver(post_delete, sender=ModelVersion)
def _files_go_with_the_row(instance: ModelVersion, **_: Any) -> None:
    """Whatever deletes it, its owner's leaving too; files that another row shares stay."""
    if instance.starter:
        return
    folder, sha256, samples = instance.folder, instance.sha256, instance.manifest.get("samples") or []

    def forget() -> None:
        if not ModelVersion.objects.filter(sha256=sha256).exists():
            copies.remove(folder, samples)
            registry.forget_packages()

    transaction.on_commit(forget)
