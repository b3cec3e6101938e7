"""Palettes from a shell: found, written, read, worn."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image
from test_cli import complaint, pixels, run

from ml_backend import images
from ml_backend.colour import contrast
from ml_backend.inks import PALETTES, compose
from ml_backend.palettes import files
from ml_backend.swatches.drawing.tile import draw_inks

PALETTE = PALETTES["Bauhaus"][:5]


@pytest.fixture
def tile(tmp_path):
    path = tmp_path / "bauhaus.png"
    images.save_picture(Image.fromarray(compose(draw_inks("geometric", 3, 256), PALETTE)), path)
    return path


@pytest.mark.parametrize("suffix", ["ase", "gpl", "json"])
def test_palette_writes_a_file_that_recolour_reads(tmp_path, capsys, tile, suffix):
    out = tmp_path / "new" / f"found.{suffix}"
    status, answer = run(capsys, "palette", tile, "--inks", 5, "--out", out, "--name", "Found")
    assert status == 0
    found = files.read(out.read_bytes())
    assert found.name == "Found"
    assert [one["colour"] for one in answer["colours"]] == list(found.colours)
    assert all(min(contrast(one, ink) for ink in PALETTE) < 0.01 for one in found.colours)
    again = tmp_path / "again.png"
    status, answer = run(capsys, "recolour", tile, "--palette", out, "--out", again)
    assert status == 0
    assert answer["palette"][: len(found.colours)] == list(found.colours)
    assert again.is_file()


def test_recolour_goes_by_the_recipe_and_wears_the_first_colours(tmp_path, capsys):
    inks = draw_inks("geometric", 3, 128)
    tile, out = tmp_path / "tile.png", tmp_path / "out.png"
    images.save_picture(Image.fromarray(compose(inks, PALETTE)), tile, {"palette": list(PALETTE), "seed": 3})
    twelve = ",".join((*PALETTES["Provence"], *PALETTES["Lichen"]))
    status, answer = run(capsys, "recolour", tile, "--palette", twelve, "--out", out)
    assert status == 0
    assert answer["palette"] == list(PALETTES["Provence"][:5])
    assert np.abs(pixels(out).astype(int) - compose(inks, answer["palette"])).mean() < 1
    with Image.open(out) as image:
        assert images.read_recipe(image) == {"palette": answer["palette"], "seed": 3}


def test_generate_takes_a_palette_file(tmp_path, capsys):
    path = tmp_path / "sea.gpl"
    path.write_text("GIMP Palette\nName: Sea\n255 255 255\tfoam\n32 48 90\tdeep\n160 200 210\tlight\n90 20 30\tred\n")
    status, answer = run(
        capsys, "generate", "--type", "dotted", "--engine", "drawn", "--size", 64, "--palette", path, "--out", tmp_path
    )
    assert status == 0
    assert set(answer["patterns"][0]["palette"]) >= {"#ffffff", "#20305a"}


def test_bad_input_is_one_line(tmp_path, capsys, tile):
    assert "2 to 12" in complaint(capsys, "palette", tile, "--inks", 1)
    assert "not as 'aco'" in complaint(capsys, "palette", tile, "--out", tmp_path / "x.aco")
    assert "4 to 6 inks" in complaint(
        capsys, "recolour", tile, "--palette", "#ffffff,#000000", "--inks", 9, "--out", tmp_path / "x.png"
    )
    bad = tmp_path / "bad.ase"
    bad.write_bytes(b"ASEF" + b"\xff" * 100)
    for wrong in (bad, tmp_path / "gone.gpl", "#ffffff", "red,blue"):
        with pytest.raises(SystemExit) as ended:
            run(capsys, "recolour", tile, "--palette", wrong, "--out", tmp_path / "x.png")
        assert ended.value.code == 2
    assert not (tmp_path / "x.png").exists()


def test_a_plain_picture_has_a_palette_too(tmp_path, capsys):
    path = tmp_path / "plain.png"
    Image.new("RGB", (20, 20), "#9c2a2e").save(path)
    status, answer = run(capsys, "palette", path, "--out", tmp_path / "plain.json")
    assert status == 0
    assert {one["colour"] for one in answer["colours"]} == {"#9c2a2e"}
    assert json.loads((tmp_path / "plain.json").read_text())["name"] == "plain"
