"""The published Unet_2020-10-30 layout, from a randomly initialised checkpoint of exactly that layout."""

import numpy as np
import pytest
import torch
from PIL import Image

from ml_backend.errors import BadPackage
from ml_backend.networks.efficientnet_unet import EfficientNetUNet, EfficientNetUNetConfig
from ml_backend.packaging import Package
from ml_backend.packaging.published import convert_unet_2020
from ml_backend.pipelines.segment import SegmentPipeline
from ml_backend.requests import GARMENT_CLASSES


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(3)
    return EfficientNetUNet(EfficientNetUNetConfig()).eval()


@pytest.fixture
def checkpoint(network, tmp_path):
    """As published: everything under ``state_dict``, each key prefixed ``model.``."""
    path = tmp_path / "Unet_2020-10-30.pth"
    torch.save({"epoch": 30, "state_dict": network.state_dict()}, path)
    assert all(key.startswith("model.") for key in network.state_dict())
    return path


def test_layout_is_the_published_one(network):
    keys = set(network.state_dict())
    assert {"model.encoder.conv_stem.weight", "model.encoder.blocks.0.0.conv_dw.weight"} <= keys
    assert network.state_dict()["model.segmentation_head.0.weight"].shape[0] == 1
    assert network.state_dict()["model.encoder.conv_stem.weight"].shape == (40, 3, 3, 3)


def test_converted_network_computes_the_same(network, checkpoint, tmp_path):
    package = convert_unet_2020(checkpoint, tmp_path / "package")
    rgb = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(Package.load(package.path).network()(rgb), network(rgb))


def test_it_segments_into_cloth_or_not(checkpoint, tmp_path):
    pipeline = SegmentPipeline(convert_unet_2020(checkpoint, tmp_path / "package"))
    photo = Image.fromarray(np.random.default_rng(0).integers(0, 255, (90, 70, 3), np.uint8))
    result = pipeline(photo)
    assert result.mask.shape == (90, 70)
    assert set(np.unique(result.labels)) <= {GARMENT_CLASSES.index(name) for name in ("background", "other")} | {1, 7}


def test_bare_state_dict_without_unused_head_loads(network, tmp_path):
    bare = {key.removeprefix("model."): value for key, value in network.state_dict().items() if "conv_head" not in key}
    torch.save(bare, tmp_path / "bare.pth")
    assert convert_unet_2020(tmp_path / "bare.pth", tmp_path / "package").manifest.architecture == "efficientnet_unet"


def test_other_checkpoints_are_refused_by_name_of_a_layer(network, tmp_path):
    broken = {key: value for key, value in network.state_dict().items() if "segmentation_head" not in key}
    torch.save({"state_dict": broken}, tmp_path / "other.pth")
    with pytest.raises(BadPackage, match="segmentation_head"):
        convert_unet_2020(tmp_path / "other.pth", tmp_path / "package")


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", b"PK\x03\x04"])
def test_junk_is_refused(content, tmp_path):
    (tmp_path / "junk.pth").write_bytes(content)
    with pytest.raises(BadPackage):
        convert_unet_2020(tmp_path / "junk.pth", tmp_path / "package")


class _Surprise:
    def __reduce__(self):
        return (print, ("ran code from a checkpoint",))


def test_a_pickle_that_runs_code_is_refused(tmp_path, capsys):
    torch.save({"state_dict": _Surprise()}, tmp_path / "evil.pth")
    with pytest.raises(BadPackage):
        convert_unet_2020(tmp_path / "evil.pth", tmp_path / "package")
    assert "ran code" not in capsys.readouterr().out
