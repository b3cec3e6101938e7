"""Figures, neighbours and sheets of fabric generators, with tiny untrained networks and made-up designs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ml_backend.cli import main
from ml_backend.errors import BadInput, BadPackage
from ml_backend.evaluation import generators, neighbours, sheets
from ml_backend.evaluation.generators import (
    border_ratio,
    diversity,
    dreamed_designs,
    generator_quality,
    load_generator,
    seam_figures,
    spread,
)
from ml_backend.evaluation.neighbours import WAYS, Designs, copying, laid, turned, turned_back
from ml_backend.evaluation.patterns import load_classifier
from ml_backend.evaluation.sheets import contact_sheet, neighbour_sheet, save_sheet, two_by_two
from ml_backend.networks.classifier import ClassifierConfig, PatternClassifier
from ml_backend.networks.dcgan import DCGANConfig, Generator
from ml_backend.packaging import Package, save_package
from ml_backend.requests import PATTERN_TYPES

PALETTE = ("#102030", "#f0e0d0", "#c04030", "#30a060", "#e0c040")


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Package:
    torch.manual_seed(0)
    config = ClassifierConfig(maps=(4, 8))
    return save_package(
        tmp_path_factory.mktemp("judge"),
        name="judge",
        capability="classify",
        architecture="classifier",
        config=config,
        state_dict=PatternClassifier(config).state_dict(),
    )


def dreaming(path: Path, size: int = 64, output: str = "inks", gain: float = 4) -> Package:
    torch.manual_seed(0)
    config = DCGANConfig(size=size, latent=8, embedding=4, maps=4, output=output)
    network = Generator(config)
    for weight in network.parameters():
        weight.data *= gain  # a livelier picture than fresh weights give
    return save_package(
        path,
        name="dreamer",
        capability="generate",
        architecture="dcgan",
        config=config,
        state_dict=network.state_dict(),
    )


@pytest.fixture(scope="module")
def dreamer(tmp_path_factory: pytest.TempPathFactory) -> Package:
    return dreaming(tmp_path_factory.mktemp("dreamer"))


def noise(seed: int, side: int = 64, inks: int = 5) -> neighbours.F32:
    """An even mixture of inks that no other seed has."""
    small = np.random.default_rng(seed).random((inks, side // 8, side // 8), np.float32)
    design = small.repeat(8, axis=1).repeat(8, axis=2)
    return np.asarray(design / design.sum(axis=0), np.float32)


# --- figures ---


def test_every_type_has_every_figure(judge: Package, dreamer: Package) -> None:
    figures = generator_quality(dreamer, judge, count=3)
    by_type = {f"{name}_{each}" for each in PATTERN_TYPES for name in ("kid", "fid", "recognised", "diversity")}
    together = {"kid", "kid_deviation", "fid", "fid_deviation", "recognised", "recognised_drawn", "diversity", "border"}
    assert by_type | together | {"n"} == set(figures)
    assert figures["n"] == 30
    assert all(np.isfinite(value) for value in figures.values())
    assert figures["recognised"] == pytest.approx(np.mean([figures[f"recognised_{each}"] for each in PATTERN_TYPES]))


def test_real_swatches_pass_every_measure(judge: Package, dreamer: Package, monkeypatch: pytest.MonkeyPatch) -> None:
    def perfect(_generator: object, pattern_type: str, seeds: range) -> list[generators.F32]:
        return generators.drawn_designs(pattern_type, seeds, 5)

    monkeypatch.setattr(generators, "dreamed_designs", perfect)
    figures = generator_quality(dreamer, judge, count=3)
    assert figures["fid"] == pytest.approx(0, abs=1e-3)
    assert figures["diversity"] == pytest.approx(1)
    assert figures["recognised"] == figures["recognised_drawn"]


def test_designs_are_a_function_of_their_seeds(dreamer: Package) -> None:
    network = load_generator(dreamer)
    together = dreamed_designs(network, "floral", [1, 2])
    alone = dreamed_designs(network, "floral", [2])
    assert np.array_equal(together[1], alone[0])
    assert not np.array_equal(together[0], together[1])


def test_larger_networks_are_judged_at_64_pixels(tmp_path: Path) -> None:
    (design,) = dreamed_designs(load_generator(dreaming(tmp_path, size=128)), "floral", [1])
    assert design.shape == (5, 64, 64)
    assert np.allclose(design.sum(axis=0), 1, atol=1e-4)


def test_smaller_networks_are_refused() -> None:
    with pytest.raises(BadInput, match="64"):
        dreamed_designs(Generator(DCGANConfig(size=16, latent=8, embedding=4, maps=4)), "floral", [1])


def test_other_models_are_refused(judge: Package) -> None:
    with pytest.raises(BadPackage, match="judge"):
        load_generator(judge)


def test_spread_is_the_mean_distance_of_pairs() -> None:
    assert spread(np.array([[0.0, 0.0], [3.0, 4.0]])) == pytest.approx(5)
    assert spread(np.array([[0.0], [1.0], [3.0]])) == pytest.approx((1 + 2 + 3) / 3)
    with pytest.raises(BadInput, match="two"):
        spread(np.zeros((1, 3)))


def test_a_collapsed_type_has_no_diversity(judge: Package) -> None:
    network = load_classifier(judge)
    drawn = [noise(seed) for seed in range(6)]
    assert diversity(network, drawn, drawn, PALETTE) == pytest.approx(1)
    assert diversity(network, [drawn[0]] * 6, drawn, PALETTE) == pytest.approx(0, abs=1e-3)
    assert diversity(network, drawn[:2] * 3, drawn, PALETTE) < 0.9


def test_border_ratio_sees_a_seam_of_the_network(dreamer: Package) -> None:
    dreams = dreamed_designs(load_generator(dreamer), "floral", range(40))
    assert border_ratio(dreams) < 1.3  # wrap-around convolutions: the border is a line like any other
    ramp = np.linspace(0, 1, 64, dtype=np.float32)
    slope = np.stack([np.tile(ramp, (64, 1)), np.tile(1 - ramp, (64, 1))])
    assert border_ratio([slope]) > 10


def test_the_worst_seam_and_its_type_are_named() -> None:
    calm = Image.new("RGB", (64, 64), "#7a1f2b")
    ramp = Image.fromarray(np.tile(np.linspace(0, 255, 64).astype(np.uint8), (64, 1))).convert("RGB")
    figures = seam_figures({"floral": [calm, calm], "plaid": [calm, ramp]})
    assert figures["seam_worst_type"] == "plaid"
    assert float(figures["seam_worst"]) > 5
    assert figures["seam_mean"] == pytest.approx(float(figures["seam_worst"]) / 4)
    assert figures["seam_n"] == 4


# --- neighbours ---


@pytest.mark.parametrize("way", WAYS)
def test_a_turned_and_shifted_copy_is_found(way: neighbours.Way) -> None:
    bank = [noise(seed) for seed in range(5)]
    copy = np.ascontiguousarray(turned(np.roll(bank[3], (5, -9), axis=(1, 2)), way))
    match = Designs(bank).nearest(copy)
    assert match.index == 3
    assert match.distance < 0.01
    assert np.abs(laid(bank[3], match) - copy).max() < 1e-6
    assert np.array_equal(turned_back(turned(copy, way), way), copy)


def test_a_match_is_laid_at_any_size() -> None:
    large = noise(1, side=128)
    small = large.reshape(5, 64, 2, 64, 2).mean(axis=(2, 4))
    copy = np.ascontiguousarray(turned(np.roll(small, (7, 3), axis=(1, 2)), WAYS[5]))
    shown = laid(large, Designs([small]).nearest(copy))
    assert np.abs(shown.reshape(5, 64, 2, 64, 2).mean(axis=(2, 4)) - copy).max() < 1e-5


def test_distance_is_the_root_mean_square_of_inks() -> None:
    black, white = np.zeros((2, 64, 64), np.float32), np.zeros((2, 64, 64), np.float32)
    black[0], white[1] = 1, 1
    assert Designs([black]).nearest(white).distance == pytest.approx(np.sqrt(2), abs=1e-4)


def test_a_copying_generator_is_told_from_one_that_does_not(dreamer: Package, monkeypatch: pytest.MonkeyPatch) -> None:
    def designs(pattern_type: str, seeds: range, _inks: int) -> list[neighbours.F32]:
        return [noise(seed + 10_000 * PATTERN_TYPES.index(pattern_type)) for seed in seeds]

    def copies(_generator: object, pattern_type: str, seeds: range) -> list[neighbours.F32]:
        trained = designs(pattern_type, range(len(seeds)), 5)
        return [0.9 * design + 0.1 * noise(99 + index) for index, design in enumerate(trained)]

    def fresh(_generator: object, _pattern_type: str, seeds: range) -> list[neighbours.F32]:
        return [noise(seed + 777) for seed in seeds]

    monkeypatch.setattr(neighbours, "drawn_designs", designs)
    monkeypatch.setattr(neighbours, "dreamed_designs", copies)
    found = neighbours.neighbours(dreamer, each=2, swatches=6)
    assert [each.swatch_seed for each in found] == [0, 1] * 10
    assert copying(found)["nearest_ratio"] < 0.4
    monkeypatch.setattr(neighbours, "dreamed_designs", fresh)
    figures = copying(neighbours.neighbours(dreamer, each=2, swatches=6))
    assert figures["nearest_ratio"] == pytest.approx(1, abs=0.15)
    assert figures["nearest_ratio_drawn"] == pytest.approx(1, abs=0.15)
    assert figures["nearest_n"] == 20


# --- sheets ---


def test_a_tile_is_laid_two_by_two() -> None:
    tile = Image.fromarray(np.random.default_rng(0).integers(0, 255, (8, 6, 3), np.uint8))
    cloth = np.asarray(two_by_two(tile))
    assert np.array_equal(cloth, np.tile(np.asarray(tile), (2, 2, 1)))


def test_the_contact_sheet_has_a_cell_for_every_fabric() -> None:
    colours = {"floral": ["#ff0000", "#00ff00"], "plaid": ["#0000ff", "#ffff00"]}
    rows = {name: [Image.new("RGB", (32, 32), colour) for colour in each] for name, each in colours.items()}
    sheet = contact_sheet(rows, cell=40)
    for row, each in enumerate(colours.values()):
        for column, colour in enumerate(each):
            left, top = sheets.LABEL + sheets.GAP + column * 48, sheets.GAP + row * 48
            cell = sheet.crop((left, top, left + 40, top + 40))
            assert cell.getcolors() == [(1600, Image.new("RGB", (1, 1), colour).getpixel((0, 0)))]
    assert len(sheet.crop((0, 0, sheets.LABEL, sheet.height)).getcolors(10_000) or []) > 2, "types are named"


def test_pairs_stand_side_by_side() -> None:
    red, blue = (np.full((128, 128, 3), colour, np.uint8) for colour in ((255, 0, 0), (0, 0, 255)))
    pair = neighbours.Neighbour("floral", 5, 7, red, blue, 0.1, 0.4, 0.3, 0.3)
    sheet = neighbour_sheet([pair, pair])
    left = sheets.LABEL + sheets.GAP
    assert sheet.getpixel((left + 10, 40)) == (255, 0, 0)
    assert sheet.getpixel((left + 128 + 20, 40)) == (0, 0, 255)


def test_sheets_are_saved_by_their_suffix(tmp_path: Path) -> None:
    sheet = Image.new("RGB", (20, 20))
    save_sheet(sheet, tmp_path / "new" / "sheet.webp")
    with Image.open(tmp_path / "new" / "sheet.webp") as saved:
        assert saved.format == "WEBP"
    with pytest.raises(BadInput, match="PNG"):
        save_sheet(sheet, tmp_path / "sheet.tiff")


def test_a_sheet_for_a_page_is_kept_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sheet = Image.fromarray(np.random.default_rng(0).integers(0, 255, (200, 200, 3), np.uint8))
    save_sheet(sheet, tmp_path / "fine.webp")
    monkeypatch.setattr(sheets, "SMALL", (tmp_path / "fine.webp").stat().st_size - 1)
    save_sheet(sheet, tmp_path / "small.webp")
    assert (tmp_path / "small.webp").stat().st_size <= sheets.SMALL


def test_one_command_measures_and_writes_both_sheets(
    judge: Package,
    dreamer: Package,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(generators, "FINISHED_SIZE", 64)
    monkeypatch.setattr(generators, "FINISHED", 2)
    given = ["--model", dreamer.path, "--classifier", judge.path, "--count", "2", "--swatches", "2", "--cell", "24"]
    written = ["--sheet", tmp_path / "sheet.png", "--neighbours", tmp_path / "near.png"]
    assert main(["evaluate", "--json", "generator", *map(str, [*given, *written])]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["features"] == judge.manifest.reference
    assert {"seam_worst", "nearest_ratio", "fid_floral", "diversity_plaid"} <= set(figures)
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.size == (sheets.LABEL + 2 * 32 + sheets.GAP, sheets.GAP + 10 * 32)
    assert (tmp_path / "near.png").exists()


def test_too_few_fabrics_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "generator", "--count", "1"]) == 2
    assert "2 fabrics" in capsys.readouterr().err
