"""Making, recolouring, enlarging, liking, publishing and deleting patterns."""

from __future__ import annotations

import io
from dataclasses import dataclass, replace

import numpy as np
import pytest
from django.core.files.storage import default_storage
from django.test import TestCase
from PIL import Image

from ml_backend.errors import BadInput, BadPackage
from ml_backend.images import read_recipe
from ml_backend.inks import compose, fit_palette, inks_from_png
from ml_backend.requests import GenerateRequest
from ml_backend.serving import jobs, loading
from patterns import colours, services
from patterns.models import Favourite, Pattern

pytestmark = pytest.mark.django_db
PALETTE = ("#102040", "#f0e0d0", "#cc3322", "#446633")


def stored(field) -> bytes:
    with default_storage.open(str(field)) as file:
        return file.read()


def image(field) -> Image.Image:
    picture = Image.open(io.BytesIO(stored(field)))
    picture.load()
    return picture


@dataclass
class Tiny:
    """A generating pipeline of two squares, with what it was asked."""

    asked: list[GenerateRequest]

    def __call__(self, request, progress=None, should_stop=None):
        self.asked.append(request)
        if progress:
            progress(0.5, "Dreaming")
        palette = fit_palette(request.palette, 4) if request.palette else PALETTE
        inks = np.zeros((4, request.size, request.size), np.float32)
        inks[0, :, : request.size // 2] = 1
        inks[1, :, request.size // 2 :] = 1

        @dataclass
        class Fabric:
            inks: np.ndarray
            palette: tuple[str, ...]
            image: Image.Image
            request: GenerateRequest
            model: str | None

        model = None if request.engine == "drawn" else "tiny@0123456789ab"
        return Fabric(inks, palette, Image.fromarray(compose(inks, palette)), request, model)


@pytest.fixture
def tiny(monkeypatch) -> Tiny:
    pipeline = Tiny([])
    monkeypatch.setattr(loading, "pipeline", lambda *_: pipeline)
    return pipeline


def test_a_pattern_is_queued_then_made(person, tiny, work_off):
    request = GenerateRequest("plaid", 7, size=128, vary_of=3, vary_amount=0.25)
    pattern = services.ask(person, request)
    assert (pattern.state, pattern.ready, pattern.request) == ("queued", False, request)
    work_off()
    pattern = Pattern.objects.get()
    assert (pattern.state, pattern.ready) == ("done", True)
    assert pattern.model == "tiny@0123456789ab"
    assert tuple(pattern.palette) == PALETTE
    assert pattern.colours == "|white|blue|" or "white" in pattern.colours
    tile = image(pattern.tile)
    assert tile.size == (128, 128)
    recipe = read_recipe(tile)
    assert recipe is not None
    made_with = {"made_with": "Toile"}
    assert recipe == {**made_with, **replace(request, palette=PALETTE, model=pattern.model).to_dict()}
    assert GenerateRequest.from_dict({k: v for k, v in recipe.items() if k not in made_with}) == pattern.request
    assert image(pattern.thumb).size == (256, 256)
    assert inks_from_png(stored(pattern.inks)).shape == (4, 128, 128)


def test_a_drawn_pattern_has_no_model_and_its_own_queue(person, tiny, work_off, settings):
    settings.MODEL_QUEUE = "gpu"
    drawn = services.ask(person, GenerateRequest("dotted", 1, size=64, engine="drawn"))
    dreamed = services.ask(person, GenerateRequest("dotted", 1, size=64))
    assert (drawn.job.queue, dreamed.job.queue) == ("default", "gpu")
    work_off()
    drawn.refresh_from_db()
    assert (drawn.model, drawn.engine, dreamed.engine) == ("", "drawn", "dreamed")


def test_a_failed_pattern_says_so_and_can_be_tried_again(person, tiny, work_off, monkeypatch):
    def missing(*_):
        raise BadPackage("There is no starter model called 'x'.")

    with monkeypatch.context() as broken:
        broken.setattr(loading, "pipeline", missing)
        pattern = services.ask(person, GenerateRequest("dotted", 1, size=64))
        work_off()
    pattern.refresh_from_db()
    assert pattern.state == "failed"
    assert "no starter" in pattern.job.message
    jobs.retry(pattern.job)
    work_off()
    pattern.refresh_from_db()
    assert pattern.state == "done"


def test_a_pattern_deleted_while_it_is_made_leaves_nothing(person, tiny, work_off, monkeypatch):
    pattern = services.ask(person, GenerateRequest("dotted", 1, size=64))
    save = jobs.save

    def delete_then_save(job, folder, name, data):
        Pattern.objects.all().delete()
        return save(job, folder, name, data)

    monkeypatch.setattr(jobs, "save", delete_then_save)
    work_off()
    assert not Pattern.objects.exists()
    assert not default_storage.exists(pattern.folder) or default_storage.listdir(pattern.folder)[1] == []


# --- colourways ---------------------------------------------------------------------------------------------------


def test_a_colourway_is_the_same_inks_in_other_colours(person, other, make_pattern):
    pattern = make_pattern(person, public=True)
    colourway = services.recolour(other, pattern, PALETTE)
    colourway.refresh_from_db()
    assert (colourway.owner, colourway.parent, colourway.public) == (other, pattern, False)
    assert (colourway.state, colourway.job) == ("done", None)
    assert (colourway.seed, colourway.engine) == (pattern.seed, pattern.engine)
    wanted = compose(inks_from_png(stored(pattern.inks)), PALETTE)
    assert np.array_equal(np.asarray(image(colourway.tile)), wanted)
    recipe = read_recipe(image(colourway.tile))
    assert recipe is not None
    assert recipe["palette"] == list(PALETTE)
    assert str(pattern.pk) not in str(recipe), "a file that is passed on does not say what else somebody has"
    with TestCase.captureOnCommitCallbacks(execute=True):
        pattern.delete()
    colourway.refresh_from_db()
    assert colourway.parent is None
    assert stored(colourway.inks), "a colourway keeps its own inks"


def test_two_colours_are_enough_and_nonsense_is_refused(person, make_pattern):
    pattern = make_pattern(person)
    assert len(services.recolour(person, pattern, ["#000000", "#ffffff"]).palette) == 4
    for palette in ([], ["#000000"], ["red", "blue"]):
        with pytest.raises(BadInput):
            services.recolour(person, pattern, palette)
    with pytest.raises(BadInput, match="still being made"):
        services.recolour(person, Pattern(owner=person), PALETTE)


# --- print size ---------------------------------------------------------------------------------------------------


def test_the_large_tile_is_made_once(person, make_pattern, tiny, work_off):
    pattern = make_pattern(person)
    job = services.ask_large(pattern, 512)
    assert job is not None
    assert services.ask_large(pattern, 512) == job, "the one under way"
    assert pattern.large_url == ""
    work_off()
    pattern.refresh_from_db()
    assert services.ask_large(pattern) is None
    large = image(pattern.large)
    assert large.size == (512, 512)
    recipe = read_recipe(large)
    assert recipe is not None
    assert (recipe["size"], recipe["seed"]) == (512, pattern.seed)
    assert tiny.asked[0] == replace(pattern.request, size=512)


def test_a_large_tile_waits_for_its_pattern(person, tiny, work_off):
    pattern = services.ask(person, GenerateRequest("dotted", 1, size=64, engine="drawn"))
    services.ask_large(pattern, 256)
    assert work_off() == 2
    pattern.refresh_from_db()
    assert image(pattern.large).size == (256, 256)


def test_when_its_model_is_gone_the_stored_inks_are_enlarged(person, make_pattern, work_off, monkeypatch):
    def gone(*_):
        raise BadPackage("gone")

    monkeypatch.setattr(loading, "pipeline", gone)
    pattern = make_pattern(person, engine="dreamed", model="old@aaaaaaaaaaaa")
    services.ask_large(pattern, 256)
    work_off()
    pattern.refresh_from_db()
    large = image(pattern.large)
    assert large.size == (256, 256)
    small = np.asarray(large.resize((64, 64), Image.Resampling.BOX), np.float32)
    tile = np.asarray(image(pattern.tile), np.float32)
    assert np.corrcoef(small.ravel(), tile.ravel())[0, 1] > 0.9, "the same design"


# --- the gallery --------------------------------------------------------------------------------------------------


def test_who_sees_what(person, other, make_pattern):
    from django.contrib.auth.models import AnonymousUser

    private, public = make_pattern(person), make_pattern(person, public=True)
    unmade = Pattern.objects.create(owner=person, pattern_type="plaid", seed=1, engine="drawn", public=True)
    assert set(Pattern.objects.visible_to(person)) == {private, public, unmade}
    assert set(Pattern.objects.visible_to(other)) == {public}
    assert set(Pattern.objects.visible_to(AnonymousUser())) == {public}
    assert set(Pattern.objects.public()) == {public}
    assert not Pattern.objects.of(AnonymousUser()).exists()


def test_publishing_is_a_choice_for_finished_patterns(person, make_pattern):
    pattern = make_pattern(person)
    assert not pattern.public
    pattern.publish(True)
    pattern.refresh_from_db()
    assert pattern.public
    pattern.publish(False)
    pattern.refresh_from_db()
    assert not pattern.public
    with pytest.raises(BadInput):
        Pattern(owner=person).publish(True)


def test_a_favourite_is_one_favourite(person, make_pattern):
    pattern = make_pattern(person)
    for _ in range(2):
        services.favourite(person, pattern, on=True)
    assert Favourite.objects.count() == 1
    for _ in range(2):
        services.favourite(person, pattern, on=False)
    assert not Favourite.objects.exists()


def test_deleting_deletes_files_after_commit_and_cancels_work(person, make_pattern):
    pattern = make_pattern(person)
    job = services.ask_large(pattern)
    keys = [str(getattr(pattern, name)) for name in ("inks", "tile", "thumb")]
    with TestCase.captureOnCommitCallbacks(execute=True):
        pattern.delete()
        assert all(default_storage.exists(key) for key in keys), "a rollback must find them"
    assert not any(default_storage.exists(key) for key in keys)
    job.refresh_from_db()
    assert job.state == "cancelled"


@pytest.mark.parametrize(
    ("colour", "bucket"),
    [
        *((swatch, name) for name, swatch in colours.BUCKETS.items()),
        ("#ffffff", "white"),
        ("#000000", "black"),
        ("#808080", "grey"),
        ("#f7c6d0", "pink"),
        ("#00ff00", "green"),
        ("#20305a", "blue"),
        ("#9c2a2e", "red"),
        ("#fdf8ee", "white"),
        ("#3f2a1c", "brown"),
    ],
)
def test_colours_have_plain_names(colour, bucket):
    assert colours.bucket_of(colour) == bucket


def test_a_fabric_is_known_by_what_covers_it(person, make_pattern):
    assert colours.colours_of(["#ffffff", "#20305a", "#b3262e"], [0.7, 0.25, 0.05]) == "|blue|white|"
    spread = [(1 / 12, swatch) for swatch in colours.BUCKETS.values()]
    assert colours.colours_of([c for _, c in spread], [s for s, _ in spread]) != "||"
    blue = make_pattern(person, palette=["#20305a", "#34599c", "#27509b", "#1c2f52"])
    make_pattern(person, palette=["#b3262e", "#9c2a2e", "#c8322b", "#a5382f"])
    assert list(Pattern.objects.coloured("blue")) == [blue]
