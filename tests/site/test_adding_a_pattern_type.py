"""An eleventh pattern type is one file: CONTRIBUTING's list, followed in a copy of the project."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).parent / "eleventh"
ROOMS = ("ml_backend", "patterns", "studio", "fashion_site", "templates", "static")


def steps() -> str:
    """The list of CONTRIBUTING."""
    text = (ROOT / "CONTRIBUTING.md").read_text()
    return text.partition("## Adding a pattern type\n")[2].partition("\n## ")[0]


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project with what the list says to write, and nothing else."""
    tree = tmp_path_factory.mktemp("copy")
    weights = str(ROOT / "ml_backend" / "weights")
    for room in ROOMS:
        shutil.copytree(
            ROOT / room,
            tree / room,
            ignore=lambda folder, _: ["__pycache__", *(["weights"] if folder == str(ROOT / "ml_backend") else [])],
        )
    (tree / "ml_backend" / "weights").symlink_to(weights)
    (tree / "tests").mkdir()
    for name in ("pyproject.toml", "tests/ml_backend/test_swatches.py"):
        (tree / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tree / name)
    (written,) = set(re.findall(r"`(\S+NAME\S*)`", steps()))
    shutil.copy(HERE / "toile.py", tree / written.replace("NAME", "toile"))
    return tree


def run(copy: Path, *command: str) -> str:
    environment = {**os.environ, "TOILE_DATA_DIR": str(copy / "data"), "DATABASE_URL": "sqlite://:memory:"}
    done = subprocess.run(
        [sys.executable, *command], cwd=copy, env=environment, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def found(copy: Path) -> dict[str, Any]:
    return dict(json.loads(run(copy, str(HERE / "look.py")).splitlines()[-1]))


def test_the_checks_that_the_list_names_see_it(copy: Path) -> None:
    (named,) = re.findall(r"`script/test (\S+)`", steps())
    assert " passed" in run(copy, "-m", "pytest", "-q", named, "-k", "toile")


def test_it_is_on_the_pages_without_a_migration_or_a_picture(found: dict[str, Any]) -> None:
    assert found["migrations"].strip() == "No changes detected"
    assert found["studio"] and found["gallery"] and found["api"]
    assert found["picture"] == [128, 128]
    assert found["made"] == [302, ["toile", "drawn"]]
    assert not found["torch"]


def test_words_mean_it_and_captions_say_it(found: dict[str, Any]) -> None:
    assert found["read"] == "toile"
    assert not found["not_understood"]
    assert found["colour"] == "red"
    assert any("toile print" in caption for caption in found["captions"])
    assert any("wreaths" in caption for caption in found["captions"])


def test_a_network_that_learned_it_dreams_it(found: dict[str, Any]) -> None:
    assert found["dreamed"] == [64, 64]
    assert "toile" in found["accuracy"]


def test_a_network_that_did_not_says_so_and_is_measured_on_what_it_knows(found: dict[str, Any]) -> None:
    sentence = "This model has not learned toile fabrics; choose another model, or the engine 'drawn'."
    assert found["refused"] == found["refused_morph"] == sentence
    assert "toile" not in found["accuracy_of_ten"]
    assert "kid_toile" not in found["quality_of_ten"]
    assert "kid_floral" in found["quality_of_ten"]
