"""The garments of the house from a shell."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ml_backend import images
from ml_backend.cli import main
from ml_backend.garments import assets


@pytest.fixture
def tile(tmp_path: Path) -> Path:
    stripes = np.full((64, 64, 3), 250, np.uint8)
    stripes[:, :20] = (20, 40, 120)
    Image.fromarray(stripes).save(tmp_path / "tile.png")
    return tmp_path / "tile.png"


def test_garments_are_listed_with_both_sides(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["garments", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["garments"]
    assert [row["slug"] for row in rows] == [asset.slug for asset in assets()]
    assert {(row["cut"], row["side"], row["wearer"]) for row in rows} >= {
        ("dress", "front", "women"),
        ("dress", "back", "women"),
        ("shirt", "back", "men"),
    }
    assert main(["garments"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == len(rows)


def test_a_tile_is_worn_from_behind_with_mirrored_sleeves(
    tile: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    looks = []
    for extra in ([], ["--mirrored"]):
        out = tmp_path / f"look{len(extra)}.png"
        asked = ["--garment", "shirt", "--side", "back", "--pattern", str(tile), "--scale-cm", "9", "--out", str(out)]
        assert main(["wear", *asked, *extra, "--json"]) == 0
        told = json.loads(capsys.readouterr().out)
        assert (told["garment"], told["mirrored"], told["scale_cm"]) == ("shirt-back", bool(extra), 9.0)
        looks.append(np.asarray(images.open_picture(out)).astype(int))
    assert looks[0].shape == (1500, 1200, 3)
    changed = np.abs(looks[0] - looks[1]).max(axis=2) > 60
    assert changed.any() and not changed[:, 600:].any(), "the right sleeve alone, which is on the left from behind"


def test_what_is_no_garment_is_said(tile: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["--pattern", str(tile), "--out", str(tmp_path / "x.png")]
    assert main(["wear", "--garment", "kilt", *asked]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "'kilt'" in error and "dress" in error
    with pytest.raises(SystemExit):
        main(["wear", "--garment", "shirt", "--side", "left", *asked])
