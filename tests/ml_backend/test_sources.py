"""Sources: folders, archives and files become packages; what could run code or leads elsewhere is refused."""

import gzip
import io
import json
import shutil
import struct
import tarfile

import pytest
import torch
from safetensors.torch import load_file, save_file

from ml_backend.errors import BadInput, BadPackage, LibraryError
from ml_backend.packaging import Package, archive
from ml_backend.packaging.choosing import choose
from ml_backend.packaging.contents import contents_of, tensors_of, text_width
from ml_backend.packaging.files import listing
from ml_backend.packaging.licence import UNKNOWN, licence_of
from ml_backend.packaging.sources import Source, fetch
from tests.ml_backend.tiny import tiny_clipseg, tiny_inpaint, tiny_lora, tiny_text_to_image


@pytest.fixture(scope="module")
def originals(tmp_path_factory):
    """Published models as they lie on a hub: no manifest of ours."""
    home = tmp_path_factory.mktemp("published")
    tiny_inpaint(home / "inpaint")
    tiny_text_to_image(home / "imagine")
    tiny_clipseg(home / "clipseg")
    tiny_lora(home / "linen.safetensors")
    for folder in ("inpaint", "imagine", "clipseg"):
        (home / folder / "manifest.json").unlink()
    return home


@pytest.fixture
def published(originals, tmp_path):
    """A copy to damage."""
    return shutil.copytree(originals, tmp_path / "published")


@pytest.fixture
def take(tmp_path):
    """``take(text, **options)`` -> package."""
    numbers = iter(range(100))

    def run(text, **options):
        return fetch(
            Source.parse(str(text)), tmp_path / f"package-{next(numbers)}", downloads=tmp_path / "downloads", **options
        )

    return run


def _packed(folder, target, leading="", compress="gz"):
    with tarfile.open(target, f"w:{compress}") as tar:
        tar.add(folder, arcname=leading or ".")
    return target


# --- what a text means ------------------------------------------------------------------------------------------------


def test_texts_are_parsed(published):
    assert Source.parse("unet-starter") == Source("starter", "unet-starter")
    hub = Source.parse("sd2-community/stable-diffusion-2-inpainting@81a84f4")
    assert (hub.kind, hub.hub_id, hub.revision, hub.name) == (
        "hub",
        "sd2-community/stable-diffusion-2-inpainting",
        "81a84f4",
        "stable-diffusion-2-inpainting",
    )
    assert Source.parse("owner/name").revision is None
    assert Source.parse(str(published / "inpaint")).kind == "folder"
    assert Source.parse(str(published / "linen.safetensors")).kind == "file"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no-such-starter",
        "./gone",
        "/gone/away",
        "gone/model.safetensors",
        "a/b.tar.gz",
        "a/b/c",
        "http://x/y",
        "../x",
    ],
)
def test_texts_that_mean_nothing(text):
    with pytest.raises(BadInput):
        Source.parse(text)


def test_files_of_other_kinds_are_no_models(tmp_path):
    (tmp_path / "photo.jpg").write_bytes(b"")
    with pytest.raises(BadInput, match=r"photo\.jpg is no model"):
        Source.parse(str(tmp_path / "photo.jpg"))


def test_a_starter_stays_where_it_is(take):
    package = take("unet-starter")
    assert package.manifest.name == "unet-starter"
    assert package.path.name == "unet-starter"


# --- folders ----------------------------------------------------------------------------------------------------------


def test_an_inpainting_folder(published, take):
    (published / "inpaint/README.md").write_text("---\nlicense: openrail++\n---\n# Tiny")
    package = take(published / "inpaint")
    manifest = package.manifest
    assert manifest.capabilities == ("restyle", "imagine")
    assert (manifest.architecture, manifest.licence, manifest.name) == ("diffusers", "openrail++", "inpaint")
    assert manifest.config["pipeline"] == "StableDiffusionInpaintPipeline"
    assert manifest.config["source"] == {"file": "inpaint"}
    assert manifest.config["defaults"] == {"size": 64}, "32 latent pixels, halved once"
    assert Package.load(package.path) == package


def test_a_text_to_image_folder_can_also_restyle(published, take):
    assert take(published / "imagine").manifest.capabilities == ("imagine", "restyle")


def test_a_clipseg_folder(published, take):
    manifest = take(published / "clipseg").manifest
    assert (manifest.capability, manifest.architecture) == ("text-mask", "clipseg")


