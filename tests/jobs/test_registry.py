"""Which package serves, kept copies, and pipelines that stay loaded."""

from __future__ import annotations

import json
import re

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.db import IntegrityError

from ml_backend.errors import BadInput, BadPackage
from ml_backend.models import ModelVersion
from ml_backend.packaging import Package
from ml_backend.packaging.package import sha256_of
from ml_backend.serving import curation, loading, registry
from ml_backend.words.reading import read
from ml_backend.words.similarity import SimilarWords
from tests.ml_backend.tiny import tiny_clip
from tests.weights import weights_of

pytestmark = pytest.mark.django_db


def _forget():
    registry.forget_packages()
    loading._loaded.clear()


@pytest.fixture(autouse=True)
def _fresh():
    """Neither what ran before nor what comes after sees packages of another test."""
    _forget()
    yield
    _forget()


def test_the_chosen_version_serves_and_the_starter_without_one(package, monkeypatch):
    starter = Package.load(package("starter", b"starter"))
    monkeypatch.setattr(registry, "starter", lambda name: starter)
    assert registry.serving("generate") == starter
    first, second = curation.add(package("first", b"1")), curation.add(package("second", b"2"))
    assert registry.serving("generate") == starter, "adding is not serving"
    curation.serve(first)
    assert registry.serving("generate").manifest.name == "first"
    curation.serve(second)
    assert registry.reference("generate") == second.reference == registry.serving("generate").manifest.reference
    assert ModelVersion.objects.filter(default=True).count() == 1
    curation.withdraw(second)
    assert registry.serving("generate") == starter


@pytest.mark.parametrize("capability", ["segment", "surface", "upscale"])
def test_where_nobody_chooses_the_one_before_retires(package, capability):
    first, second = (curation.add(package(name, name.encode(), capability)) for name in ("first", "second"))
    curation.serve(first)
    curation.serve(second)
    assert ModelVersion.objects.get(status="serving") == ModelVersion.objects.get(default=True) == second
    with pytest.raises(BadPackage, match="Nobody chooses"):
        curation.offer(first)
    curation.withdraw(second)
    assert registry.serving(capability).manifest.name == registry.STARTERS[capability]


def test_two_cannot_be_the_default_of_one_capability(package):
    ModelVersion.objects.filter(pk=curation.add(package("a", b"1")).pk).update(status="serving", default=True)
    with pytest.raises(IntegrityError):
        ModelVersion.objects.filter(pk=curation.add(package("b", b"2")).pk).update(status="serving", default=True)


def test_a_default_that_does_not_serve_cannot_be(package):
    with pytest.raises(IntegrityError):
        ModelVersion.objects.filter(pk=curation.add(package("a", b"1")).pk).update(default=True)


# --- several that generate, side by side ------------------------------------------------------------------------------


@pytest.fixture
def starters(monkeypatch, tmp_path):
    """Two starters that generate, tiny ones: ``starters("other-starter", b"content")`` adds or replaces one."""
    home = tmp_path / "shipped"
    for module in ("serving.registry", "management.commands.models", "packaging.starter"):
        monkeypatch.setattr(f"ml_backend.{module}.WEIGHTS_DIR", home)

    def ship(name: str, content: bytes = b"") -> Package:
        (home / name).mkdir(parents=True, exist_ok=True)
        (home / name / "weights.safetensors").write_bytes(weights_of(content or name.encode()))
        sha = sha256_of(home / name / "weights.safetensors")
        manifest = {"name": name, "capability": "generate", "architecture": "dcgan", "config": {}, "sha256": sha}
        (home / name / "manifest.json").write_text(json.dumps(manifest))
        registry.forget_packages()
        return Package.load(home / name)

    ship("xgan-starter")
    ship("dcgan-starter")
    return ship


def names():
    return [one.name for one in registry.offered("generate")]


def test_both_starters_can_be_chosen_without_any_row(starters):
    first, second = registry.offered("generate")
    assert (first.name, first.is_default, second.name, second.is_default) == (
        "xgan-starter", True, "dcgan-starter", False,
    )  # fmt: skip
    assert (first.title, second.title) == ("XGAN starter", "DCGAN starter")
    assert first.reference == registry.reference("generate") == registry.serving("generate").manifest.reference
    assert registry.find(second.reference).manifest.name == "dcgan-starter"
    assert not ModelVersion.objects.exists()


