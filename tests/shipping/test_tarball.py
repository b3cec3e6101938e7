"""model.tar.gz: files at its root, the answer under code/, the same bytes each time, and the way back."""

from __future__ import annotations

import ast
import json
import sys
import tarfile
from pathlib import Path

import pytest

from ml_backend.cli import main
from ml_backend.errors import BadPackage
from ml_backend.packaging import Package, save_folder_manifest, sources
from ml_backend.packaging.archive import unpack
from ml_backend.shipping import inference, tarball
from tests.weights import weights_of


@pytest.fixture
def package(tmp_path):
    folder = tmp_path / "package"
    for name, content in {
        "model_index.json": b"{}",
        "unet/config.json": b"{}",
        "unet/diffusion_pytorch_model.safetensors": weights_of(b"net" * 1000),
        "README.md": b"# The card",
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return save_folder_manifest(folder, name="tiny", capability="restyle", architecture="diffusers")


def members(path):
    with tarfile.open(path) as tar:
        return {member.name: tar.extractfile(member).read() for member in tar}


def test_the_files_lie_at_the_root_and_the_answer_under_code(package, tmp_path):
    shipment = tarball.pack(package, tmp_path / "out")
    assert shipment.path == tmp_path / "out" / "model.tar.gz"
    found = members(shipment.path)
    assert found.keys() == {
        "model_index.json", "unet/config.json", "unet/diffusion_pytorch_model.safetensors", "README.md",
        "manifest.json", "code/inference.py", "code/requirements.txt",
    }  # fmt: skip
    assert found["code/inference.py"] == Path(inference.__file__).read_bytes()
    assert found["README.md"] == b"# The card"
    for line in found["code/requirements.txt"].decode().splitlines():
        assert line.startswith("#") or "==" in line, "pinned"


def test_the_same_package_gives_the_same_bytes(package, tmp_path):
    first = tarball.pack(package, tmp_path / "one")
    (package.path / "README.md").touch()
    second = tarball.pack(package, tmp_path / "two.tar.gz")
    assert second.path.name == "two.tar.gz"
    assert (first.sha256, first.size) == (second.sha256, second.size)


def test_the_answer_imports_nothing_of_toile():
    """It runs where only the standard library and what it asks for are."""
    names = set()
    for node in ast.walk(ast.parse(Path(inference.__file__).read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0
            names.add(node.module.partition(".")[0])
    assert names - sys.stdlib_module_names == {"torch", "diffusers", "transformers", "safetensors", "PIL"}


def test_it_comes_back_as_the_same_package(package, tmp_path):
    """Unpacked here, or as SageMaker unpacks it, code and all."""
    archive = tarball.pack(package, tmp_path / "out").path
    source = sources.Source.parse(str(archive))
    back = sources.fetch(source, tmp_path / "back", downloads=tmp_path)
    assert back.manifest == package.manifest
    unpack(archive, tmp_path / "unpacked")
    assert not (tmp_path / "unpacked" / "code").exists()
    with tarfile.open(archive) as tar:
        tar.extractall(tmp_path / "container", filter="data")
    assert Package.load(tmp_path / "container").manifest == package.manifest


def test_other_code_is_still_refused(package):
    (package.path / "code").mkdir()
    (package.path / "code" / "other.json").write_text("{}")
    with pytest.raises(BadPackage, match=r"code/other\.json"):
        Package.load(package.path)


def test_only_diffusion_models_are_packed(package, tmp_path, capsys):
    assert main(["package", "--format", "sagemaker", "unet-starter", str(tmp_path / "out")]) == 2
    assert "only diffusion models" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_folder_that_is_no_model_is_not_served(package, capsys):
    assert main(["serve", str(package.path), "--port", "0"]) == 2
    assert "tiny cannot be loaded" in capsys.readouterr().err
    assert main(["serve", "unet-starter", "--port", "0"]) == 2
    assert "no diffusion model" in capsys.readouterr().err


def test_what_cannot_be_written_leaves_nothing(package, tmp_path, capsys):
    (tmp_path / "file").write_text("in the way")
    assert main(["package", "--format", "sagemaker", str(package.path), str(tmp_path / "file")]) == 2
    assert "cannot be written" in capsys.readouterr().err
    assert {entry.name for entry in tmp_path.iterdir()} == {"file", "package"}


def test_the_command_says_what_it_packed(package, tmp_path, capsys):
    out = tmp_path / "out.tar.gz"
    assert main(["package", "--format", "sagemaker", str(package.path), str(out), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["file"], said["bytes"]) == (str(out), out.stat().st_size)
    assert len(said["sha256"]) == 64
