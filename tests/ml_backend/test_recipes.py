"""Recipes and runs written before settings had their names and places of today go on meaning what they meant."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest
import torch

from ml_backend import training
from ml_backend.errors import BadInput
from ml_backend.training import make_recipe, read_recipe
from ml_backend.training.before import rates_of
from ml_backend.training.data import bank

BEFORE = Path(__file__).with_name("before")
OLD: dict[str, dict[str, Any]] = json.loads((BEFORE / "recipes.json").read_text())
"""The shipped recipes with all their settings, as a run recorded them then."""


@pytest.mark.parametrize("name", OLD)
def test_a_recipe_of_then_is_the_recipe_of_today(name: str) -> None:
    today = read_recipe(Path(training.__file__).parent / "recipes" / f"{name}.json")
    assert make_recipe(OLD[name]) == today
    assert make_recipe(json.loads(json.dumps(dataclasses.asdict(today)))) == today, "and is recorded so"


def test_no_setting_stands_in_a_network_and_beside_it() -> None:
    for name in OLD:
        fields = {field.name: field for field in dataclasses.fields(make_recipe(OLD[name]))}
        if "network" in fields:
            network = {field.name for field in dataclasses.fields(fields["network"].default)}
            assert not network & set(fields), name


@pytest.fixture
def as_then(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the runs were begun: few palettes, full precision."""
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)
    monkeypatch.setattr(bank, "PALETTES", 8)
    bank.palette_bank.cache_clear()


@pytest.mark.usefixtures("as_then")
@pytest.mark.parametrize("name", ["dcgan", "xgan"])
def test_a_run_of_then_goes_on_along_its_curve(name: str, tmp_path: Path) -> None:
    run_dir = tmp_path / "run"
    copytree(BEFORE / name, run_dir)
    config = make_recipe(json.loads((run_dir / "config.json").read_text()) | {"steps": 6})
    training.train(config, run_dir, resume=True)
    bank.palette_bank.cache_clear()
    then, now = (
        [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
        for folder in (BEFORE / name, run_dir)
    )
    assert [line["step"] for line in now] == [1, 2, 3, 4, 5, 6]
    for before, after in zip(then, now, strict=True):
        del before["seconds"], after["seconds"]
        assert after == pytest.approx(before, rel=1e-3, abs=1e-4)


def test_the_rates_that_a_checkpoint_of_then_brings_along_stay() -> None:
    assert rates_of([{"lr": 1.0, "factor": 0.5}, {"lr": 1.0, "full": 0.25}, {"lr": 1.0}], [9.0, 8.0, 7.0]) == [
        0.5,
        0.25,
        7.0,
    ]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"network": {"speed": 9}}, "unknown settings: speed"),
        ({"network": 3}, "incomplete or wrong"),
        ({"network": {"size": 48}}, "size is"),
        ({"speed": 9}, "unknown settings: speed"),
        ({"designs": 3, "network": {"neighbours": 5}}, "neighbours"),
    ],
)
def test_what_is_no_setting_is_refused_in_a_sentence(wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(BadInput, match=words):
        make_recipe({"recipe": "dcgan", **wrong})
