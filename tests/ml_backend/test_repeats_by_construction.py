"""The same weights make a fabric without a seam in every repeat: what a network wraps around is the lattice."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ml_backend.cli import main
from ml_backend.evaluation.seam import seam_ratio
from ml_backend.images import open_picture
from ml_backend.lattices import BASIC, LATTICES, Lattice
from ml_backend.networks.dcgan import DCGANConfig, Generator
from ml_backend.networks.srgan import SRGANConfig, SRResNet
from ml_backend.networks.wrap import cell_of, surrounded
from ml_backend.networks.xgan import XGAN, XGANConfig
from ml_backend.packaging.starter import GENERATOR, package_of
from ml_backend.pipelines.generate import GeneratePipeline, enlarge_softly, least_cut
from ml_backend.requests import GenerateRequest

OTHERS = [name for name in LATTICES if name != "basic"]
every = pytest.mark.parametrize("repeat", OTHERS)


def _lattices() -> list[Lattice]:
    upright = [LATTICES[name] for name in LATTICES]
    return [*upright, *(one.transposed() for one in upright), *(one.reflected() for one in upright)]


@pytest.mark.parametrize("lattice", _lattices(), ids=str)
def test_tensors_and_arrays_are_surrounded_alike(lattice: Lattice) -> None:
    cell = lattice.cell(np.random.default_rng(0).random((2, 12, 12)).astype(np.float32))
    torch.testing.assert_close(
        surrounded(torch.from_numpy(cell)[None], 3, lattice)[0], torch.from_numpy(lattice.surround(cell, 3))
    )


def test_a_third_of_eight_pixels_lies_between_two() -> None:
    third = Lattice("third", drop=Fraction(1, 3))
    cell = np.arange(8, dtype=np.float32)[None, :, None].repeat(8, axis=2)
    beyond = third.surround(cell, 1)[0, 1:-1, -1]
    np.testing.assert_allclose(beyond[3:], np.arange(3, 8) - 8 / 3, atol=1e-5)
    torch.testing.assert_close(surrounded(torch.from_numpy(cell)[None], 1, third)[0, 0, 1:-1, -1], torch.tensor(beyond))


def _lively_dcgan() -> Generator:
    torch.manual_seed(1)
    generator = Generator(DCGANConfig(size=32, maps=8, latent=8, classes=3)).eval()
    for module in generator.modules():
        if isinstance(module, torch.nn.ConvTranspose2d):
            module.weight.data.mul_(6)
    return generator


def _moved(cell: torch.Tensor, lattice: Lattice, rows: int, columns: int) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(lattice.rolled(cell.numpy(), rows, columns)))


def _moving(rows: int, columns: int) -> Callable[..., torch.Tensor]:
    """What the networks begin a lattice with, moved on it."""

    def begin(x: torch.Tensor, lattice: Lattice, cut: tuple[float, float], side: int = 16) -> torch.Tensor:
        finer = x.shape[2] // side
        return _moved(cell_of(x, lattice, cut, side), lattice, rows * finer, columns * finer)

    return begin


@every
@torch.no_grad()
def test_the_dcgan_commutes_with_shifts_on_the_lattice(repeat: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """No place of the fabric is special, so none is a seam."""
    lattice = LATTICES[repeat]
    generator = _lively_dcgan()
    styles = generator.styles(generator.latent(1, 3)[None], torch.tensor([1]))
    plain = generator.synthesise(styles, lattice=lattice)
    assert plain.std() > 0.01
    monkeypatch.setattr("ml_backend.networks.dcgan.cell_of", _moving(1, 1))
    step = 2
    torch.testing.assert_close(
        generator.synthesise(styles, lattice=lattice), _moved(plain, lattice, step, step), atol=1e-4, rtol=0
    )


@every
@torch.no_grad()
def test_the_xgan_commutes_with_shifts_on_the_lattice(repeat: str, monkeypatch: pytest.MonkeyPatch) -> None:
    lattice = LATTICES[repeat]
    torch.manual_seed(2)
    config = XGANConfig(size=32, latent=8, embedding=4, width=12, capacity=128, widest=8, start="projected")
    generator = XGAN(config).eval()
    styles = generator.styles(generator.latent(2, 1)[None], torch.tensor([2]))
    plain = generator.synthesise(styles, lattice=lattice, noisy=False)
    monkeypatch.setattr("ml_backend.networks.xgan.cell_of", _moving(1, 2))
    step = 4
    shifted = generator.synthesise(styles, lattice=lattice, noisy=False)
    torch.testing.assert_close(shifted, _moved(plain, lattice, step, 2 * step), atol=1e-4, rtol=0)


@every
@torch.no_grad()
def test_enlarging_a_tile_commutes_with_shifts_on_the_lattice(repeat: str) -> None:
    lattice = LATTICES[repeat]
    torch.manual_seed(3)
    network = SRResNet(SRGANConfig(scale=4, maps=8, blocks=1)).eval()
    tile = torch.rand(1, 3, 48, 48)
    cell = torch.from_numpy(np.ascontiguousarray(lattice.cell(tile.numpy())))
    large = network(cell, wrap=lattice)
    assert large.shape[2:] == (4 * cell.shape[2], 4 * cell.shape[3])
    moved = network(_moved(cell, lattice, 5, 3), wrap=lattice)
    torch.testing.assert_close(moved, _moved(large, lattice, 20, 12), atol=1e-4, rtol=0)


@torch.no_grad()
def test_basic_is_what_it_was_to_the_last_bit() -> None:
    generator = _lively_dcgan()
    styles = generator.styles(generator.latent(1, 3)[None], torch.tensor([1]))
    assert torch.equal(generator.synthesise(styles), generator.synthesise(styles, lattice=BASIC))
    x = torch.rand(1, 2, 5, 7)
    assert torch.equal(surrounded(x, 2), torch.nn.functional.pad(x, (2, 2, 2, 2), mode="circular"))


@every
def test_soft_enlargement_repeats_on_the_lattice(repeat: str) -> None:
    lattice = LATTICES[repeat]
    raw = np.random.default_rng(5).random((4, 24, 24)).astype(np.float32)
    cell = lattice.cell(raw / raw.sum(axis=0))
    if lattice.mirrored:
        return
    large = enlarge_softly(cell, 4, lattice)
    moved = enlarge_softly(lattice.rolled(cell, 3, 2), 4, lattice)
    np.testing.assert_allclose(moved, lattice.rolled(large, 12, 8), atol=1e-4)


@pytest.mark.parametrize("repeat", ["half-drop", "half-brick", "ogee"])
def test_a_design_that_fits_by_itself_is_cut_for_nothing_and_a_motif_is_not_cut(repeat: str) -> None:
    """Round the tile everything is ground but one motif: the cut is beside it; where all is motif it shows."""
    fits = np.zeros((4, 64, 64), np.float32)
    fits[1, ::8] = fits[1, :, ::8] = 1
    assert least_cut(fits, LATTICES[repeat])[2] == 0
    every_row = np.repeat(np.eye(4, dtype=np.float32), 16, axis=1)[:, :, None].repeat(64, axis=2)
    rows = LATTICES[repeat]
    stripes = every_row.swapaxes(1, 2) if rows.slide else every_row
    assert least_cut(np.ascontiguousarray(stripes), rows)[2] > 0.2
    if repeat != "ogee":
        motif = np.zeros((4, 64, 64), np.float32)
        motif[1, 20:40, 30:56] = 1
        row, column, cost = least_cut(motif, rows)
        assert cost == 0
        assert not motif[1, round(row * 64)].any() or not motif[1, :, round(column * 64)].any()


@pytest.fixture(scope="module")
def pipeline() -> GeneratePipeline:
    return GeneratePipeline(package_of(None, GENERATOR))


@every
@pytest.mark.parametrize("pattern_type", ["floral", "animal"])
def test_dreamed_fabrics_have_no_seam_in_their_repeat(
    pipeline: GeneratePipeline, repeat: str, pattern_type: str
) -> None:
    request = GenerateRequest(pattern_type, seed=3, size=192, repeat=repeat)
    fabric = pipeline(request)
    assert fabric.image.size == (192, 192)
    assert fabric.request.repeat == repeat
    np.testing.assert_allclose(fabric.inks.sum(axis=0), 1, atol=1e-3)
    assert seam_ratio(fabric.image, repeat) <= 1.1
    np.testing.assert_array_equal(pipeline(request).inks, fabric.inks)


def test_the_shell_makes_and_measures_a_half_drop(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = [
        "generate",
        "--type",
        "floral",
        "--engine",
        "drawn",
        "--seed",
        "2",
        "--size",
        "128",
        "--repeat",
        "half-drop",
    ]
    assert main([*made, "--out", str(tmp_path)]) == 0
    path = tmp_path / "floral-2-half-drop.png"
    assert "seam 0." in capsys.readouterr().out
    assert main(["evaluate", "seam", str(path)]) == 0
    own = capsys.readouterr().out
    assert main(["evaluate", "seam", str(path), "--repeat", "half-drop"]) == 0
    assert capsys.readouterr().out == own
    assert seam_ratio(open_picture(path), "half-drop") <= 1.1


def test_a_recipe_of_before_is_basic() -> None:
    old = GenerateRequest("floral", 1).to_dict()
    del old["repeat"]
    assert GenerateRequest.from_dict(old).repeat == "basic"


def test_a_tile_of_a_half_drop_is_enlarged_as_one(tmp_path: Path) -> None:
    from ml_backend.pipelines.upscale import UpscalePipeline

    large = UpscalePipeline(package_of(None, "srgan-x4-starter"))
    inks = GeneratePipeline(None)(GenerateRequest("floral", 2, size=64, engine="drawn", repeat="half-drop"))
    tile = large(inks.image, tile=True, repeat="half-drop")
    assert tile.size == (256, 256)
    assert seam_ratio(tile, "half-drop") <= 1.1
    assert isinstance(tile, Image.Image)
