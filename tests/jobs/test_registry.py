"""Which package serves, kept copies, and pipelines that stay loaded."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.db import IntegrityError

from ml_backend import registry
from ml_backend.errors import BadPackage
from ml_backend.models import ModelVersion
from ml_backend.packaging import Package
from ml_backend.packaging.package import sha256_of

pytestmark = pytest.mark.django_db


def _forget():
    registry._local.cache_clear()
    registry._starter.cache_clear()
    registry._loaded.clear()


@pytest.fixture(autouse=True)
def _fresh():
    """Neither what ran before nor what comes after sees packages of another test."""
    _forget()
    yield
    _forget()


@pytest.fixture
def package(tmp_path):
    def make(name: str, content: bytes = b"weights", capability: str = "generate") -> Path:
        path = tmp_path / "packages" / name
        path.mkdir(parents=True)
        (path / "weights.safetensors").write_bytes(content)
        sha = sha256_of(path / "weights.safetensors")
        manifest = {"name": name, "capability": capability, "architecture": "dcgan", "config": {}, "sha256": sha}
        (path / "manifest.json").write_text(json.dumps(manifest))
        (path / "README.md").write_text(f"# {name}")
        return path

    return make


def test_the_chosen_version_serves_and_the_starter_without_one(package, monkeypatch):
    starter = Package.load(package("starter", b"starter"))
    monkeypatch.setattr(registry, "starter", lambda name: starter)
    assert registry.serving("generate") == starter
    first, second = registry.add(package("first", b"1")), registry.add(package("second", b"2"))
    assert registry.serving("generate") == starter, "adding is not serving"
    registry.serve(first)
    assert registry.serving("generate").manifest.name == "first"
    registry.serve(second)
    assert registry.reference("generate") == second.reference == registry.serving("generate").manifest.reference
    assert ModelVersion.objects.filter(serving=True).count() == 1
    registry.withdraw(second)
    assert registry.serving("generate") == starter


def test_two_cannot_serve_one_capability(package):
    ModelVersion.objects.filter(pk=registry.add(package("a", b"1")).pk).update(serving=True)
    with pytest.raises(IntegrityError):
        ModelVersion.objects.filter(pk=registry.add(package("b", b"2")).pk).update(serving=True)


def test_the_same_weights_are_kept_once(package):
    assert registry.add(package("a", b"same")) == registry.add(package("b", b"same"))
    assert ModelVersion.objects.get().card == "# a"


def test_a_recipe_finds_its_model_even_when_another_serves(package):
    old, new = registry.add(package("old", b"1")), registry.add(package("new", b"2"))
    registry.serve(new)
    assert registry.find(old.reference).manifest.name == "old"
    with pytest.raises(BadPackage, match="no longer kept"):
        registry.find("gone@123456789abc")


def test_the_local_copy_is_verified_and_mended(package, settings):
    version = registry.add(package("a", b"right"))
    registry.serve(version)
    copy = registry.serving("generate").path
    assert copy == settings.DATA_DIR / "models" / version.sha256
    (copy / "weights.safetensors").write_bytes(b"wrong")
    registry._local.cache_clear()
    assert registry.serving("generate").path == copy
    assert (copy / "weights.safetensors").read_bytes() == b"right"


def test_stored_weights_that_were_changed_never_serve(package):
    version = registry.add(package("a", b"right"))
    registry.serve(version)
    default_storage.delete(f"{version.folder}/weights.safetensors")
    default_storage.save(f"{version.folder}/weights.safetensors", ContentFile(b"swapped"))
    with pytest.raises(BadPackage):
        registry.serving("generate")


def test_nothing_serves_an_unknown_capability():
    with pytest.raises(BadPackage):
        registry.serving("weave")
    with pytest.raises(BadPackage):
        registry.pipeline("weave")


def test_pipelines_stay_loaded_and_the_stalest_goes(monkeypatch):
    made = []
    monkeypatch.setattr(registry, "MOST_LOADED", 2)

    def load(name):
        return registry._resident((name,), lambda: made.append(name) or name)

    assert [load(name) for name in ("a", "b", "a", "c", "a", "b")] == ["a", "b", "a", "c", "a", "b"]
    assert made == ["a", "b", "c", "b"]


def test_add_model_command(package, capsys):
    path = package("a", b"1")
    call_command("add_model", str(path), "--serve", "--notes", "better florals")
    version = ModelVersion.objects.get()
    assert (version.serving, version.notes) == (True, "better florals")
    (path / "weights.safetensors").write_bytes(b"2")
    with pytest.raises(CommandError, match="damaged"):
        call_command("add_model", str(path))
