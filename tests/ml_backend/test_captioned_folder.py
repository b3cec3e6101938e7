"""Pictures with captions, as people hand them in: the imagefolder layout."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from ml_backend.errors import BadInput
from ml_backend.training.data.captioned_folder import Captioned, read, records, split, write_metadata


def picture(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (8, 8)).save(path)
    return path


def lines(folder: Path, *entries: object) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "metadata.jsonl").write_text("\n".join(json.dumps(entry) for entry in entries) + "\n")
    return folder


def test_what_was_written_is_read(tmp_path: Path) -> None:
    first, second = picture(tmp_path / "images" / "b.png"), picture(tmp_path / "images" / "a.webp")
    mask = picture(tmp_path / "masks" / "b.png")
    made = [Captioned(first, "a plaid skirt", mask), Captioned(second, "größer")]
    write_metadata(tmp_path, made)
    assert read(tmp_path) == made == records(tmp_path)
    assert json.loads((tmp_path / "metadata.jsonl").read_text().splitlines()[0]) == {
        "file_name": "images/b.png",
        "text": "a plaid skirt",
        "mask": "masks/b.png",
    }


def test_pictures_without_words_are_taken_as_they_are(tmp_path: Path) -> None:
    inside = picture(tmp_path / "one" / "images" / "a.png")
    bare = [picture(tmp_path / "two" / name) for name in ("a.jpg", "b.png")]
    assert records(tmp_path / "one") == [Captioned(inside)]
    assert records(tmp_path / "two") == [Captioned(path) for path in bare]


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"text": "a dress"}, "Line 1 .* names no picture"),
        ([1], "names no picture"),
        ({"file_name": "images/none.png"}, "is missing"),
        ({"file_name": "../out.png"}, "no picture of this folder"),
        ({"file_name": "images/a.png", "text": 4}, "no text"),
        ({"file_name": "images/a.png", "mask": "metadata.jsonl"}, "no picture of this folder"),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, entry: object, said: str) -> None:
    picture(tmp_path / "out.png")
    picture(tmp_path / "set" / "images" / "a.png")
    with pytest.raises(BadInput, match=said):
        read(lines(tmp_path / "set", entry))


def test_folders_that_hold_nothing_say_so(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no pictures"):
        records(tmp_path)
    with pytest.raises(BadInput, match="not a folder"):
        records(tmp_path / "none")
    with pytest.raises(BadInput, match="names no pictures"):
        read(lines(tmp_path))
    (tmp_path / "metadata.jsonl").write_text("{")
    with pytest.raises(BadInput, match="no JSON"):
        read(tmp_path)


def test_a_split_depends_on_the_seed_alone() -> None:
    pictures = [Captioned(Path(f"{number}.png")) for number in range(20)]
    kept, aside = split(pictures, 0.2, 1)
    assert len(aside) == 4
    assert set(kept) | set(aside) == set(pictures)
    assert not set(kept) & set(aside)
    assert split(pictures, 0.2, 1) == (kept, aside)
    assert split(pictures, 0.2, 2)[1] != aside
    assert split(pictures, 0, 1) == (pictures, [])
    assert len(split(pictures[:2], 0.1, 1)[1]) == 1


def test_recipes_are_read_without_torch() -> None:
    """Forms check them, and a web process never imports torch."""
    program = (
        "import sys; from ml_backend.training import make_recipe; from ml_backend.training.finetuning import estimate;"
        "import ml_backend.training.data.captioned_folder;"
        "recipe = make_recipe({'recipe': 'lora', 'data_dir': 'x', 'resolution': 192});"
        "assert estimate(recipe, 'cpu').bytes > 0; print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stdout == "False\n", done.stderr
