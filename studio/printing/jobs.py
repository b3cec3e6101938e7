"""The jobs that make print files and tech packs."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from django.conf import settings

from ml_backend import signing
from ml_backend.errors import BadInput
from ml_backend.models import Job
from ml_backend.serving import jobs
from patterns.made import still_wanted, wanted
from patterns.models import Pattern
from patterns.passport import passport

from .models import Print
from .services import colourways_of, ways_called

UNWANTED = "The print is no longer wanted."
NO_PATTERN = "The fabric of this print was deleted, so it cannot be made any more."
NO_PROFILE = "The printer's profile of this print was deleted. Ask for it again with another one."


def _print(job: Job) -> Print:
    row = wanted(Print.objects.select_related("pattern", "pattern__job", "profile").filter(job=job), UNWANTED)
    if row.pattern is None:
        raise BadInput(NO_PATTERN)
    if row.in_cmyk and row.profile is None:
        raise BadInput(NO_PROFILE)
    return row


@jobs.handler("print", possible=_print)
def make_print(job: Job, report: jobs.Report, should_stop: jobs.ShouldStop) -> jobs.Publish:
    """Makes the file on this machine's disk, band by band, and then stores it."""
    from ml_backend.printing.making import make

    from .designs import to_print

    row = _print(job)
    pattern = _fabric(row)
    report(0.01, "Looking out the inks")
    request = row.request
    design = to_print(pattern, request.repeat)
    profile = None
    if row.profile is not None:
        with row.profile.file.open() as file:
            profile = file.read()
    told = passport([pattern]).told()
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"print.{request.suffix}"
        recipe = {**pattern.recipe(), "models": told}
        facts = make(
            design,
            request,
            path,
            recipe,
            profile=profile,
            colourways=_colourways(row, pattern),
            progress=lambda share, stage: report(0.02 + 0.93 * share, stage),
            should_stop=should_stop,
        )
        signed = _signed(path, recipe, row.title)
        return _kept(job, row, path, {**facts, "models": told, "signed": signed}, report)


def _signed(path: Path, recipe: dict[str, Any], title: str) -> bool:
    """Whether the file now carries content credentials: where a certificate is set, in the formats that take them."""
    if not (settings.C2PA_CERTIFICATE and settings.C2PA_KEY and signing.is_there() and signing.can_sign(path)):
        return False
    by = signing.Credentials(Path(settings.C2PA_CERTIFICATE).read_bytes(), Path(settings.C2PA_KEY).read_bytes())
    signing.sign(path, recipe, title, by)
    return True


@jobs.handler("pack", possible=_print)
def make_pack(job: Job, report: jobs.Report, should_stop: jobs.ShouldStop) -> jobs.Publish:
    """Dresses the garments, then sets the pages."""
    from .packs import write

    row = _print(job)
    pattern = _fabric(row)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "pack.pdf"
        facts = write(path, row, pattern, lambda share, stage: report(0.95 * share, stage), should_stop)
        return _kept(job, row, path, facts, report)


def _fabric(row: Print) -> Pattern:
    if row.pattern is None or not row.pattern.ready:
        raise BadInput(NO_PATTERN if row.pattern is None else Pattern.not_ready())
    return row.pattern


def _kept(job: Job, row: Print, path: Path, facts: dict[str, Any], report: jobs.Report) -> jobs.Publish:
    report(0.96, "Putting it away")
    size = path.stat().st_size
    key = jobs.save(job, row.folder, path.name, path)

    def publish() -> None:
        still_wanted(Print.objects.filter(pk=row.pk).update(file=key, size=size, facts=facts))

    return publish


def _colourways(row: Print, pattern: Pattern) -> list[Any]:
    """Of a strike-off sheet: the fabric, and its other colourways that its owner may see."""
    from ml_backend.printing.plan import MAX_COLOURWAYS
    from ml_backend.printing.strike_off import Colourway

    if row.request.kind != "strike-off":
        return []
    shown = [pattern, *colourways_of(row, pattern)][:MAX_COLOURWAYS]
    return [Colourway(name, tuple(one.palette)) for name, one in zip(ways_called(shown), shown, strict=True)]