def test_a_package_of_ours_stays_as_it_is(take, tmp_path):
    original = tiny_inpaint(tmp_path / "ours", capability="restyle")
    (original.path / "README.md").write_text("# Ours")
    package = take(tmp_path / "ours")
    assert package.manifest == original.manifest
    assert (package.path / "README.md").read_text() == "# Ours"


def test_a_lora_file_and_folder(published, take):
    package = take(published / "linen.safetensors")
    assert (package.manifest.capability, package.manifest.name) == ("lora", "linen")
    assert text_width(package.path) == text_width(published / "inpaint") == 16
    (published / "folder").mkdir()
    shutil.copy(published / "linen.safetensors", published / "folder/linen.v2.safetensors")
    again = take(published / "folder")
    assert again.manifest.files == package.manifest.files
    (published / "folder/other.safetensors").write_bytes(b"")
    with pytest.raises(BadPackage, match="2 weights"):
        take(published / "folder")


def test_programs_pictures_and_other_formats_are_left_behind(published, take):
    for name in (
        "pipeline.py",
        "unet/custom.py",
        "sample.png",
        "v1-5.safetensors",
        "vae/model.onnx",
        "unet/pytorch_model.bin",
    ):
        (published / "inpaint" / name).write_bytes(b"not wanted")
    (published / "inpaint/onnx").mkdir()
    (published / "inpaint/onnx/config.json").write_text("{}")
    names = listing(take(published / "inpaint").path)
    assert not [
        name for name in names if name.endswith((".py", ".png", ".onnx", ".bin")) or name.startswith(("v1", "onnx"))
    ]


def test_half_precision_is_preferred_and_renamed(published, take):
    unet = published / "inpaint/unet/diffusion_pytorch_model.safetensors"
    half = {key: value.half() for key, value in load_file(unet).items()}
    save_file(half, unet.with_name("diffusion_pytorch_model.fp16.safetensors"))
    save_file(half, unet.with_name("diffusion_pytorch_model.non_ema.safetensors"))
    package = take(published / "inpaint")
    assert [name for name in package.manifest.files if name.startswith("unet/")] == [
        "unet/config.json",
        "unet/diffusion_pytorch_model.safetensors",
    ]
    kept = tensors_of(package.path / "unet/diffusion_pytorch_model.safetensors")
    assert {dtype for dtype, _ in kept.values()} == {"F16"}


def test_choosing_among_shards():
    names = [
        "config.json",
        "model.safetensors.index.json",
        "model-00001-of-00002.safetensors",
        "model-00002-of-00002.safetensors",
        "model.safetensors.index.fp16.json",
        "model.fp16-00001-of-00001.safetensors",
        "pytorch_model.bin.index.json",
        "../evil.json",
    ]
    assert choose(names) == {
        "config.json": "config.json",
        "model.safetensors.index.fp16.json": "model.safetensors.index.json",
        "model.fp16-00001-of-00001.safetensors": "model.fp16-00001-of-00001.safetensors",
    }
    assert len(choose([name for name in names if "fp16" not in name])) == 4


def test_links_of_a_hub_cache_are_followed_and_others_are_not(published, take, tmp_path):
    snapshot = tmp_path / "models--someone--tiny/snapshots/abc"
    blobs = tmp_path / "models--someone--tiny/blobs"
    blobs.mkdir(parents=True)
    for number, name in enumerate(listing(published / "inpaint")):
        shutil.copy(published / "inpaint" / name, blobs / str(number))
        (snapshot / name).parent.mkdir(parents=True, exist_ok=True)
        (snapshot / name).symlink_to(blobs / str(number))
    package = take(snapshot)
    assert not any(path.is_symlink() for path in package.path.rglob("*"))
    (tmp_path / "secret.txt").write_text("secret")
    (snapshot / "unet/notes.txt").symlink_to(tmp_path / "secret.txt")
    with pytest.raises(BadPackage, match="not followed"):
        take(snapshot)


# --- what is wrong with a folder --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "unet/config.json",
        "unet/diffusion_pytorch_model.safetensors",
        "vae/diffusion_pytorch_model.safetensors",
        "scheduler/scheduler_config.json",
        "text_encoder/model.safetensors",
    ],
)
def test_missing_parts_are_named(published, take, name):
    (published / "inpaint" / name).unlink()
    with pytest.raises(BadPackage, match=name.split("/")[0]):
        take(published / "inpaint")


