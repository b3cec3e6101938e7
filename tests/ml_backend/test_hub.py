"""Models from a hub: the right files of one commit, resumed, compared; every refusal is a sentence."""

import shutil

import pytest
import torch
from huggingface_hub import constants, file_download
from safetensors.torch import load_file, save_file

from ml_backend.errors import BadInput, BadPackage, Stopped
from ml_backend.packaging import Package
from ml_backend.packaging import hub as hubs
from ml_backend.packaging.files import is_safe_path, listing
from ml_backend.packaging.sources import Source, fetch
from tests.ml_backend.hub_server import COMMIT, running_hub
from tests.ml_backend.tiny import tiny_clipseg, tiny_inpaint, tiny_lora


@pytest.fixture(scope="module")
def originals(tmp_path_factory):
    home = tmp_path_factory.mktemp("published")
    tiny_inpaint(home / "inpaint")
    tiny_clipseg(home / "clipseg")
    tiny_lora(home / "lora/linen-v2.safetensors")
    for folder in ("inpaint", "clipseg"):
        (home / folder / "manifest.json").unlink()
    (home / "inpaint/README.md").write_text("---\nlicense: creativeml-openrail-m\n---\n# Inpaint")
    return home


@pytest.fixture
def hub(originals, tmp_path, monkeypatch):
    """Three models of ``someone`` behind HF_ENDPOINT."""
    monkeypatch.delenv("HF_TOKEN", raising=False)
    home = shutil.copytree(originals, tmp_path / "hub")
    with running_hub() as server:
        monkeypatch.setenv("HF_ENDPOINT", server.endpoint)
        server.models = {f"someone/{name}": home / name for name in ("inpaint", "clipseg", "lora")}
        yield server


@pytest.fixture
def pull(tmp_path):
    numbers = iter(range(100))

    def run(text, **options):
        into = tmp_path / f"package-{next(numbers)}"
        return fetch(Source.parse(text), into, downloads=tmp_path / "downloads", **options)

    return run


def test_a_pipeline_is_downloaded_pinned_to_its_commit(hub, pull, tmp_path):
    told = []
    package = pull("someone/inpaint@main", progress=lambda done, stage: told.append(done))
    manifest = package.manifest
    assert manifest.config["source"] == {"hub_id": "someone/inpaint", "revision": COMMIT}
    assert (manifest.name, manifest.licence) == ("inpaint", "creativeml-openrail-m")
    assert Package.load(package.path) == package
    for name in manifest.files:
        assert (package.path / name).read_bytes() == (hub.models["someone/inpaint"] / name).read_bytes()
    resolved = {path.split("/")[4] for _, path, _ in hub.asked if "/resolve/" in path}
    assert resolved == {COMMIT}, "files are asked for by commit, not by branch"
    assert told == sorted(told)
    assert told[-1] == 1.0
    assert not list((tmp_path / "downloads").iterdir()), "nothing is left of a finished download"


def test_only_what_is_needed_is_asked_for(hub, pull):
    home = hub.models["someone/inpaint"]
    unet = home / "unet/diffusion_pytorch_model.safetensors"
    half = {key: value.half() for key, value in load_file(unet).items()}
    save_file(half, unet.with_name("diffusion_pytorch_model.fp16.safetensors"))
    for name in (
        "v1-5-pruned.safetensors",
        "unet/diffusion_pytorch_model.bin",
        "run.py",
        "sample.png",
        "onnx/model.onnx",
    ):
        (home / name).parent.mkdir(exist_ok=True)
        (home / name).write_bytes(b"large and unwanted")
    package = pull("someone/inpaint")
    asked = {path.partition(f"{COMMIT}/")[2] for _, path, _ in hub.asked if "/resolve/" in path}
    assert "unet/diffusion_pytorch_model.fp16.safetensors" in asked
    unwanted = {"unet/diffusion_pytorch_model.safetensors", "v1-5-pruned.safetensors", "run.py", "onnx/model.onnx"}
    assert not asked & unwanted
    assert "unet/diffusion_pytorch_model.bin" not in asked
    kept = load_file(package.path / "unet/diffusion_pytorch_model.safetensors")
    assert all(torch.equal(kept[key], half[key]) for key in half)


def test_clipseg_and_loras(hub, pull):
    assert pull("someone/clipseg").manifest.capability == "text-mask"
    assert pull("someone/lora").manifest.capability == "lora"


def test_a_cut_connection_is_resumed(hub, pull, monkeypatch):
    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 500)
    hub.break_after = 1000
    package = pull("someone/inpaint")
    assert [asked[2] for asked in hub.asked if asked[2]] == ["bytes=1000-"]
    assert Package.load(package.path) == package


