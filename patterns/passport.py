"""The licence passport: which models took part in a thing, and what their licences allow.

It is shown where a file is downloaded, and before it.  Models are named and nothing else: no person, no photo.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from ml_backend.models import ModelVersion
from ml_backend.packaging.licence import UNKNOWN
from ml_backend.packaging.package import Manifest
from ml_backend.serving import registry

from .models import Pattern

_NOT_FOR_TRADE = re.compile(
    r"non[-\s_]?commercial|\bnc\b|by[-_]nc|research[-\s](only|use|purposes)|academic|not for commercial", re.I
)
NOT_TOLD = "not told"


@dataclass(frozen=True)
class Stamp:
    """One model that took part."""

    reference: str
    does: str
    """Its capability: generate, upscale ..."""
    licence: str
    free: bool
    """Whether its licence is known and says nothing against selling what it makes."""

    @property
    def warning(self) -> str:
        """A sentence; empty where there is nothing to warn of."""
        if self.free:
            return ""
        if _NOT_FOR_TRADE.search(self.licence):
            return f"{self.reference} may not be used commercially ({self.licence}): nor may what it makes be sold."
        return f"The licence of {self.reference} is not known; read its page before you sell what it makes."


@dataclass(frozen=True)
class Passport:
    stamps: tuple[Stamp, ...]

    @property
    def warnings(self) -> list[str]:
        return [stamp.warning for stamp in self.stamps if stamp.warning]

    def told(self) -> list[dict[str, str]]:
        """For files: what took part, in words."""
        return [{"model": one.reference, "does": one.does, "licence": one.licence} for one in self.stamps]


def is_free(licence: str) -> bool:
    """Whether a licence is named and does not forbid trade."""
    return bool(licence) and not licence.startswith((UNKNOWN[:10], NOT_TOLD)) and not _NOT_FOR_TRADE.search(licence)


def passport(patterns: Iterable[Pattern], versions: Iterable[str] = (), loras: Iterable[str] = ()) -> Passport:
    """Of a thing made of ``patterns``, and by the models of ``versions`` (references, several to a text by lines).

    ``loras`` are named without their hashes, as requests do.
    """
    named: list[str] = []
    for pattern in patterns:
        named += [pattern.model, *(pattern.job.version.splitlines() if pattern.job else [])]
    named += [line for text in versions for line in text.splitlines()]
    mixed_in = list(loras)
    if mixed_in:
        named += [row.reference for row in ModelVersion.objects.filter(name__in=mixed_in, capability="lora")]
    references = [reference for reference in dict.fromkeys(named) if reference]
    known = _known(references)
    return Passport(tuple(_stamp(reference, known.get(reference)) for reference in references))


def _known(references: list[str]) -> dict[str, tuple[str, str]]:
    """Capability and licence of each that is kept or ships, by its reference."""
    found: dict[str, tuple[str, str]] = {}
    if not references:
        return found
    found |= _shipped()
    names = {reference.partition("@")[0] for reference in references}
    for row in ModelVersion.objects.filter(name__in=names, starter="").only("name", "sha256", "capability", "licence"):
        found[row.reference] = (row.capability, row.licence)
    return found


@lru_cache(maxsize=1)
def _shipped() -> dict[str, tuple[str, str]]:
    """The same of the starters."""
    folders = (registry.starter_folder(name) for name in registry.all_starters())
    manifests = [Manifest.read(folder) for folder in folders if (folder / "manifest.json").is_file()]
    return {manifest.reference: (manifest.capability, manifest.licence) for manifest in manifests}


def _stamp(reference: str, known: tuple[str, str] | None) -> Stamp:
    does, licence = known or ("", "")
    if licence == "same as the project":
        licence = "that of Toile itself"
    return Stamp(reference, does, licence or NOT_TOLD, is_free(licence))
