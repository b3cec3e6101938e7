"""An eleventh pattern type is one file: CONTRIBUTING's list, followed in a copy of the project."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from .adding import ROOT, copy_of_the_project, follow, look, run, steps

pytestmark = pytest.mark.slow

HEADING = "Adding a pattern type"


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project with what the list says to write, and nothing else."""
    tree = copy_of_the_project(tmp_path_factory.mktemp("copy"))
    follow(tree, "pattern_type", HEADING, NAME="wreathed")
    (tree / "tests" / "ml_backend").mkdir()
    shutil.copy(ROOT / "tests" / "ml_backend" / "test_swatches.py", tree / "tests" / "ml_backend")
    return tree


@pytest.fixture(scope="module")
def found(copy: Path) -> dict[str, Any]:
    return look(copy, "pattern_type")


def test_the_checks_that_the_list_names_see_it(copy: Path) -> None:
    (named,) = re.findall(r"`script/test (\S+)`", steps(HEADING))
    assert " passed" in run(copy, "-m", "pytest", "-q", named, "-k", "wreathed")


def test_it_is_on_the_pages_without_a_migration_or_a_picture(found: dict[str, Any]) -> None:
    assert found["migrations"].strip() == "No changes detected"
    assert found["studio"] and found["gallery"] and found["api"]
    assert found["picture"] == [128, 128]
    assert found["made"] == [302, ["wreathed", "drawn"]]
    assert not found["torch"]


def test_words_mean_it_and_captions_say_it(found: dict[str, Any]) -> None:
    assert found["read"] == "wreathed"
    assert not found["not_understood"]
    assert found["colour"] == "red"
    assert any("wreath print" in caption for caption in found["captions"])
    assert any("wreaths" in caption for caption in found["captions"])


def test_a_network_that_learned_it_dreams_it(found: dict[str, Any]) -> None:
    assert found["dreamed"] == [64, 64]
    assert "wreathed" in found["accuracy"]


def test_a_network_that_did_not_says_so_and_is_measured_on_what_it_knows(found: dict[str, Any]) -> None:
    sentence = "This model has not learned wreathed fabrics; choose another model, or the engine 'drawn'."
    assert found["refused"] == found["refused_morph"] == sentence
    assert "wreathed" not in found["accuracy_of_ten"]
    assert "kid_wreathed" not in found["quality_of_ten"]
    assert "kid_floral" in found["quality_of_ten"]