def _got(hub):
    return [path for method, path, _ in hub.asked if method == "GET" and "/resolve/" in path]


def test_a_broken_download_goes_on_where_it_was(hub, pull, tmp_path, monkeypatch):
    """Not within one call only: what arrived before the hub went away is there for the next."""
    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 500)
    monkeypatch.setattr(file_download.time, "sleep", lambda seconds: None)
    hub.break_after = 1000
    hub.is_down_after_break = True
    with pytest.raises(BadInput, match="ask again to go on"):
        pull("someone/inpaint")
    arrived = set(_got(hub)[:-1])
    hub.is_down = hub.is_down_after_break = False
    hub.asked.clear()
    assert pull("someone/inpaint").manifest.capability == "restyle"
    assert [asked[2] for asked in hub.asked if asked[2]] == ["bytes=1000-"]
    finished = {path for path in arrived if not path.endswith(".safetensors")}
    assert finished
    assert not finished & set(_got(hub)), "what had arrived is not fetched twice"


def test_a_download_stops_within_a_file(hub, pull, tmp_path):
    with pytest.raises(Stopped):
        pull("someone/inpaint", should_stop=lambda: any("text_encoder/model" in path for path in _got(hub)))
    assert list((tmp_path / "downloads").iterdir())
    assert not any("unet" in path for path in _got(hub))
    assert pull("someone/inpaint").manifest.capability == "restyle"


def test_a_file_swapped_on_the_way_is_refused(hub, pull):
    name = "unet/diffusion_pytorch_model.safetensors"
    content = (hub.models["someone/inpaint"] / name).read_bytes()
    hub.swapped[name] = content[:-4] + b"evil"
    with pytest.raises(BadPackage, match="did not arrive whole"):
        pull("someone/inpaint")
    hub.swapped.clear()
    assert pull("someone/inpaint").manifest.capability == "restyle"


def test_pickles_on_a_hub(hub, pull):
    unet = hub.models["someone/inpaint"] / "unet/diffusion_pytorch_model.safetensors"
    torch.save(load_file(unet), unet.with_suffix(".bin"))
    unet.unlink()
    with pytest.raises(BadPackage, match="--allow-pickle"):
        pull("someone/inpaint")
    assert not [path for _, path, _ in hub.asked if path.endswith(".bin")], "refused before it is downloaded"
    assert not [name for name in listing(pull("someone/inpaint", allow_pickle=True).path) if name.endswith(".bin")]


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("someone/missing", "misspelt, private or withdrawn"),
        ("stabilityai/stable-diffusion-2-inpainting", "sd2-community/stable-diffusion-2-inpainting"),
        ("someone/inpaint@nothing", "no revision 'nothing'"),
    ],
)
def test_what_the_hub_does_not_have(hub, pull, text, match):
    with pytest.raises(BadInput, match=match):
        pull(text)


def test_gated_models(hub, pull):
    hub.gated.add("someone/inpaint")
    with pytest.raises(BadInput, match="HF_TOKEN"):
        pull("someone/inpaint")


def test_a_hub_that_is_down_or_away(hub, pull, monkeypatch):
    monkeypatch.setattr(hubs, "_SECONDS", 1.0)
    hub.is_down = True
    with pytest.raises(BadInput, match="ask again to go on"):
        pull("someone/inpaint")
    with pytest.raises(BadInput, match="ask again to go on"):
        pull("someone/inpaint", endpoint="http://127.0.0.1:9")


def test_offline(hub, pull, monkeypatch):
    monkeypatch.setattr(constants, "is_offline_mode", lambda: True)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(BadInput, match="HF_HUB_OFFLINE"):
        pull("someone/inpaint")


def test_a_repository_without_a_model(hub, pull, tmp_path):
    (tmp_path / "hub/empty").mkdir()
    (tmp_path / "hub/empty/photo.jpg").write_bytes(b"")
    hub.models["someone/empty"] = tmp_path / "hub/empty"
    with pytest.raises(BadInput, match="no model that Toile can use"):
        pull("someone/empty")


def test_a_disk_that_is_too_small(hub, pull, monkeypatch):
    monkeypatch.setattr(hubs.shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10_000, 5_000, 5_000))
    with pytest.raises(BadInput, match="GB of disk"):
        pull("someone/inpaint")


def test_known_models_are_ids_with_advice():
    assert {offer.capability for offer in hubs.KNOWN} == {"text-mask", "restyle"}
    for offer in hubs.KNOWN:
        assert hubs.HUB_ID.fullmatch(offer.hub_id)
        assert is_safe_path(offer.hub_id)
        assert offer.advice.endswith(".")
        assert offer.licence
    assert set(hubs.MOVED.values()) <= {offer.hub_id for offer in hubs.KNOWN}
