from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ml_backend.packaging.package import sha256_of
from ml_backend.serving import jobs
from ml_backend.serving.jobs import kinds
from tests.weights import weights_of


@pytest.fixture
def package(tmp_path: Path) -> Callable[..., Path]:
    """A small package of its own weights: ``package("florals", b"content", "generate")`` gives its folder."""

    def make(name: str, content: bytes = b"weights", capability: str = "generate") -> Path:
        path = tmp_path / "packages" / name
        path.mkdir(parents=True)
        (path / "weights.safetensors").write_bytes(weights_of(content))
        sha = sha256_of(path / "weights.safetensors")
        manifest = {"name": name, "capability": capability, "architecture": "dcgan", "config": {}, "sha256": sha}
        (path / "manifest.json").write_text(json.dumps(manifest))
        (path / "README.md").write_text(f"# {name}")
        return path

    return make


@pytest.fixture
def kind() -> Iterator[Callable[..., str]]:
    """Register a handler for the length of a test: ``kind(function)`` returns the kind's name."""
    names: list[str] = []

    def register(function: jobs.Handler | None = None) -> str:
        def nothing(job: Any, report: Any, should_stop: Any) -> jobs.Publish:
            return lambda: None

        names.append(f"test-{len(names)}")
        jobs.handler(names[-1])(function or nothing)
        return names[-1]

    yield register
    for name in names:
        kinds.handlers.pop(name)
