"""Versions to curate, without weights that a network could load."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ml_backend.models import ModelVersion
from ml_backend.packaging.package import sha256_of
from ml_backend.serving import curation, registry
from tests.weights import weights_of


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    registry.forget_packages()
    yield
    registry.forget_packages()


@pytest.fixture
def kept(tmp_path: Path, db: None) -> Callable[..., ModelVersion]:
    """``kept("florals", "generate", card="# Florals", samples={"a.png": b"..."}, status=...)``."""

    def make(
        name: str,
        capability: str = "segment",
        *,
        card: str = "",
        samples: dict[str, bytes] | None = None,
        **values: Any,
    ) -> ModelVersion:
        path = tmp_path / "packages" / name
        path.mkdir(parents=True)
        (path / "weights.safetensors").write_bytes(weights_of(name.encode()))
        sha = sha256_of(path / "weights.safetensors")
        manifest = {
            "name": name,
            "capability": capability,
            "architecture": "dcgan",
            "config": {},
            "sha256": sha,
            "metrics": {"iou": 0.5, "n": 40},
        }
        (path / "manifest.json").write_text(json.dumps(manifest))
        (path / "README.md").write_text(card)
        for file, data in (samples or {}).items():
            (path / "samples").mkdir(exist_ok=True)
            (path / "samples" / file).write_bytes(data)
        return curation.add(path, **values)

    return make