def test_missing_shards_are_named(published, take):
    unet = published / "inpaint/unet"
    index = {"weight_map": {"a": "diffusion_pytorch_model.safetensors", "b": "../../elsewhere.safetensors"}}
    (unet / "diffusion_pytorch_model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(BadPackage, match="elsewhere"):
        take(published / "inpaint")


@pytest.mark.parametrize("name", ["preprocessor_config.json", "tokenizer.json", "model.safetensors"])
def test_a_clipseg_folder_must_be_whole(published, take, name):
    for file in (published / "clipseg").glob("p*_config.json" if name.startswith("pre") else name):
        file.unlink()
    with pytest.raises(BadPackage, match="incomplete"):
        take(published / "clipseg")


def test_truncated_weights_are_refused(published, take):
    weights = published / "inpaint/unet/diffusion_pytorch_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-10])
    with pytest.raises(BadPackage, match="cut short"):
        take(published / "inpaint")


@pytest.mark.parametrize(
    "content",
    [b"", b"1234", struct.pack("<Q", 2**62) + b"{}", struct.pack("<Q", 2) + b"[]", struct.pack("<Q", 8) + b'{"a": 1}'],
)
def test_what_is_no_safetensors_file(tmp_path, content):
    (tmp_path / "x.safetensors").write_bytes(content)
    with pytest.raises(BadPackage, match="no whole safetensors file"):
        tensors_of(tmp_path / "x.safetensors")


@pytest.mark.parametrize(
    ("entry", "match"),
    [
        ({"_class_name": "os.system"}, "no pipeline of diffusers"),
        ({"_class_name": None}, "no pipeline of diffusers"),
        ({"unet": ["my_module", "EvilUNet"]}, "only diffusers and transformers"),
        ({"unet": ["diffusers"]}, "malformed"),
        ({"../unet": ["diffusers", "UNet2DConditionModel"]}, "malformed"),
    ],
)
def test_models_with_their_own_code_are_refused(published, take, entry, match):
    index = published / "inpaint/model_index.json"
    index.write_text(json.dumps({**json.loads(index.read_text()), **entry}))
    with pytest.raises(BadPackage, match=match):
        take(published / "inpaint")


def test_remote_code_is_refused(published, take):
    config = published / "clipseg/config.json"
    config.write_text(json.dumps({**json.loads(config.read_text()), "auto_map": {"AutoModel": "modeling.Evil"}}))
    with pytest.raises(BadPackage, match="own code"):
        take(published / "clipseg")


@pytest.mark.parametrize("text", ["", "[]", "{", "[" * 100_000, "\x00"])
def test_unreadable_configurations_are_refused(published, take, text):
    (published / "inpaint/unet/config.json").write_text(text)
    with pytest.raises(BadPackage, match="config"):
        take(published / "inpaint")


def test_other_models_are_refused(published, take, tmp_path):
    (published / "clipseg/config.json").write_text('{"model_type": "bert"}')
    with pytest.raises(BadPackage, match="bert"):
        take(published / "clipseg")
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadPackage, match="no model that Toile knows"):
        take(tmp_path / "empty")
    with pytest.raises(BadPackage):
        contents_of(tmp_path / "empty")


def test_a_safety_checker_may_be_named_and_missing(published, take):
    index = published / "inpaint/model_index.json"
    checker = {"safety_checker": ["stable_diffusion", "StableDiffusionSafetyChecker"]}
    index.write_text(json.dumps({**json.loads(index.read_text()), **checker}))
    assert take(published / "inpaint").manifest.capability == "restyle"


@pytest.mark.parametrize(("change", "match"), [({"in_channels": 8}, "8 channels"), ({"out_channels": 8}, "gives 8")])
def test_unets_that_cannot_be_painted_with_are_refused(published, take, change, match):
    config = published / "inpaint/unet/config.json"
    config.write_text(json.dumps({**json.loads(config.read_text()), **change}))
    with pytest.raises(BadPackage, match=match):
        take(published / "inpaint")


def test_a_pipeline_without_a_unet_is_refused(published, take):
    index = published / "inpaint/model_index.json"
    index.write_text(json.dumps({key: value for key, value in json.loads(index.read_text()).items() if key != "unet"}))
    shutil.rmtree(published / "inpaint/unet")
    with pytest.raises(BadPackage, match="no UNet"):
        take(published / "inpaint")


