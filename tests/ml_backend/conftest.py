"""Small seeded models and data, made on the spot."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from ml_backend.networks.unet import UNet, UNetConfig
from ml_backend.packaging import Package, save_package

TINY_UNET = UNetConfig(widths=(8, 16), depths=(1, 1))


@pytest.fixture
def one_thread():
    """Networks this small only wait for each other's threads."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def tiny_segmenter(tmp_path: Path) -> Package:
    """An untrained U-Net package: its mask means nothing, its shapes and rules do."""
    torch.manual_seed(0)
    return save_package(
        tmp_path / "tiny-unet",
        name="tiny-unet",
        capability="segment",
        architecture="unet",
        config=TINY_UNET,
        state_dict=UNet(TINY_UNET).state_dict(),
    )


@pytest.fixture
def tap_segmenter(tmp_path: Path) -> Package:
    """An untrained U-Net package that takes taps."""
    torch.manual_seed(0)
    config = UNetConfig(widths=(8, 12, 16, 16), depths=(1, 1, 1, 1), people=True, tap_width=4)
    return save_package(
        tmp_path / "tap-unet",
        name="tap-unet",
        capability="segment",
        architecture="unet",
        config=config,
        state_dict=UNet(config).state_dict(),
    )


@pytest.fixture
def street_folder(tmp_path: Path) -> Path:
    """Forty 'street photos': a red dress on a grey wall, labelled."""
    folder = tmp_path / "street"
    (folder / "photos").mkdir(parents=True)
    (folder / "labels").mkdir()
    (folder / "labels.txt").write_text("0 null\n14 dress\n39 shoes\n41 skin\n")
    rng = np.random.default_rng(5)
    for index in range(40):
        left, top = (int(value) for value in rng.integers(8, 20, 2))
        photo, labels = Image.new("RGB", (48, 72), (120, 120, 125)), Image.new("L", (48, 72), 0)
        for box, colour, label in (
            ((left, top, left + 16, top + 36), (190, 30, 40), 14),
            ((left + 4, top - 8, left + 12, top), (220, 180, 150), 41),
            ((left + 4, top + 37, left + 12, top + 42), (20, 20, 20), 39),
        ):
            ImageDraw.Draw(photo).rectangle(box, fill=colour)
            ImageDraw.Draw(labels).rectangle(box, fill=label)
        photo.save(folder / "photos" / f"{index:04d}.jpg", quality=95)
        labels.save(folder / "labels" / f"{index:04d}.png")
    return folder
