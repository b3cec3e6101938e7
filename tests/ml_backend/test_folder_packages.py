"""Folder packages: exactly the files that the manifest names, unchanged, nothing that could run code."""

import hashlib
import json
import os
import time

import pytest

from ml_backend.errors import BadPackage
from ml_backend.packaging import Package, save_folder_manifest
from ml_backend.packaging import files as package_files
from ml_backend.packaging.files import combined_sha256, is_safe_path
from tests.weights import weights_of

FILES = {
    "model_index.json": b'{"_class_name": "StableDiffusionInpaintPipeline"}',
    "unet/config.json": b'{"in_channels": 9}',
    "unet/diffusion_pytorch_model.safetensors": weights_of(b"weights of the network"),
    "tokenizer/merges.txt": b"a b",
    "LICENSE": b"CC0",
}


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "model"
    for name, content in FILES.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(content)
    (path / "README.md").write_text("# A model")
    (path / "sample.png").write_bytes(b"a picture")
    (path / ".gitattributes").write_text("")
    return path


def _save(path, **changes):
    values = {"name": "tiny", "capability": "restyle", "architecture": "diffusers", **changes}
    return save_folder_manifest(path, **values)


@pytest.fixture
def package(folder):
    return _save(
        folder,
        licence="CC0-1.0",
        defaults={"steps": 20},
        source={"hub_id": "someone/tiny", "revision": "abc"},
        metrics={"iou": 0.5},
        version="3",
        pipeline="StableDiffusionInpaintPipeline",
        also=["imagine"],
    )


def test_what_is_saved_is_loaded(package):
    loaded = Package.load(package.path)
    assert loaded == package
    assert sorted(loaded.manifest.files) == sorted(FILES), "the card, pictures and hidden files belong to no hash"
    assert loaded.manifest.capabilities == ("restyle", "imagine")
    assert loaded.manifest.config["defaults"] == {"steps": 20}
    assert loaded.size == sum(map(len, FILES.values()))
    lines = "".join(sorted(f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in FILES.items()))
    assert loaded.manifest.sha256 == hashlib.sha256(lines.encode()).hexdigest()


def test_the_card_may_be_written_later(package):
    (package.path / "README.md").write_text("# Figures")
    assert Package.load(package.path) == package


def test_a_changed_file_is_refused(package):
    weights = package.path / "unet/diffusion_pytorch_model.safetensors"
    weights.write_bytes(weights_of(b"weights of the other net"))
    with pytest.raises(BadPackage, match="damaged"):
        Package.load(package.path)


def test_a_truncated_or_missing_file_is_refused(package):
    weights = package.path / "unet/diffusion_pytorch_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-4])
    with pytest.raises(BadPackage, match="damaged"):
        Package.load(package.path)
    weights.unlink()
    with pytest.raises(BadPackage, match="missing"):
        Package.load(package.path)


@pytest.mark.parametrize("name", ["unet/model.safetensors", "run.py", "unet/pytorch_model.bin", "unet/config2.json"])
def test_an_extra_file_is_refused(package, name):
    (package.path / name).write_bytes(b"extra")
    with pytest.raises(BadPackage, match="does not name"):
        Package.load(package.path)


@pytest.mark.parametrize("name", ["pipeline.py", "unet/pytorch_model.bin", "x.ckpt", "x.pkl", "x.onnx", "x.h5", "x.so"])
def test_only_safetensors_and_text_are_packed(folder, name):
    (folder / name).write_bytes(b"code")
    with pytest.raises(BadPackage, match=name):
        _save(folder)


def test_a_folder_without_weights_is_no_model(folder):
    (folder / "unet/diffusion_pytorch_model.safetensors").unlink()
    with pytest.raises(BadPackage, match="safetensors"):
        _save(folder)


def test_unknown_architectures_are_refused(folder, package):
    with pytest.raises(BadPackage, match="kind of folder"):
        _save(folder, architecture="onnx")
    _edit(package, architecture="onnx")
    with pytest.raises(BadPackage, match="unknown kind"):
        Package.load(package.path)


def _edit(package, **changes):
    path = package.path / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def _rename(package, old, new):
    """A manifest whose sums are right and whose names are not."""
    files = {new if name == old else name: sha256 for name, sha256 in package.manifest.files.items()}
    _edit(package, files=files, sha256=combined_sha256(files))