def test_a_model_is_named_by_its_name_or_reference(starters):
    reference = registry.offered("generate")[1].reference
    assert registry.resolve("generate", "dcgan-starter") == registry.resolve("generate", reference) == reference
    for wrong in ("stylegan", "dcgan-starter@000000000000", ""):
        with pytest.raises(BadInput, match=r"choose one of: xgan-starter@\w+, dcgan-starter@"):
            registry.resolve("generate", wrong)


def test_staff_offer_a_model_make_it_the_default_and_take_it_back(starters, package):
    version = curation.add(package("florals"))
    assert names() == ["xgan-starter", "dcgan-starter"], "adding is not offering"
    curation.offer(version)
    assert names() == ["xgan-starter", "florals", "dcgan-starter"]
    assert registry.serving("generate").manifest.name == "xgan-starter"
    curation.serve(version)
    assert names() == ["florals", "xgan-starter", "dcgan-starter"]
    curation.withdraw(version)
    assert names() == ["xgan-starter", "dcgan-starter"]
    with pytest.raises(BadInput, match=r"florals is kept.+ no longer does. To dream fabrics, choose one of: xgan"):
        registry.resolve("generate", "florals")
    assert registry.resolve("generate", version.reference) == version.reference, "a recipe names it so"
    assert registry.find(version.reference).manifest.name == "florals", "what it made can still be made again"


def test_staff_curate_the_starters_too(starters):
    curation.adopt_starters()
    dcgan, xgan = ModelVersion.objects.order_by("name")
    assert names() == ["xgan-starter", "dcgan-starter"], "nothing changes by that"
    curation.serve(dcgan)
    assert names() == ["dcgan-starter", "xgan-starter"]
    assert registry.serving("generate").manifest.name == "dcgan-starter"
    curation.withdraw(xgan)
    assert names() == ["dcgan-starter"]
    with pytest.raises(BadPackage, match="Nothing else can dream fabrics"):
        curation.withdraw(dcgan)
    with pytest.raises(BadPackage, match="ships with Toile"):
        curation.remove(xgan)
    curation.verify(xgan)


def test_without_a_default_the_first_that_serves_does_the_work(starters, package):
    curation.adopt_starters()
    version = curation.add(package("florals"))
    curation.offer(version)
    for row in ModelVersion.objects.exclude(starter=""):
        curation.withdraw(row)
    assert names() == ["florals"]
    assert registry.reference("generate") == registry.serving("generate").manifest.reference == version.reference


def test_a_new_release_of_a_starter_takes_its_row_over(starters):
    curation.adopt_starters()
    row = ModelVersion.objects.get(starter="dcgan-starter")
    curation.serve(row)
    new = starters("dcgan-starter", b"trained longer")
    assert registry.reference("generate") == new.manifest.reference, "even before the row is brought up to date"
    curation.adopt_starters()
    row.refresh_from_db()
    assert (row.reference, row.default) == (new.manifest.reference, True)
    curation.withdraw(row)
    starters("dcgan-starter", b"and longer")
    curation.adopt_starters()
    assert names() == ["xgan-starter"], "what staff withdrew stays withdrawn"
    assert ModelVersion.objects.count() == 2


def test_a_starter_that_is_gone_or_damaged_has_no_row(starters):
    curation.adopt_starters()
    starters("dcgan-starter")
    (registry.WEIGHTS_DIR / "dcgan-starter" / "weights.safetensors").write_bytes(b"torn")
    curation.adopt_starters()
    assert [row.name for row in ModelVersion.objects.all()] == ["xgan-starter"]


def test_commands_that_curate(starters, package, capsys):
    curation.add(package("florals"))
    call_command("models", "offer", "florals")
    call_command("models", "serve", "dcgan-starter")
    call_command("models", "withdraw", "xgan-starter")
    assert names() == ["dcgan-starter", "florals"]
    with pytest.raises(CommandError, match="No model is called"):
        call_command("models", "offer", "nobody")
    capsys.readouterr()
    call_command("models", "list")
    listed = capsys.readouterr().out
    assert len(re.findall(r"serves +dcgan-starter@", listed)) == len(re.findall(r"offered +florals@", listed)) == 1
    assert listed.count("xgan-starter@") == 1


