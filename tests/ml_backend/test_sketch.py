"""Beginning from a drawn fabric: what is drawn, when, and that each seed's picture can be made again alone."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from ml_backend.colour import name_of_region
from ml_backend.errors import BadInput, BadPackage, Stopped
from ml_backend.packaging import Package
from ml_backend.pipelines.diffusion.residency import Residency
from ml_backend.pipelines.diffusion.settings import SKETCH_STRENGTH, fill_in
from ml_backend.pipelines.restyle.crop import Window, cut
from ml_backend.pipelines.restyle.diffusion import DiffusionRestyle
from ml_backend.pipelines.restyle.sketch import FROM_NOISE, NO_CLOTH, Sketcher
from ml_backend.requests import ImagineRequest, RestyleRequest
from ml_backend.words.choices import sketch_notes
from ml_backend.words.reading import read
from tests.ml_backend.tiny import tiny_inpaint

Painter = Callable[..., DiffusionRestyle]


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def photo() -> Image.Image:
    """Grey cloth in even light on a darker ground."""
    pixels = np.full((160, 120, 3), 60, np.uint8)
    pixels[20:140, 20:100] = 150
    return Image.fromarray(pixels)


@pytest.fixture(scope="module")
def mask() -> np.ndarray:
    mask = np.zeros((160, 120), np.float32)
    mask[20:140, 20:100] = 1
    return mask


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Package]:
    root = tmp_path_factory.mktemp("sketch")
    return {"nine": tiny_inpaint(root / "nine"), "four": tiny_inpaint(root / "four", channels=4)}


@pytest.fixture(scope="module")
def painter(packages: dict[str, Package]) -> Iterator[Painter]:
    resident: Any = Residency()
    yield lambda kind="nine", **options: DiffusionRestyle(packages[kind], resident=resident, **options)
    resident.clear()


def asked(count: int = 1, **options: Any) -> list[RestyleRequest]:
    options = {"prompt": "a red floral dress", "sketch": "fabric", "strength": 0.5, "steps": 4, **options}
    return [RestyleRequest(seed=3 + index, engine="diffusion", **options) for index in range(count)]


def pixels(made: Any) -> np.ndarray:
    return np.asarray(made.image, int)


# -- what is drawn -----------------------------------------------------------------------------------------------------


def sketches(
    photo: Image.Image, mask: np.ndarray, prompt: str, seed: int = 3
) -> tuple[list[Window], list[Image.Image]]:
    windows = cut(photo, mask, 64, 16)
    return windows, Sketcher(photo, mask, windows, prompt)(seed)


@pytest.mark.parametrize("colour", ["red", "green", "black", "yellow"])
def test_it_wears_the_colour_that_is_asked_for(colour: str, photo: Image.Image, mask: np.ndarray) -> None:
    (window,), (drawn,) = sketches(photo, mask, f"a {colour} dress")
    assert drawn.size == window.size
    left, top, right, bottom = window.box
    inside = np.asarray(Image.fromarray(mask[top:bottom, left:right]).resize(window.size)) > 0.99
    assert name_of_region(np.asarray(drawn), inside) == colour


def test_a_pattern_is_drawn_only_where_the_mask_is(photo: Image.Image, mask: np.ndarray) -> None:
    (window,), (drawn,) = sketches(photo, mask, "black and white striped")
    left, top, right, bottom = window.box
    inside = np.asarray(Image.fromarray(mask[top:bottom, left:right]).resize(window.size))
    seen, was = np.asarray(drawn, int), np.asarray(window.picture, int)
    assert np.abs(seen - was)[inside == 0].max() <= 40, "no more than resampling does at the edge"
    assert np.abs(seen - was)[inside == 0].mean() < 2
    assert seen[inside > 0.99].std() > 40


def test_each_seed_has_its_own_design_and_keeps_it(photo: Image.Image, mask: np.ndarray) -> None:
    windows = cut(photo, mask, 64, 16)
    sketcher = Sketcher(photo, mask, windows, "a red floral dress")
    first, second, again = (np.asarray(sketcher(seed)[0], int) for seed in (3, 4, 3))
    assert np.abs(first - second).mean() > 5
    assert np.array_equal(first, again)


def test_a_half_sure_mask_lets_no_old_cloth_through(photo: Image.Image, mask: np.ndarray) -> None:
    _, (sure,) = sketches(photo, mask, "a red dress")
    _, (half,) = sketches(photo, 0.6 * mask, "a red dress")
    assert np.abs(np.asarray(sure, int) - np.asarray(half, int)).mean() < 8


def test_regions_far_apart_are_drawn_in_windows_of_their_own() -> None:
    photo = Image.new("RGB", (1200, 200), "grey")
    mask = np.zeros((200, 1200), np.float32)
    mask[60:140, 40:120] = mask[60:140, 1080:1160] = 1
    windows, drawn = sketches(photo, mask, "a red dress")
    assert len(windows) == len(drawn) == 2
    for window, picture in zip(windows, drawn, strict=True):
        assert picture.size == window.size
        assert name_of_region(np.asarray(picture), np.asarray(window.mask) > 0) in ("red", "grey", "brown")
        middle = np.asarray(picture)[picture.height // 2, picture.width // 2]
        assert middle[0] > 1.5 * middle[1]


def test_large_photos_are_drawn_at_the_models_scale(monkeypatch: pytest.MonkeyPatch) -> None:
    photo, mask = Image.new("RGB", (1500, 2000), "grey"), np.zeros((2000, 1500), np.float32)
    mask[500:1500, 400:1100] = 1
    sketcher = Sketcher(photo, mask, cut(photo, mask, 64, 16), "a red dress")
    assert max(sketcher._photo.size) <= 2 * 96


# -- what the engine makes of it ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["nine", "four"])
def test_it_repaints_the_sketch_and_nothing_else(
    kind: str, painter: Painter, photo: Image.Image, mask: np.ndarray
) -> None:
    (made,) = painter(kind)(photo, mask, asked())
    (plain,) = painter(kind)(photo, mask, asked(sketch="none"))
    (green,) = painter(kind)(photo, mask, asked(prompt="a green floral dress"))
    assert np.array_equal(pixels(made)[mask == 0], np.asarray(photo, int)[mask == 0])
    assert np.abs(pixels(made) - pixels(plain))[mask == 1].mean() > 3
    assert np.abs(pixels(made) - pixels(green))[mask == 1].mean() > 3
    assert made.request.sketch == "fabric"


@pytest.mark.parametrize("kind", ["nine", "four"])
def test_a_picture_is_the_same_alone_and_in_a_batch(
    kind: str, painter: Painter, photo: Image.Image, mask: np.ndarray
) -> None:
    one_by_one = painter(kind)(photo, mask, asked(2))
    together = painter(kind, batch=2)(photo, mask, asked(2))
    (alone,) = painter(kind)(photo, mask, [one_by_one[1].request])
    assert np.array_equal(pixels(alone), pixels(one_by_one[1])), "its recipe makes it again, bit for bit"
    assert np.abs(pixels(alone) - pixels(together[1])).max() <= 2
    assert not np.array_equal(pixels(one_by_one[0]), pixels(one_by_one[1]))


@pytest.mark.parametrize(
    ("options", "why"), [({"prompt": "something nicer"}, NO_CLOTH), ({"strength": 1.0}, FROM_NOISE)]
)
def test_where_there_is_nothing_to_draw_it_says_so(
    options: dict[str, Any], why: str, painter: Painter, photo: Image.Image, mask: np.ndarray
) -> None:
    (made,) = painter()(photo, mask, asked(**options))
    (plain,) = painter()(photo, mask, asked(**{**options, "sketch": "none"}))
    assert (made.request.sketch, made.notes) == ("none", (why,))
    assert np.array_equal(pixels(made), pixels(plain))
    assert plain.notes == ()


def test_what_was_not_drawn_is_told(painter: Painter, photo: Image.Image, mask: np.ndarray) -> None:
    (made,) = painter()(photo, mask, asked(prompt="a long red silk dress with a zip"))
    told = " ".join(made.notes)
    assert "keeps the cut" in told
    assert "“long”" in told
    assert "“silk”" in told


def test_it_stops_and_reports_while_it_draws(painter: Painter, photo: Image.Image, mask: np.ndarray) -> None:
    stages: list[str] = []
    with pytest.raises(Stopped):
        painter()(
            photo, mask, asked(), progress=lambda _, stage: stages.append(stage), should_stop=lambda: bool(stages)
        )
    assert stages == ["Drawing the fabric to begin from"]


def test_notes_of_a_sketch_leave_the_rest_to_the_model() -> None:
    assert sketch_notes(read("a red floral dress"), 1) == ()
    assert sketch_notes(read("a red dress, blorple"), 1) == ("Not drawn, but left to the model: “blorple”.",)
    assert any("No colour was named" in note for note in sketch_notes(read("a floral dress"), 1))


# -- what a package and a request leave open ---------------------------------------------------------------------------


@pytest.fixture
def manifest(packages: dict[str, Package]) -> Iterator[Any]:
    manifest = packages["nine"].manifest
    before = dict(manifest.config)
    yield manifest
    manifest.config.clear()
    manifest.config.update(before)


def test_models_begin_from_noise_unless_their_package_says_otherwise(manifest: Any) -> None:
    (request,) = asked(sketch=None, strength=None)
    assert _begins(request, manifest) == ("none", 1.0)
    manifest.config["defaults"] = {"strength": 0.9, "sketch": "fabric", "sketched": {"strength": 0.3, "size": 128}}
    assert _begins(request, manifest) == ("fabric", 0.3)
    assert _begins(asked(sketch="none", strength=None)[0], manifest) == ("none", 0.9)
    assert _begins(asked(sketch="fabric", strength=0.6)[0], manifest) == ("fabric", 0.6)
    assert [fill_in(asked(sketch=sketch)[0], manifest, 64).size for sketch in ("none", "fabric")] == [64, 128]


def test_a_strength_alone_counts_from_the_old_cloth(manifest: Any) -> None:
    """A recipe from before there were sketches has a strength and no sketch, and makes the same picture."""
    manifest.config["defaults"] = {"sketch": "fabric", "sketched": {"strength": 0.3}}
    assert _begins(asked(sketch=None, strength=0.6)[0], manifest) == ("none", 0.6)


def test_a_sketch_has_a_strength_of_its_own(manifest: Any) -> None:
    assert _begins(asked(strength=None)[0], manifest) == ("fabric", SKETCH_STRENGTH)


@pytest.mark.parametrize("defaults", [{"sketch": "crayon"}, {"sketch": "fabric", "sketched": {"strength": 7}}])
def test_a_packages_unusable_sketch_is_said(defaults: dict[str, Any], manifest: Any) -> None:
    manifest.config["defaults"] = defaults
    with pytest.raises(BadPackage, match="unusable defaults"):
        _begins(asked(sketch=None, strength=None)[0], manifest)


def test_sketched_defaults_that_are_no_settings_are_said(manifest: Any) -> None:
    manifest.config["defaults"] = {"sketched": "yes"}
    with pytest.raises(BadPackage, match="cannot be read"):
        _begins(asked()[0], manifest)


def test_pictures_from_words_alone_begin_from_nothing(manifest: Any) -> None:
    manifest.config["defaults"] = {"size": 128, "sketch": "fabric", "sketched": {"size": 256}}
    assert fill_in(ImagineRequest("a red dress", 1), manifest, 64).size == 128


def test_other_sketches_are_refused() -> None:
    with pytest.raises(BadInput, match="'crayon' is not a sketch; choose one of none, fabric"):
        asked(sketch="crayon")


def _begins(request: RestyleRequest, manifest: Any) -> tuple[str | None, float | None]:
    filled = fill_in(request, manifest, 64)
    return filled.sketch, filled.strength
