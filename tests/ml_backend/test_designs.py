"""The recogniser of designs: its recipe learns and repeats itself, its package names what it sees."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from ml_backend.errors import BadPackage
from ml_backend.evaluation.words import PHRASINGS, chosen, recognised, recogniser
from ml_backend.inks import compose, palette_from_seed
from ml_backend.networks.classifier import ClassifierConfig
from ml_backend.packaging import Package
from ml_backend.packaging.starter import starter
from ml_backend.pipelines.naming import NamePipeline
from ml_backend.requests import PATTERN_TYPES, SUBTYPE_NAMES
from ml_backend.swatches.drawing.tile import draw_inks
from ml_backend.training.designs import DesignsRecipe, train
from ml_backend.training.recipe import read_recipe
from ml_backend.training.run import Run
from ml_backend.words.reading import Reading

NETWORK = ClassifierConfig(classes=2, maps=(4, 8), names=("gingham", "zebra"))
TINY: dict[str, Any] = {"network": NETWORK, "size": 32, "designs": 3, "held_out": 2, "batch": 8, "evaluate_every": 5}


def curve(folder: Path) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    return [{name: value for name, value in line.items() if name != "seconds"} for line in lines]


def test_it_learns_two_designs_and_its_package_names_them(tmp_path: Path) -> None:
    config = DesignsRecipe(**TINY, steps=30, rate=1e-2, ema=0.8)
    train(config, Run(tmp_path / "run", config))
    lines = curve(tmp_path / "run")
    assert lines[-1]["loss"] < lines[0]["loss"]
    package = Package.load(tmp_path / "run" / "package")
    assert package.manifest.capability == "name"
    network = recogniser(package)
    assert network.config.names == NETWORK.names
    assert set(recognised(network, 2)) == set(NETWORK.names)


def test_the_same_recipe_gives_the_same_curve(tmp_path: Path) -> None:
    config = DesignsRecipe(**TINY, steps=5)
    for name in ("one", "other"):
        train(config, Run(tmp_path / name, config))
    assert curve(tmp_path / "one") == curve(tmp_path / "other")


def test_the_recipe_of_the_starter_knows_every_design() -> None:
    recipe = read_recipe(Path("ml_backend/training/recipes/designs.json"))
    assert recipe.network.names == SUBTYPE_NAMES
    assert set(recogniser(starter("designs-starter")).config.names) <= set(SUBTYPE_NAMES)


def test_a_classifier_of_types_is_no_recogniser_of_designs() -> None:
    with pytest.raises(BadPackage, match="does not recognise designs"):
        recogniser(starter("classifier-starter"))


@pytest.mark.parametrize(("kind", "name"), [("animal", "giraffe"), ("plaid", "houndstooth"), ("plaid", "gingham")])
def test_a_cloth_is_named_by_its_design_or_else_by_its_type(kind: str, name: str) -> None:
    designs, types = recogniser(starter("designs-starter")), starter("classifier-starter").network()
    inks = draw_inks(kind, 1_000_123, 256, subtype=name)
    tile = Image.fromarray(compose(inks, palette_from_seed(kind, 1_000_123, 5, name)))
    named = NamePipeline(types, designs)(tile)  # type: ignore[arg-type]
    assert (named.pattern_type, named.subtype) == (kind, name)
    alone = NamePipeline(types, None)(tile)  # type: ignore[arg-type]
    assert alone.pattern_type in PATTERN_TYPES and alone.subtype == ""


def test_every_design_is_chosen_when_it_is_named() -> None:
    shares = chosen()
    assert set(shares) == set(SUBTYPE_NAMES)
    assert min(shares.values()) >= 0.95, sorted(shares.items(), key=lambda one: one[1])[:5]


def test_who_understands_nothing_chooses_nothing() -> None:
    assert chosen(["tartan"], lambda prompt: Reading(prompt)) == {"tartan": 0.0}
    assert len(set(PHRASINGS)) == len(PHRASINGS)