def test_the_admin_curates(starters, client_of, staff, package):
    curation.adopt_starters()
    curation.add(package("cloth", b"x", "segment"))
    client = client_of(staff)

    def act(action, name):
        row = ModelVersion.objects.get(name=name)
        answer = client.post(
            "/admin/ml_backend/modelversion/", {"action": action, "_selected_action": [row.pk]}, follow=True
        )
        return [str(message) for message in answer.context["messages"]]

    assert "now serves generate" in act("serve", "dcgan-starter")[0]
    assert names() == ["dcgan-starter", "xgan-starter"]
    assert "no longer serves" in act("withdraw", "xgan-starter")[0]
    assert "Nothing else" in act("withdraw", "dcgan-starter")[0]
    assert "can be chosen" in act("offer", "xgan-starter")[0]
    assert names() == ["dcgan-starter", "xgan-starter"]
    assert "Nobody chooses" in act("offer", "cloth")[0]
    starter = ModelVersion.objects.get(name="xgan-starter")
    assert client.post(f"/admin/ml_backend/modelversion/{starter.pk}/delete/", {"post": "yes"}).status_code == 403


def test_the_same_weights_are_kept_once(package):
    assert curation.add(package("a", b"same")) == curation.add(package("b", b"same"))
    assert ModelVersion.objects.get().card == "# a"


def test_a_recipe_finds_its_model_even_when_another_serves(package):
    old, new = curation.add(package("old", b"1")), curation.add(package("new", b"2"))
    curation.serve(new)
    assert registry.find(old.reference).manifest.name == "old"
    with pytest.raises(BadPackage, match="no longer kept"):
        registry.find("gone@123456789abc")


def test_the_local_copy_is_verified_and_mended(package, settings):
    version = curation.add(package("a", b"right"))
    curation.serve(version)
    copy = registry.serving("generate").path
    assert copy == settings.DATA_DIR / "models" / version.sha256
    (copy / "weights.safetensors").write_bytes(b"wrong")
    registry.forget_packages()
    assert registry.serving("generate").path == copy
    assert (copy / "weights.safetensors").read_bytes() == weights_of(b"right")


def test_stored_weights_that_were_changed_never_serve(package):
    version = curation.add(package("a", b"right"))
    curation.serve(version)
    default_storage.delete(f"{version.folder}/weights.safetensors")
    default_storage.save(f"{version.folder}/weights.safetensors", ContentFile(b"swapped"))
    with pytest.raises(BadPackage):
        registry.serving("generate")


def test_nothing_serves_an_unknown_capability():
    with pytest.raises(BadPackage):
        registry.serving("weave")
    with pytest.raises(BadPackage):
        loading.pipeline("weave")


def test_pipelines_stay_loaded_and_the_stalest_goes(monkeypatch):
    made = []
    monkeypatch.setattr(loading, "MOST_LOADED", 2)

    for name in ("a", "b", "c"):
        builder = loading.Builder("", lambda _, name=name: made.append(name) or name)
        monkeypatch.setitem(loading.BUILDERS, name, builder)

    assert [loading.pipeline(name) for name in ("a", "b", "a", "c", "a", "b")] == ["a", "b", "a", "c", "a", "b"]
    assert made == ["a", "b", "c", "b"]


def test_add_model_command(package, capsys, monkeypatch):
    monkeypatch.setattr(loading, "try_out", lambda package: True)
    path = package("a", b"1")
    call_command("add_model", str(path), "--serve", "--notes", "better florals")
    version = ModelVersion.objects.get()
    assert version.serving
    assert version.events.get(action="added").text == "better florals"
    (path / "weights.safetensors").write_bytes(b"2")
    with pytest.raises(CommandError, match="damaged"):
        call_command("add_model", str(path))


@pytest.mark.parametrize("name", ["restyle-fabric", "imagine-fabric"])
@pytest.mark.parametrize("model", [None, "dream-of-old@123456789abc"])
def test_the_fabric_engine_answers_without_a_generator(name, model, monkeypatch):
    def no_generator(capability):
        raise AssertionError(f"asked for a model that can {capability}")

    monkeypatch.setattr(registry, "serving", no_generator)
    monkeypatch.setattr(registry, "serves", lambda capability: False)
    assert callable(loading.pipeline(name, model))


def test_fabric_is_offered_where_no_model_serves(monkeypatch):
    monkeypatch.setattr(registry, "serves", lambda capability: False)
    assert registry.engines("restyle") == registry.engines("imagine") == ["fabric"]


def test_a_clip_gives_the_fabric_engine_more_words(settings, tmp_path):
    settings.CLIP_FOLDER = str(tiny_clip(tmp_path / "clip"))
    assert isinstance(loading.pipeline("restyle-fabric").understand, SimilarWords)
    settings.CLIP_FOLDER = ""
    assert loading.pipeline("restyle-fabric").understand is read
