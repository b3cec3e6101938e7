"""Content credentials (C2PA 2): a signed statement inside a picture of what made it.

The library of the C2PA itself signs (``c2pa-python``); it is an optional package, see ``requirements-c2pa.txt``.  The
statement says that the picture was made here, and of which IPTC source type it is; nothing says for whom.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from .errors import BadInput
from .provenance import SOURCE_TYPES, source_type

MIME = {"png": "image/png", "tif": "image/tiff"}
"""What can be signed, by the ending of its file."""
MOST_BYTES = 256 * 1024 * 1024
"""Of a file that is signed: the library holds it in memory."""
ALGORITHM = "es256"
"""Of the key: ECDSA on P-256, which every C2PA validator takes."""


@dataclass(frozen=True)
class Credentials:
    """A certificate chain (PEM, the signer's own first) and its private key (PEM)."""

    certificate: bytes
    key: bytes


def is_there() -> bool:
    """Whether the library is installed."""
    return find_spec("c2pa") is not None


def can_sign(path: Path) -> bool:
    """Whether a file is of a kind and a size that is signed."""
    return path.suffix[1:] in MIME and path.stat().st_size <= MOST_BYTES


def sign(path: Path, recipe: Mapping[str, Any], title: str, by: Credentials) -> None:
    """Replace the file by a signed one.  Raises :class:`BadInput` where certificate or key do not sign."""
    import c2pa

    kind = source_type(recipe)
    created = {"action": "c2pa.created", **({"digitalSourceType": SOURCE_TYPES + kind} if kind else {})}
    statement = {
        "claim_generator_info": [{"name": "Toile"}],
        "title": title,
        "assertions": [{"label": "c2pa.actions.v2", "data": {"actions": [created]}}],
    }
    signed = path.with_name(f"signed-{path.name}")
    mime = MIME[path.suffix[1:]]
    try:
        info = c2pa.C2paSignerInfo(ALGORITHM.encode(), by.certificate, by.key, None)
        with (
            c2pa.Signer.from_info(info) as signer,
            c2pa.Builder(json.dumps(statement)) as builder,
            path.open("rb") as source,
            signed.open("w+b") as target,
        ):
            builder.sign(signer, mime, source, target)
        signed.replace(path)
    except c2pa.C2paError as error:
        raise BadInput(f"The site's certificate does not sign: {error}") from error
    finally:
        signed.unlink(missing_ok=True)