# --- pickles ----------------------------------------------------------------------------------------------------------


def _as_pickle(folder, name, new):
    torch.save(load_file(folder / name), folder / new)
    (folder / name).unlink()


def test_pickles_are_refused_unless_allowed_and_never_kept(published, take):
    original = take(published / "inpaint")
    _as_pickle(published / "inpaint", "unet/diffusion_pytorch_model.safetensors", "unet/diffusion_pytorch_model.bin")
    _as_pickle(published / "inpaint", "text_encoder/model.safetensors", "text_encoder/pytorch_model.bin")
    with pytest.raises(BadPackage, match="--allow-pickle"):
        take(published / "inpaint")
    package = take(published / "inpaint", allow_pickle=True)
    assert sorted(package.manifest.files) == sorted(original.manifest.files)
    for name in ("unet/diffusion_pytorch_model.safetensors", "text_encoder/model.safetensors"):
        before, after = load_file(original.path / name), load_file(package.path / name)
        assert before.keys() == after.keys()
        assert all(torch.equal(before[key], after[key]) for key in before)


def test_sharded_pickles(published, take):
    folder = published / "clipseg"
    tensors = load_file(folder / "model.safetensors")
    keys = sorted(tensors)
    halves = {"pytorch_model-00001-of-00002.bin": keys[::2], "pytorch_model-00002-of-00002.bin": keys[1::2]}
    for name, part in halves.items():
        torch.save({key: tensors[key] for key in part}, folder / name)
    weight_map = {key: name for name, part in halves.items() for key in part}
    (folder / "pytorch_model.bin.index.json").write_text(json.dumps({"metadata": {}, "weight_map": weight_map}))
    (folder / "model.safetensors").unlink()
    package = take(folder, allow_pickle=True)
    index = json.loads((package.path / "model.safetensors.index.json").read_text())
    assert set(index["weight_map"].values()) == {f"model-0000{n}-of-00002.safetensors" for n in (1, 2)}
    assert not [name for name in listing(package.path) if ".bin" in name]


class _Evil:
    ran: list[str] = []

    def __reduce__(self):
        return _Evil.ran.append, ("ran",)


def test_an_evil_pickle_never_runs(published, take):
    (published / "inpaint/unet/diffusion_pytorch_model.safetensors").unlink()
    torch.save({"a": _Evil()}, published / "inpaint/unet/diffusion_pytorch_model.bin")
    torch.save({"a": _Evil()}, published / "evil.ckpt")
    for source in ("inpaint", "evil.ckpt"):
        with pytest.raises(BadPackage, match="--allow-pickle"):
            take(published / source)
        with pytest.raises(BadPackage, match="more than tensors"):
            take(published / source, allow_pickle=True)
    assert _Evil.ran == []


def test_a_pickled_lora(published, take):
    torch.save({"state_dict": load_file(published / "linen.safetensors")}, published / "linen.ckpt")
    package = take(published / "linen.ckpt", allow_pickle=True)
    assert (package.manifest.capability, package.manifest.name) == ("lora", "linen")
    with pytest.raises(BadPackage, match="--allow-pickle"):
        take(published / "linen.ckpt")


# --- archives ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("leading", ["", "model"])
@pytest.mark.parametrize("compress", ["gz", ""])
def test_an_archive_becomes_the_package_of_its_folder(published, take, tmp_path, leading, compress):
    (published / "inpaint/inference.py").write_text("raise SystemExit")
    (published / "inpaint/.gitattributes").write_text("")
    expected = take(published / "inpaint").manifest
    target = _packed(published / "inpaint", tmp_path / ("model.tar.gz" if compress else "model.tar"), leading, compress)
    package = take(target)
    assert package.manifest.files == expected.files
    assert package.manifest.config["source"] == {"file": target.name}


def test_an_archive_of_a_package_of_ours(take, tmp_path):
    original = tiny_clipseg(tmp_path / "ours")
    assert take(_packed(original.path, tmp_path / "model.tar.gz")).manifest == original.manifest


def _tar(path, *members):
    """A tar.gz of (TarInfo, content)."""
    with tarfile.open(path, "w:gz") as tar:
        for info, content in members:
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return path


def _member(name, content=b"{}", **fields):
    info = tarfile.TarInfo(name)
    for key, value in fields.items():
        setattr(info, key, value)
    return info, content


