"""Reading images by class."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from ml_backend.errors import BadInput
from ml_backend.training.data.folder import labels, list_images, read_rgb


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for label in ("striped", "dotted"):
        (tmp_path / label).mkdir()
        for index in range(200):
            (tmp_path / label / f"{label}_{index:04}.jpg").touch()
    (tmp_path / ".cache").mkdir()
    (tmp_path / ".cache" / "x.jpg").touch()
    (tmp_path / "striped" / "notes.txt").touch()
    return tmp_path


def test_classes_are_folders(root: Path) -> None:
    images = list_images(root)
    assert len(images) == 400
    assert labels(images) == ["dotted", "striped"]
    assert images == sorted(images, key=lambda image: (image.label, image.path))


def test_the_split_is_whole_stable_and_keeps_neighbours_together(root: Path) -> None:
    train, held_out = list_images(root, "train"), list_images(root, "held-out")
    assert len(train) + len(held_out) == 400
    assert not set(train) & set(held_out)
    assert 0.05 < len(held_out) / 400 < 0.3
    groups = {image.path.stem[:-1] for image in train} & {image.path.stem[:-1] for image in held_out}
    assert not groups
    assert held_out == list_images(root, "held-out")


def test_an_empty_or_missing_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no images"):
        list_images(tmp_path)
    with pytest.raises(BadInput, match="not a folder"):
        list_images(tmp_path / "none")


def test_pictures_are_upright_rgb_and_square_on_request(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6  # taken with the camera turned
    Image.new("L", (30, 20), 200).save(path, exif=exif)
    assert read_rgb(path).shape == (30, 20, 3)
    assert read_rgb(path, 16).shape == (16, 16, 3)
    (tmp_path / "b.jpg").write_bytes(b"not a picture")
    with pytest.raises(BadInput, match="readable"):
        read_rgb(tmp_path / "b.jpg")
