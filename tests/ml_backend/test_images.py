"""Pictures at the edge: opened upright, saved with their recipe."""

import io

import numpy as np
import pytest
from PIL import Image

from ml_backend import images
from ml_backend.errors import BadInput

RECIPE = {"pattern_type": "floral", "seed": 7, "palette": ["#112233", "#445566"], "note": "é"}


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp"])
def test_recipe_travels_inside_the_file(suffix, tmp_path):
    path = tmp_path / f"tile{suffix}"
    images.save_picture(Image.new("RGB", (8, 8), "teal"), path, RECIPE)
    with Image.open(path) as reopened:
        assert images.read_recipe(reopened) == RECIPE


def test_png_is_lossless_and_streams_work():
    pixels = np.random.default_rng(0).integers(0, 255, (9, 7, 3), np.uint8)
    stream = io.BytesIO()
    images.save_picture(Image.fromarray(pixels), stream, format="PNG")
    assert np.array_equal(np.asarray(Image.open(stream)), pixels)


def test_picture_without_recipe_or_with_someone_elses():
    assert images.read_recipe(Image.new("RGB", (2, 2))) is None
    for text in ("not json", "[1, 2]", "7"):
        image = Image.new("RGB", (2, 2))
        image.info[images.RECIPE_KEY] = text
        assert images.read_recipe(image) is None


def test_orientation_is_applied_once(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (20, 10)).save(tmp_path / "phone.jpg", exif=exif)
    upright = images.open_picture(tmp_path / "phone.jpg")
    assert upright.size == (10, 20)
    images.save_picture(upright, tmp_path / "again.png")
    assert images.open_picture(tmp_path / "again.png").size == (10, 20)


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (Image.new("RGBA", (4, 4), (255, 0, 0, 0)), (255, 255, 255)),
        (Image.new("LA", (4, 4), (0, 255)), (0, 0, 0)),
        (Image.new("1", (4, 4), 1), (255, 255, 255)),
        (Image.fromarray(np.full((4, 4), 65535, np.uint16)), (255, 255, 255)),
    ],
)
def test_modes_become_rgb(image, expected, tmp_path):
    image.save(tmp_path / "picture.png")
    opened = images.open_picture(tmp_path / "picture.png")
    assert opened.mode == "RGB"
    assert opened.getpixel((0, 0)) == expected


@pytest.mark.parametrize("content", [b"", b"hello", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"\xff\xd8\xff\xe0" + b"\0" * 40])
def test_what_is_no_picture_is_refused(content, tmp_path):
    (tmp_path / "x.png").write_bytes(content)
    with pytest.raises(BadInput, match="cannot be read"):
        images.open_picture(tmp_path / "x.png")


def test_missing_picture_and_unknown_format(tmp_path):
    with pytest.raises(BadInput, match="no picture"):
        images.open_picture(tmp_path / "none.png")
    with pytest.raises(BadInput, match="gif"):
        images.save_picture(Image.new("RGB", (2, 2)), tmp_path / "x.gif")


def test_too_many_pixels_are_refused_before_decoding(tmp_path, monkeypatch):
    monkeypatch.setattr(images, "MAX_PIXELS", 50)
    Image.new("RGB", (10, 10)).save(tmp_path / "big.png")
    with pytest.raises(BadInput, match="10x10"):
        images.open_picture(tmp_path / "big.png")