@pytest.mark.parametrize(
    ("member", "match"),
    [
        (_member("../evil.json"), "leads? out|could lead"),
        (_member("/etc/evil.json"), "could lead"),
        (_member("a/../../evil.json"), "could lead"),
        (_member("C:\\evil.json"), "could lead"),
        (_member("link.json", b"", type=tarfile.SYMTYPE, linkname="/etc/passwd"), "no plain file"),
        (_member("hard.json", b"", type=tarfile.LNKTYPE, linkname="model_index.json"), "no plain file"),
        (_member("pipe.json", b"", type=tarfile.FIFOTYPE), "no plain file"),
        (_member("device.json", b"", type=tarfile.CHRTYPE), "no plain file"),
        (_member("MODEL_INDEX.json"), "twice"),
    ],
)
def test_archives_that_lead_elsewhere_are_refused(take, tmp_path, member, match):
    target = _tar(tmp_path / "model.tar.gz", _member("model_index.json"), member)
    with pytest.raises(BadPackage, match=match):
        take(target)
    assert not (tmp_path.parent / "evil.json").exists()


def test_an_archive_that_grows_without_end_is_refused(take, tmp_path):
    zeros = _tar(tmp_path / "model.tar.gz", _member("unet/weights.safetensors", bytes(64 * 1024**2)))
    assert zeros.stat().st_size < 200_000
    with pytest.raises(BadPackage, match="far more"):
        take(zeros)
    assert not list(tmp_path.rglob("weights.safetensors"))


def test_an_archive_with_endless_headers_is_refused(take, tmp_path):
    with tarfile.open(tmp_path / "model.tar.gz", "w:gz", format=tarfile.PAX_FORMAT) as tar:
        info, content = _member("model_index.json", pax_headers={"comment": "x" * (8 * 1024**2)})
        info.size = len(content)
        tar.addfile(info, io.BytesIO(content))
    with pytest.raises(BadPackage, match="headers"):
        take(tmp_path / "model.tar.gz")


def test_an_archive_of_too_many_files_is_refused(take, tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "MAX_FILES", 5)
    with pytest.raises(BadPackage, match="more than 5 files"):
        take(_tar(tmp_path / "model.tar.gz", *(_member(f"{n}.json") for n in range(9))))


def test_an_archive_with_a_giant_text_is_refused(take, tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "MAX_TEXT_BYTES", 10)
    with pytest.raises(BadPackage, match="no configuration"):
        take(_tar(tmp_path / "model.tar.gz", _member("config.json", b" " * 11)))


@pytest.mark.parametrize("cut", [0, 1, 100, -20])
def test_a_truncated_archive_is_refused(published, take, tmp_path, cut):
    target = _packed(published / "inpaint", tmp_path / "model.tar.gz")
    target.write_bytes(target.read_bytes()[:cut])
    with pytest.raises(LibraryError, match=r"archive|no model"):
        take(target)


@pytest.mark.parametrize(
    "content", [b"no archive at all", gzip.compress(b"no archive at all", mtime=0), b"\x1f\x8bbroken"]
)
def test_what_is_no_archive_is_refused(take, tmp_path, content):
    (tmp_path / "model.tar.gz").write_bytes(content)
    with pytest.raises(LibraryError):
        take(tmp_path / "model.tar.gz")


def test_archives_report_their_progress(published, take, tmp_path):
    told = []
    take(
        _packed(published / "inpaint", tmp_path / "model.tar.gz"),
        progress=lambda done, stage: told.append((done, stage)),
    )
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert any("unet" in stage for _, stage in told)


# --- licences ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("files", "licence"),
    [
        ({"README.md": "---\nlicense: apache-2.0\ntags: [a]\n---\n# X"}, "apache-2.0"),
        (
            {"README.md": "---\nlicense: other\nlicense_name: faipl\nlicense_link: https://x.example/l\n---"},
            "faipl (https://x.example/l)",
        ),
        ({"README.md": "---\nlicense: other\n---", "LICENSE.md": "# My Own Licence\n\ntext"}, "My Own Licence"),
        ({"LICENSE": "\n\nMIT License\n"}, "MIT License"),
        ({"README.md": "---\n: [\n---"}, UNKNOWN),
        ({"README.md": "---\n- a\n---"}, UNKNOWN),
        ({"README.md": "# no front matter"}, UNKNOWN),
        ({}, UNKNOWN),
    ],
)
def test_licences(tmp_path, files, licence):
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    assert licence_of(tmp_path) == licence