@pytest.mark.parametrize(
    "name",
    [
        "../outside.json",
        "/etc/passwd.json",
        "unet/../../outside.json",
        "a\\b.json",
        "C:/x.json",
        ".hidden.json",
        "a//b.json",
    ],
)
def test_a_manifest_cannot_name_files_elsewhere(package, name):
    (package.path.parent / "outside.json").write_bytes(FILES["unet/config.json"])
    _rename(package, "unet/config.json", name)
    with pytest.raises(BadPackage, match="not a file of a package"):
        Package.load(package.path)


def test_a_manifest_cannot_name_programs(package):
    (package.path / "unet/config.json").rename(package.path / "unet/config.py")
    _rename(package, "unet/config.json", "unet/config.py")
    with pytest.raises(BadPackage, match=r"config\.py"):
        Package.load(package.path)


@pytest.mark.parametrize("files", [["a"], {"a.json": 1}, {"a.json": "0" * 64, "A.json": "0" * 64}, "x"])
def test_malformed_file_lists_are_refused(package, files):
    _edit(package, files=files)
    with pytest.raises(BadPackage):
        Package.load(package.path)


def test_the_sum_of_sums_is_checked(package):
    _edit(package, sha256="0" * 64)
    with pytest.raises(BadPackage, match="manifest"):
        Package.load(package.path)


def test_links_that_lead_out_are_refused(package, tmp_path):
    (tmp_path / "secret.json").write_bytes(FILES["unet/config.json"])
    (package.path / "unet/config.json").unlink()
    (package.path / "unet/config.json").symlink_to(tmp_path / "secret.json")
    with pytest.raises(BadPackage, match="link"):
        Package.load(package.path)


def test_linked_folders_are_not_entered(folder, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (folder / "vae").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(BadPackage, match="link"):
        _save(folder)


def test_safe_paths():
    assert all(is_safe_path(name) for name in ("a.json", "unet/model-00001-of-00002.safetensors", "a b/c.txt"))
    assert not any(
        is_safe_path(name) for name in ("", ".", "..", "/a", "a/", "a/./b", "a\nb", "a/" * 9 + "b", None, "a.")
    )


@pytest.fixture
def hashed(monkeypatch):
    names = []
    monkeypatch.setattr(
        package_files,
        "sha256_of",
        lambda path: names.append(path.name) or hashlib.sha256(path.read_bytes()).hexdigest(),
    )
    return names


def _age(path, seconds=60):
    """Checked a while after the last change: the clock of the check moves on."""
    noted = json.loads(path.read_text())
    path.write_text(json.dumps({**noted, "at": noted["at"] + seconds * 10**9}))


def test_unchanged_files_are_hashed_once(package, tmp_path, hashed):
    stamp = tmp_path / "stamp"
    Package.load(package.path, stamp=stamp)
    assert len(hashed) == len(FILES)
    _age(stamp)
    hashed.clear()
    Package.load(package.path, stamp=stamp)
    assert hashed == []


def test_a_stamp_does_not_hide_a_change(package, tmp_path, hashed):
    stamp = tmp_path / "stamp"
    Package.load(package.path, stamp=stamp)
    _age(stamp)
    weights = package.path / "unet/diffusion_pytorch_model.safetensors"
    before = weights.stat()
    time.sleep(0.02)
    weights.write_bytes(weights_of(b"WEIGHTS OF THE NETWORK"))
    os.utime(weights, ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.raises(BadPackage, match="damaged"):
        Package.load(package.path, stamp=stamp)


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"sha256": 1, "marks": {}, "at": 0}'])
def test_a_damaged_stamp_is_no_stamp(package, tmp_path, hashed, text):
    stamp = tmp_path / "stamp"
    stamp.write_text(text)
    Package.load(package.path, stamp=stamp)
    assert len(hashed) == len(FILES)


def test_a_stamp_made_right_after_the_change_is_not_trusted(package, tmp_path, hashed):
    stamp = tmp_path / "stamp"
    Package.load(package.path, stamp=stamp)
    hashed.clear()
    Package.load(package.path, stamp=stamp)
    assert len(hashed) == len(FILES)
