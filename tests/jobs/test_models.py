"""Models of whole folders: pulled, kept in storage, verified, served; what goes wrong leaves the old one serving."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, default_storage
from django.core.management import CommandError, call_command
from PIL import Image
from safetensors.torch import load_file, save_file

from ml_backend.errors import BadPackage
from ml_backend.models import ModelVersion
from ml_backend.packaging import files as package_files
from ml_backend.pipelines.diffusion.engine import RESIDENT
from ml_backend.requests import ImagineRequest, RestyleRequest, TextMaskRequest
from ml_backend.serving import curation, loading, registry
from tests.ml_backend.hub_server import COMMIT, running_hub
from tests.ml_backend.tiny import tiny_clipseg, tiny_inpaint, tiny_lora, tiny_text_to_image

pytestmark = pytest.mark.django_db


def _forget():
    registry.forget_packages()
    loading._loaded.clear()
    RESIDENT.clear()


@pytest.fixture(autouse=True)
def _fresh(tmp_path, monkeypatch):
    """No starters, and nothing left of another test."""
    shipped = tmp_path / "weights"
    shipped.mkdir()
    monkeypatch.setattr(registry, "WEIGHTS_DIR", shipped)
    monkeypatch.setattr("ml_backend.management.commands.models.WEIGHTS_DIR", shipped)
    monkeypatch.setattr("ml_backend.packaging.starter.WEIGHTS_DIR", shipped)
    monkeypatch.setattr("ml_backend.packaging.sources.WEIGHTS_DIR", shipped)
    _forget()
    yield
    _forget()


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    home = tmp_path_factory.mktemp("published")
    tiny_inpaint(home / "inpaint")
    tiny_text_to_image(home / "imagine")
    tiny_clipseg(home / "clipseg")
    tiny_lora(home / "linen.safetensors")
    for folder in ("inpaint", "imagine", "clipseg"):
        (home / folder / "manifest.json").unlink()
    (home / "inpaint/README.md").write_text("---\nlicense: openrail\n---\n# Paints")
    return home


class Elsewhere(FileSystemStorage):
    """Storage that is not a folder of this machine, as a bucket is not; ``broken`` names what it will not take."""

    broken = ""

    def path(self, name):
        raise NotImplementedError

    def where(self, name):
        return Path(self.location) / name

    def _save(self, name, content):
        if self.broken and self.broken in name:
            raise OSError("The bucket is away.")
        self.where(name).parent.mkdir(parents=True, exist_ok=True)
        self.where(name).write_bytes(b"".join(content.chunks()))
        return name

    def _open(self, name, mode="rb"):
        return ContentFile(self.where(name).read_bytes(), name)

    def exists(self, name):
        return self.where(name).exists()

    def delete(self, name):
        self.where(name).unlink(missing_ok=True)


@pytest.fixture
def elsewhere(settings):
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {"BACKEND": f"{__name__}.Elsewhere", "OPTIONS": {"location": settings.MEDIA_ROOT}},
    }
    return default_storage


def pull(path, *options):
    """Through the command, as an operator does; the newest row."""
    call_command("models", "pull", str(path), *options)
    return ModelVersion.objects.latest("pk")


# --- while nothing is there -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["text-mask", "restyle-diffusion", "imagine-diffusion"])
def test_a_missing_model_is_said_in_a_sentence(name):
    assert not registry.serves(loading.BUILDERS[name].capability)
    with pytest.raises(BadPackage, match=r"No model to .+ is installed here"):
        loading.pipeline(name)
    with pytest.raises(BadPackage, match="installed"):
        registry.reference(loading.BUILDERS[name].capability)


def test_without_models_the_fabric_engine_restyles_and_no_lora_is_offered():
    assert registry.default_engine("restyle") == registry.default_engine("imagine") == "fabric"
    assert dict(registry.loras("imagine")) == dict(registry.loras("restyle")) == {}


def test_starters_serve_as_soon_as_they_are_there():
    tiny_clipseg(registry.WEIGHTS_DIR / "clipseg-starter")
    tiny_inpaint(registry.WEIGHTS_DIR / "inpaint-starter")
    for capability in ("text-mask", "restyle", "imagine"):
        assert registry.serves(capability)
        assert registry.reference(capability) == registry.serving(capability).manifest.reference
    assert registry.default_engine("restyle") == "fabric", "the starter is small: fabrics come first"
    assert registry.find(registry.reference("imagine")).path == registry.WEIGHTS_DIR / "inpaint-starter"


def test_a_damaged_starter_is_said_in_a_sentence():
    starter = tiny_clipseg(registry.WEIGHTS_DIR / "clipseg-starter").path
    (starter / "model.safetensors").write_bytes(b"")
    with pytest.raises(BadPackage, match="damaged"):
        registry.serving("text-mask")


# --- pulling ----------------------------------------------------------------------------------------------------------


def test_what_is_pulled_is_kept_with_what_one_must_know(published, capsys):
    version = pull(published / "inpaint", "--notes", "for summer")
    assert (version.name, version.capability, version.capabilities) == ("inpaint", "restyle", ("restyle", "imagine"))
    assert (version.licence, version.source, version.events.get().text) == ("openrail", "inpaint", "for summer")
    assert (version.status, version.origin) == ("candidate", "uploaded")
    assert {file["name"] for file in version.files} > {"model_index.json", "unet/config.json"}
    assert version.card.endswith("# Paints")
    files = [file for file in (published / "inpaint").rglob("*") if file.is_file() and file.name != "README.md"]
    assert version.size == sum(file.stat().st_size for file in files)
    assert not version.serving
    assert "is kept" in capsys.readouterr().out
    assert pull(published / "inpaint") == version
    assert ModelVersion.objects.count() == 1


def test_one_model_serves_restyle_and_imagine(published):
    version = pull(published / "inpaint", "--serve")
    assert registry.reference("restyle") == registry.reference("imagine") == version.reference
    assert registry.default_engine("restyle") == "diffusion"
    other = pull(published / "imagine", "--serve")
    assert registry.reference("imagine") == other.reference, "one that was made for it comes first"
    assert registry.reference("restyle") == version.reference
    curation.withdraw(version)
    assert registry.reference("restyle") == other.reference
    curation.withdraw(other)
    assert not registry.serves("restyle")


def test_pulled_models_work(published):
    for name in ("inpaint", "clipseg", "linen.safetensors"):
        pull(published / name, "--serve")
    photo = Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8))
    found = loading.pipeline("text-mask")(photo, TextMaskRequest("the dress"))
    assert found.mask.shape == (64, 64)
    mask = np.zeros((64, 64), np.float32)
    mask[16:48, 16:48] = 1
    wanted = RestyleRequest("a red dress", 7, engine="diffusion", steps=2, size=64)
    plain = loading.pipeline("restyle-diffusion")(photo, mask, [wanted])[0]
    assert plain.image.size == photo.size
    assert plain.request.model == registry.reference("restyle")
    again = loading.pipeline("restyle-diffusion", plain.request.model)(photo, mask, [plain.request])[0]
    assert again.image.tobytes() == plain.image.tobytes(), "the recipe makes it again"
    wanted = ImagineRequest("a red dress", 7, steps=2, size=64, loras=("linen:1",))
    imagined = loading.pipeline("imagine-diffusion")([wanted])
    assert imagined[0].image.size == (64, 64)


def test_a_pipeline_gets_the_very_model_of_a_recipe_or_says_why_not(published):
    clipseg = pull(published / "clipseg", "--serve")
    inpaint = pull(published / "inpaint")
    assert loading.pipeline("restyle-diffusion", inpaint.reference).model == inpaint.reference
    with pytest.raises(BadPackage, match="cannot repaint photos"):
        loading.pipeline("restyle-diffusion", clipseg.reference)
    with pytest.raises(BadPackage, match="no longer kept"):
        loading.pipeline("imagine-diffusion", "gone@123456789abc")


def test_pulling_from_a_hub(published, monkeypatch, settings):
    with running_hub() as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.endpoint)
        hub.models["someone/finder"] = published / "clipseg"
        version = pull("someone/finder", "--serve")
    assert version.source == f"someone/finder@{COMMIT}"
    assert registry.serves("text-mask")
    assert list((settings.DATA_DIR / "downloads").iterdir()) == []


# --- what goes wrong leaves the old one serving -----------------------------------------------------------------------


def _truncate(folder):
    weights = folder / "unet/diffusion_pytorch_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])


def _misfit(folder):
    """Whole files that make no model together."""
    config = folder / "unet/config.json"
    config.write_text(json.dumps({**json.loads(config.read_text()), "block_out_channels": [4, 8]}))


def _incomplete(folder):
    weights = folder / "unet/diffusion_pytorch_model.safetensors"
    tensors = load_file(weights)
    save_file({key: value for key, value in tensors.items() if "conv_out" not in key}, weights)


def _malicious(folder):
    index = json.loads((folder / "model_index.json").read_text())
    (folder / "model_index.json").write_text(json.dumps({**index, "unet": ["os", "system"]}))


@pytest.mark.parametrize("change", [_truncate, _misfit, _incomplete, _malicious, shutil.rmtree])
def test_a_bad_model_leaves_the_old_one_serving(published, tmp_path, settings, change):
    old = pull(published / "inpaint", "--serve")
    folder = shutil.copytree(published / "inpaint", tmp_path / "broken")
    change(folder)
    with pytest.raises(CommandError):
        call_command("models", "pull", str(folder), "--serve")
    assert ModelVersion.objects.get() == old
    assert registry.reference("restyle") == old.reference
    assert [entry.name for entry in (Path(settings.MEDIA_ROOT) / "models").iterdir()] == [old.sha256]
    assert list((settings.DATA_DIR / "downloads").iterdir()) == []


def test_storage_that_fails_half_way_keeps_nothing(published, elsewhere, monkeypatch, settings):
    old = pull(published / "imagine", "--serve")
    monkeypatch.setattr(Elsewhere, "broken", "vae")
    with pytest.raises(OSError, match="away"):
        curation.pull(str(published / "inpaint"))
    assert ModelVersion.objects.get() == old
    assert all(old.sha256 in name for name in package_files.listing(Path(settings.MEDIA_ROOT)))


def test_pickles_need_the_switch(published, tmp_path, monkeypatch, committed):
    import torch

    folder = shutil.copytree(published / "inpaint", tmp_path / "pickled")
    weights = folder / "unet/diffusion_pytorch_model.safetensors"
    torch.save(load_file(weights), weights.with_suffix(".bin"))
    weights.unlink()
    with pytest.raises(CommandError, match="--allow-pickle"):
        pull(folder)
    version = pull(folder, "--allow-pickle")
    assert not list(Path(default_storage.path(version.folder)).rglob("*.bin"))
    with committed():
        curation.remove(version)
    monkeypatch.setenv("TOILE_ALLOW_PICKLE", "1")
    assert pull(folder).capability == "restyle"


# --- copies -----------------------------------------------------------------------------------------------------------


def test_files_on_this_disk_are_used_where_they_are(published, settings):
    version = pull(published / "inpaint", "--serve")
    assert registry.serving("restyle").path == Path(settings.MEDIA_ROOT) / "models" / version.sha256


def test_files_elsewhere_are_copied_once_and_mended(published, elsewhere, settings):
    version = pull(published / "inpaint", "--serve")
    package = registry.serving("restyle")
    assert package.path == settings.DATA_DIR / "models" / version.sha256
    assert (package.path / "README.md").is_file()
    weights = package.path / "unet/diffusion_pytorch_model.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[:-1] + b"!")
    registry.forget_packages()
    assert registry.serving("restyle").path == package.path
    assert weights.read_bytes() == whole


def test_unchanged_copies_are_not_hashed_by_every_process(published, elsewhere, settings, monkeypatch):
    version = pull(published / "inpaint", "--serve")
    registry.serving("restyle")
    stamp = settings.DATA_DIR / "models" / f"{version.sha256}.verified"
    noted = json.loads(stamp.read_text())
    stamp.write_text(json.dumps({**noted, "at": noted["at"] + 60 * 10**9}))
    registry.forget_packages()
    hashed = []
    monkeypatch.setattr(package_files, "sha256_of", hashed.append)
    assert registry.serving("restyle").manifest.sha256 == version.sha256
    assert hashed == []


@pytest.mark.parametrize("name", ["unet/config.json", "manifest.json"])
def test_a_file_missing_in_storage_is_said(published, elsewhere, name):
    version = pull(published / "inpaint", "--serve")
    default_storage.delete(f"{version.folder}/{name}")
    with pytest.raises(BadPackage, match="missing in storage"):
        registry.serving("restyle")


def test_a_stored_manifest_cannot_lead_elsewhere(published, elsewhere):
    version = pull(published / "inpaint", "--serve")
    key = f"{version.folder}/manifest.json"
    with default_storage.open(key) as file:
        manifest = json.loads(file.read())
    manifest["files"]["../../../evil.json"] = "0" * 64
    default_storage.delete(key)
    default_storage.save(key, ContentFile(json.dumps(manifest).encode()))
    with pytest.raises(BadPackage):
        registry.serving("restyle")
    with pytest.raises(BadPackage):
        curation.verify(version)
    curation.withdraw(version)
    curation.remove(version)
    assert not ModelVersion.objects.exists()


def test_another_model_in_its_place_never_serves(published, elsewhere):
    version, other = pull(published / "inpaint", "--serve"), pull(published / "imagine")
    home = Path(default_storage.location)
    shutil.rmtree(home / version.folder)
    shutil.copytree(home / other.folder, home / version.folder)
    with pytest.raises(BadPackage, match="not the one"):
        registry.serving("restyle")


# --- the other commands -----------------------------------------------------------------------------------------------


def test_list_says_what_serves(published, capsys):
    tiny_clipseg(registry.WEIGHTS_DIR / "clipseg-starter")
    version = pull(published / "inpaint", "--serve")
    pull(published / "linen.safetensors")
    capsys.readouterr()
    call_command("models", "list")
    lines = capsys.readouterr().out.splitlines()
    assert any("serves" in line and version.reference in line and "openrail" in line for line in lines)
    assert any("serves" in line and "tiny-clipseg" in line and "ships with Toile" in line for line in lines)
    assert any("offered" in line and "linen" in line for line in lines)
    assert any("missing" in line and "inpaint-starter" in line for line in lines)


def test_known_models_are_listed_with_their_licence(capsys):
    call_command("models", "known")
    out = capsys.readouterr().out
    assert "CIDAS/clipseg-rd64-refined" in out
    assert "Open RAIL" in out


@pytest.mark.parametrize("storage", ["here", "elsewhere"])
def test_verify_finds_what_is_damaged(published, request, storage, capsys):
    if storage == "elsewhere":
        request.getfixturevalue("elsewhere")
    version = pull(published / "inpaint")
    pull(published / "linen.safetensors")
    for starter in dict.fromkeys(registry.STARTERS.values()):
        tiny_clipseg(registry.WEIGHTS_DIR / starter)
    call_command("models", "verify")
    key = f"{version.folder}/vae/config.json"
    default_storage.delete(key)
    default_storage.save(key, ContentFile(b"{}"))
    capsys.readouterr()
    with pytest.raises(CommandError, match="1 damaged"):
        call_command("models", "verify")
    out = capsys.readouterr().out
    assert "vae/config.json of inpaint is damaged" in out
    assert "linen" in out
    call_command("models", "verify", "linen")
    with pytest.raises(CommandError):
        call_command("models", "verify", version.reference)


def test_serve_and_remove(published, committed):
    tiny_inpaint(registry.WEIGHTS_DIR / "inpaint-starter")
    version = pull(published / "inpaint")
    call_command("models", "serve", "inpaint")
    assert registry.reference("restyle") == version.reference
    with pytest.raises(CommandError, match="serves restyle"):
        call_command("models", "remove", "inpaint")
    call_command("models", "serve", "inpaint-starter")
    assert registry.default_engine("restyle") == registry.default_engine("imagine") == "fabric"
    with committed():
        call_command("models", "remove", version.reference)
    assert not ModelVersion.objects.exists()
    assert not list(Path(default_storage.path("models")).rglob("*.safetensors"))


@pytest.mark.parametrize("command", ["serve", "verify", "remove"])
def test_names_that_nobody_has(command):
    with pytest.raises(CommandError, match="No model is called"):
        call_command("models", command, "nobody")


def test_a_name_that_two_have(published, tmp_path):
    first = pull(published / "inpaint")
    shutil.copytree(published / "imagine", tmp_path / "inpaint")
    second = pull(tmp_path / "inpaint")
    with pytest.raises(CommandError, match="Several") as told:
        call_command("models", "serve", "inpaint")
    assert first.reference in str(told.value)
    assert second.reference in str(told.value)
    call_command("models", "serve", second.reference)
    second.refresh_from_db()
    assert second.serving


def test_starters_are_not_pulled():
    tiny_clipseg(registry.WEIGHTS_DIR / "clipseg-starter")
    with pytest.raises(CommandError, match="ships with Toile"):
        call_command("models", "pull", "clipseg-starter")


# --- LoRAs ------------------------------------------------------------------------------------------------------------


def test_loras_are_offered_to_models_they_fit(published, tmp_path):
    lora = pull(published / "linen.safetensors")
    tiny_lora(tmp_path / "wide.safetensors", kind="sdxl")
    pull(tmp_path / "wide.safetensors")
    assert list(registry.loras()) == ["linen", "wide"], "nothing serves: none can be ruled out"
    pull(published / "inpaint", "--serve")
    offered = registry.loras("restyle")
    assert list(offered) == list(registry.loras("imagine")) == ["linen"]
    assert offered["linen"].read_bytes() == (published / "linen.safetensors").read_bytes()
    assert "wide" not in offered
    with pytest.raises(KeyError):
        offered["wide"]
    with pytest.raises(BadPackage, match="is a LoRA"):
        curation.serve(lora)


def test_the_newest_lora_of_a_name_counts(published, tmp_path):
    pull(published / "linen.safetensors")
    offered = registry.loras()
    tiny_lora(tmp_path / "linen.safetensors", seed=5)
    pull(tmp_path / "linen.safetensors")
    assert len(offered) == 1
    assert offered["linen"].read_bytes() == (tmp_path / "linen.safetensors").read_bytes()


# --- the admin pages --------------------------------------------------------------------------------------------------


def test_admin_shows_licence_and_card_and_keeps_what_serves(published, client_of, staff, committed):
    version = pull(published / "inpaint")
    client = client_of(staff)
    page = client.get("/admin/ml_backend/modelversion/").content.decode()
    assert "openrail" in page
    assert "restyle, imagine" in page
    page = client.get(f"/admin/ml_backend/modelversion/{version.pk}/change/").content.decode()
    assert "# Paints" in page
    for action, serving in (("serve", True), ("withdraw", False), ("serve", True)):
        client.post("/admin/ml_backend/modelversion/", {"action": action, "_selected_action": [version.pk]})
        version.refresh_from_db()
        assert version.serving is serving
    where = f"/admin/ml_backend/modelversion/{version.pk}/delete/"
    assert client.post(where, {"post": "yes"}).status_code == 403
    curation.withdraw(version)
    with committed():
        assert client.post(where, {"post": "yes"}).status_code == 302
    assert not ModelVersion.objects.exists()
    assert not default_storage.exists(f"{version.folder}/manifest.json")


def test_admin_says_that_a_lora_does_not_serve(published, client_of, staff):
    version = pull(published / "linen.safetensors")
    answer = client_of(staff).post(
        "/admin/ml_backend/modelversion/", {"action": "serve", "_selected_action": [version.pk]}, follow=True
    )
    assert "is a LoRA" in answer.content.decode()
    version.refresh_from_db()
    assert not version.default
