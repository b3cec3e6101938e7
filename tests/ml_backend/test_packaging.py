"""Packages: what is loaded is what was saved, and anything else is refused."""

import json

import pytest
import torch

from ml_backend.errors import BadPackage
from ml_backend.networks.unet import UNet, UNetConfig
from ml_backend.packaging import Package, save_package
from ml_backend.packaging.starter import starter

TINY = UNetConfig(widths=(4, 8), depths=(1, 1))


@pytest.fixture
def package(tmp_path):
    torch.manual_seed(0)
    network = UNet(TINY)
    return save_package(
        tmp_path / "tiny",
        name="tiny",
        capability="segment",
        architecture="unet",
        config=TINY,
        state_dict=network.state_dict(),
        half=False,
    )


def test_network_comes_back_the_same(package):
    torch.manual_seed(0)
    expected = UNet(TINY).eval()
    loaded = Package.load(package.path).network()
    rgb = torch.rand(1, 3, 16, 8)
    torch.testing.assert_close(loaded(rgb), expected(rgb), rtol=0, atol=0)


def test_reference_names_these_weights(package):
    assert package.manifest.reference == f"tiny@{package.manifest.sha256[:12]}"


def test_damaged_weights_are_refused(package):
    weights = package.path / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"x")
    with pytest.raises(BadPackage, match="damaged"):
        Package.load(package.path)


@pytest.mark.parametrize("name", ["manifest.json", "weights.safetensors"])
def test_incomplete_folder_is_refused(package, name):
    (package.path / name).unlink()
    with pytest.raises(BadPackage, match=name):
        Package.load(package.path)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"name": 1, "evil": 2}', "\ufffd"])
def test_unreadable_manifest_is_refused(package, text):
    (package.path / "manifest.json").write_text(text)
    with pytest.raises(BadPackage):
        Package.load(package.path)


@pytest.mark.parametrize(
    "change", [{"architecture": "transformer"}, {"config": {"widths": [4]}}, {"config": {"colour": 1}}, {"config": {}}]
)
def test_manifest_that_does_not_fit_is_refused(package, change):
    path = package.path / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(BadPackage):
        Package.load(package.path).network()


def test_unknown_starter_is_refused():
    with pytest.raises(BadPackage, match="no-such"):
        starter("no-such")
