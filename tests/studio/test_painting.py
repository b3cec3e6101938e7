"""Masks, restyles and imaginings: what may be asked, how it arrives, and what happens when something goes wrong."""

from __future__ import annotations

import io
import uuid

import numpy as np
import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import TestCase
from django.urls import reverse
from PIL import Image

from ml_backend.errors import BadInput
from ml_backend.images import read_recipe
from ml_backend.models import Job, ScratchFile
from ml_backend.requests import MAX_SEED, ImagineRequest, RestyleRequest, TextMaskRequest
from ml_backend.serving import jobs, loading, registry, safety
from studio import painting
from studio.batches import prompts_of
from studio.imagine.models import Imagining
from studio.imagine.services import ask_imagine
from studio.looks.services import ask_look
from studio.photos.models import Mask
from studio.photos.services import add_mask, photo_of
from studio.restyle.jobs import NO_MASK
from studio.restyle.models import Restyle
from studio.restyle.services import ask_mask, ask_restyle

from .needle import MODEL, Finder, Needle
from .painters import Painter

pytestmark = pytest.mark.django_db

SIZE = (120, 160)
"""Of the photos that ``make_photo`` makes."""


@pytest.fixture
def needle(monkeypatch) -> Needle:
    """Does the work of all pipelines from words; ``needle.loaded`` lists what was loaded."""
    needle, finder, painter = Needle(), Finder(), Painter()
    stand_ins = {
        "text-mask": finder,
        "restyle-fabric": needle,
        "restyle-diffusion": needle,
        "imagine-fabric": painter,
        "imagine-diffusion": painter,
    }
    needle.loaded = []
    needle.painter = painter

    def pipeline(name, model=None):
        needle.loaded.append((name, model))
        return stand_ins[name]

    monkeypatch.setattr(loading, "pipeline", pipeline)
    monkeypatch.setattr(registry, "reference", lambda capability: f"{capability}@0123456789ab")
    return needle


@pytest.fixture
def photo(person, make_photo):
    return make_photo(person)


@pytest.fixture
def drawn(person, photo) -> Mask:
    mask = Mask(owner=person, photo=photo, origin=Mask.Origin.BRUSH)
    mask.file = default_storage.save(f"{mask.folder}/mask.png", png(square()))
    mask.save()
    return mask


def square(size=SIZE, mode="L") -> Image.Image:
    """White in the middle."""
    image = Image.new("L", size)
    image.paste(255, (size[0] // 4, size[1] // 4, size[0] * 3 // 4, size[1] * 3 // 4))
    return image.convert(mode)


def png(image: Image.Image, format="PNG", **options) -> SimpleUploadedFile:
    target = io.BytesIO()
    image.save(target, format, **options)
    return SimpleUploadedFile("mask.png", target.getvalue())


def stored(field) -> Image.Image:
    with default_storage.open(str(field)) as file:
        image = Image.open(io.BytesIO(file.read()))
    image.load()
    return image


def files() -> int:
    return sum(len(names) for folder in ("masks", "restyles", "imaginings") for names in walk(folder))


def walk(folder: str):
    try:
        folders, names = default_storage.listdir(folder)
    except FileNotFoundError:
        return
    yield names
    for name in folders:
        yield from walk(f"{folder}/{name}")


def fresh(rows):
    return list(type(rows[0]).objects.filter(batch=rows[0].batch).order_by("number"))


def states(rows) -> list[str]:
    return [row.state for row in fresh(rows)]


def ask(person, photo, mask, count=3, seed=7, **params) -> list[Restyle]:
    return ask_restyle(person, photo, mask, RestyleRequest("a red dress", seed, **params), count)


# --- masks by words -----------------------------------------------------------------------------------------------


def test_words_are_found(person, photo, needle, work_off):
    mask = ask_mask(person, photo, TextMaskRequest("the dress", feather=1.0))
    assert (mask.state, mask.file_url, mask.origin, mask.words) == ("queued", "", "words", "the dress")
    work_off()
    mask.refresh_from_db()
    assert mask.state == "done"
    image = stored(mask.file)
    assert (image.format, image.mode, image.size) == ("PNG", "L", SIZE)
    assert image.getextrema() == (0, 230)
    assert mask.found == [{"text": "the dress", "subtract": False, "confidence": 0.93}]
    assert mask.request == TextMaskRequest("the dress", feather=1.0, model="text-mask@0123456789ab")


def test_words_that_are_not_there_are_said(person, photo, needle, work_off):
    mask = ask_mask(person, photo, TextMaskRequest("the unicorn"))
    work_off()
    mask.refresh_from_db()
    assert mask.state == "failed"
    assert "could not find “the unicorn”" in mask.job.message
    assert files() == 0


def test_words_that_are_not_known_are_said_to_be_unknown(person, photo, needle, work_off):
    mask = ask_mask(person, photo, TextMaskRequest("a banana"))
    work_off()
    mask.refresh_from_db()
    assert mask.state == "failed"
    assert "We do not know “a banana”" in mask.job.message
    assert files() == 0


def test_the_search_is_told_what_the_segmentation_saw(person, photo, needle, work_off):
    ask_mask(person, photo, TextMaskRequest("the dress"))
    work_off()
    mask, labels = Finder.seen
    assert (mask.shape, labels.shape) == ((SIZE[1], SIZE[0]), (SIZE[1], SIZE[0]))
    assert set(np.unique(labels[mask > 0.5])) == {4}


def test_a_mask_deleted_while_it_is_sought_leaves_nothing(person, photo, needle, work_off):
    mask = ask_mask(person, photo, TextMaskRequest("the dress"))
    job = mask.job
    mask.delete()
    work_off()
    job.refresh_from_db()
    assert job.state == "cancelled"
    assert files() == 0


def test_nobody_marks_another_persons_photo(other, photo, drawn):
    for forbidden in (
        lambda: ask_mask(other, photo, TextMaskRequest("the dress")),
        lambda: add_mask(other, photo, png(square())),
        lambda: ask(other, photo, drawn),
    ):
        with pytest.raises(BadInput, match="photo is not there"):
            forbidden()
    assert Mask.objects.count() == 1


# --- drawn masks --------------------------------------------------------------------------------------------------


def transparent(colour) -> Image.Image:
    image = Image.new("RGBA", SIZE, (*colour, 0))
    image.paste((*colour, 255), (30, 40, 90, 120))
    return image


def sixteen_bits() -> Image.Image:
    return Image.fromarray(np.asarray(square()).astype(np.uint16) * 257)


def palette() -> Image.Image:
    return square(mode="RGB").quantize(4)


@pytest.mark.parametrize(
    "drawing",
    [
        pytest.param(square, id="grey"),
        pytest.param(lambda: square(mode="1"), id="one bit"),
        pytest.param(lambda: square(mode="RGB"), id="colour"),
        pytest.param(lambda: square(mode="LA"), id="grey, opaque"),
        pytest.param(lambda: transparent((255, 255, 255)), id="white on nothing"),
        pytest.param(lambda: transparent((0, 0, 0)), id="black on nothing"),
        pytest.param(sixteen_bits, id="sixteen bits"),
        pytest.param(palette, id="palette"),
        pytest.param(lambda: square((240, 320)), id="twice the size"),
        pytest.param(lambda: square((12, 16)), id="tiny"),
    ],
)
def test_a_mask_may_be_drawn_anyhow(person, photo, drawing):
    mask = add_mask(person, photo, png(drawing()))
    assert (mask.state, mask.origin, mask.request) == ("done", "brush", None)
    image = stored(mask.file)
    assert (image.format, image.mode, image.size) == ("PNG", "L", SIZE)
    pixels = np.asarray(image)
    assert pixels[60:100, 45:75].min() > 250
    assert pixels[:20].max() < 5
    assert pixels[-20:].max() < 5


def test_a_mask_saved_by_a_turned_camera_marks_the_right_place(person, photo):
    upright = Image.new("L", SIZE)
    upright.paste(255, (0, 0, 120, 40))
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = upright.transpose(Image.Transpose.ROTATE_90)
    mask = add_mask(person, photo, png(turned, "JPEG", quality=95, exif=exif))
    pixels = np.asarray(stored(mask.file))
    assert pixels.shape == SIZE[::-1]
    assert pixels[5:35].min() > 240
    assert pixels[60:].max() < 15


@pytest.mark.parametrize(
    ("upload", "sentence"),
    [
        (lambda: png(Image.new("L", SIZE)), "Nothing is marked"),
        (lambda: png(Image.new("RGBA", SIZE)), "Nothing is marked"),
        (lambda: png(square((160, 120))), "belong to another picture"),
        (lambda: png(square((4, 5))), "at least 8 pixels"),
        (lambda: SimpleUploadedFile("m.png", b""), "empty"),
        (lambda: SimpleUploadedFile("m.png", b"<svg onload='x'/>"), "an SVG drawing"),
        (lambda: SimpleUploadedFile("m.png", png(square()).read()[:-60]), "damaged"),
        (lambda: png(Image.new("1", (12_000, 16_000), 1)), "megapixels"),
    ],
)
def test_a_mask_that_is_none_is_refused_and_nothing_kept(person, photo, upload, sentence):
    with pytest.raises(BadInput, match=sentence):
        add_mask(person, photo, upload())
    assert not Mask.objects.exists()
    assert files() == 0


def test_a_mask_too_large_to_send_is_not_even_read(person, photo, settings):
    settings.MAX_UPLOAD_BYTES = 10
    with pytest.raises(BadInput, match="larger than"):
        add_mask(person, photo, png(square()))


# --- asking for pictures ------------------------------------------------------------------------------------------


def test_a_batch_has_a_seed_for_each_picture_and_one_job(person, photo, drawn):
    rows = ask(person, photo, drawn, 3, MAX_SEED - 1)
    assert [row.seed for row in rows] == [MAX_SEED - 1, MAX_SEED, 0]
    assert [row.number for row in fresh(rows)] == [0, 1, 2]
    assert len({(row.batch, row.job_id, row.created_at) for row in rows}) == 1
    assert states(rows) == ["queued"] * 3


@pytest.mark.parametrize("count", [0, -1, 9])
def test_counts_are_limited(person, photo, drawn, count):
    with pytest.raises(BadInput, match="Between 1 and 8"):
        ask(person, photo, drawn, count)
    with pytest.raises(BadInput, match="Between 1 and 8"):
        ask_imagine(person, ImagineRequest("a red dress", 1), count)
    assert not Job.objects.exists()


def test_a_mask_belongs_to_its_photo(person, other, make_photo, photo, drawn):
    with pytest.raises(BadInput, match="another photo"):
        ask(person, make_photo(person), drawn)
    theirs = add_mask(other, make_photo(other), png(square()))
    with pytest.raises(BadInput, match="another photo"):
        ask(person, photo, theirs)


def test_above_the_cap_nothing_is_kept(person, photo, drawn, settings):
    settings.MAX_ACTIVE_JOBS = 0
    for asked in (
        lambda: ask(person, photo, drawn),
        lambda: ask_mask(person, photo, TextMaskRequest("the dress")),
        lambda: ask_imagine(person, ImagineRequest("a red dress", 1), 2),
    ):
        with pytest.raises(jobs.TooManyJobs):
            asked()
    assert not Restyle.objects.exists()
    assert not Imagining.objects.exists()
    assert Mask.objects.count() == 1


def test_pictures_wait_for_their_mask(person, photo, needle, work_off):
    mask = ask_mask(person, photo, TextMaskRequest("the dress"))
    rows = ask(person, photo, mask, 2)
    assert jobs.claim(jobs.QUEUES).job == mask.job
    Job.objects.filter(pk=mask.job_id).update(state="queued", lease=None)
    assert work_off() == 2
    assert states(rows) == ["done", "done"]
    assert fresh(rows)[0].recipe["mask"]["prompt"] == "the dress"


def test_pictures_of_a_mask_that_is_not_found_fail_with_it(person, photo, needle, work_off):
    mask = ask_mask(person, photo, TextMaskRequest("the unicorn"))
    rows = ask(person, photo, mask, 2)
    work_off()
    assert states(rows) == ["failed", "failed"]
    assert fresh(rows)[0].job.message == jobs.NEEDED_FAILED
    mask = Mask.objects.get(pk=mask.pk)
    with pytest.raises(BadInput):
        ask(person, photo, mask)


# --- restyles -----------------------------------------------------------------------------------------------------


def test_restyles_are_made_with_their_recipe(person, photo, drawn, needle, work_off):
    rows = ask(person, photo, drawn, 2, negative_prompt="stripes", engine="diffusion")
    work_off()
    before = np.asarray(stored(photo.image).convert("RGB"))
    outside = np.asarray(stored(drawn.file)) == 0
    for row in fresh(rows):
        assert (row.state, row.width, row.height) == ("done", *SIZE)
        image = stored(row.file)
        after = np.asarray(image)
        assert (image.format, after.shape) == ("PNG", before.shape)
        assert np.array_equal(before[outside], after[outside])
        assert (after[80, 60] == row.seed).all()
        recipe = read_recipe(image)
        assert recipe == row.recipe
        assert recipe["restyle"] == {**row.params, "model": MODEL}
        assert recipe["mask"] == {"origin": "brush"}
        for secret in (photo.pk, drawn.pk, person.pk, person.username):
            assert f'"{secret}"' not in str(recipe).replace("'", '"'), "a file passed on does not say whose it was"
        assert row.notes == ["The cut could not be changed."]
        thumb = stored(row.thumb)
        assert (thumb.format, thumb.size) == ("WEBP", SIZE)
    assert needle.loaded == [("restyle-diffusion", None)]
    assert not ScratchFile.objects.exists()


def test_the_model_of_a_recipe_is_asked_for(person, photo, drawn, needle, work_off, monkeypatch):
    monkeypatch.setattr(registry, "offered", lambda capability: [registry.Offer(MODEL, "needle", True)])
    ask(person, photo, drawn, 1, model=MODEL)
    work_off()
    assert needle.loaded == [("restyle-fabric", MODEL)]


def test_variations_arrive_one_by_one(person, photo, drawn, needle, work_off):
    rows = ask(person, photo, drawn)
    seen = []
    needle.before = lambda number: seen.append(states(rows))
    work_off()
    assert seen == [["running"] * 3, ["done", "running", "running"], ["done", "done", "running"]]
    assert states(rows) == ["done"] * 3


def test_a_pipeline_that_hands_all_over_at_the_end_will_do(person, photo, drawn, needle, work_off):
    needle.one_by_one = False
    rows = ask(person, photo, drawn)
    work_off()
    assert states(rows) == ["done"] * 3


def test_a_restyle_whose_mask_is_gone_is_not_tried_again(person, photo, needle, work_off):
    mask = ask_mask(person, photo, TextMaskRequest("the skirt"))
    rows = ask_restyle(person, photo, mask, RestyleRequest("small blue dots", seed=7), 1)
    mask.delete()
    job = Job.objects.get(pk=rows[0].job_id)
    assert job.state == "failed"
    with pytest.raises(BadInput, match="mask of this picture is gone"):
        jobs.retry(job)
    assert work_off() == 0
    assert not Job.objects.filter(state="queued").exists()


def test_cancelled_in_the_middle_keeps_what_is_made_and_a_retry_makes_the_rest(person, photo, drawn, needle, work_off):
    rows = ask(person, photo, drawn)
    needle.before = lambda number: number == 1 and jobs.cancel(Job.objects.get(pk=rows[0].job_id))
    work_off()
    assert states(rows) == ["done", "cancelled", "cancelled"]
    first = fresh(rows)[0].file.name
    needle.before = lambda number: None
    assert jobs.retry(fresh(rows)[0].job)
    assert states(rows) == ["done", "queued", "queued"]
    work_off()
    assert states(rows) == ["done"] * 3
    assert fresh(rows)[0].file.name == first
    assert needle.asked == [7, 8, 9], "nothing was made twice"
    assert files() == 1 + 3 * 2


def test_what_a_dead_worker_had_published_before_its_end_is_enough(person, photo, drawn, needle, work_off):
    rows = ask(person, photo, drawn, 2)
    work_off()
    Job.objects.filter(pk=rows[0].job_id).update(state="queued")
    work_off()
    assert Job.objects.get(pk=rows[0].job_id).state == "done"
    assert needle.asked == [7, 8]


def test_a_full_disk_keeps_what_is_made_and_the_rest_waits(person, photo, drawn, needle, work_off, monkeypatch):
    rows = ask(person, photo, drawn)
    save = default_storage.save
    full = [False]

    def limited(name, content, **options):
        if full[0]:
            raise OSError(28, "No space left on device")
        return save(name, content, **options)

    monkeypatch.setattr(default_storage, "save", limited)
    needle.before = lambda number: full.__setitem__(0, number == 2)
    work_off()
    assert states(rows) == ["done", "done", "queued"]
    job = fresh(rows)[2].job
    assert job.message == "The store of pictures does not answer."
    full[0], needle.before = False, lambda number: None
    Job.objects.update(not_before=None)
    work_off()
    assert states(rows) == ["done"] * 3
    assert needle.asked == [7, 8, 9, 9]


def test_a_store_that_cannot_be_reached_is_said_and_waited_for(person, photo, drawn, needle, work_off, monkeypatch):
    rows = ask(person, photo, drawn, 2)

    def unreachable(*args, **options):
        raise ConnectionError("the store is away")

    with monkeypatch.context() as away:
        away.setattr(default_storage, "open", unreachable)
        work_off()
    assert states(rows) == ["queued", "queued"]
    assert fresh(rows)[0].job.why_waiting == "The store of pictures does not answer; trying again in 5 s."
    Job.objects.update(not_before=None)
    work_off()
    assert states(rows) == ["done", "done"]


def test_fewer_pictures_than_asked_for_is_a_failure_that_can_be_retried(person, photo, drawn, needle, work_off):
    needle.forgets = 1
    rows = ask(person, photo, drawn)
    work_off()
    assert states(rows) == ["done", "done", "failed"]
    assert fresh(rows)[0].job.message == painting.UNPAINTED
    needle.forgets = 0
    jobs.retry(fresh(rows)[0].job)
    work_off()
    assert states(rows) == ["done"] * 3


def test_a_refused_picture_says_so_and_has_no_file(person, photo, drawn, needle, work_off):
    needle.refuses = {8}
    rows = ask(person, photo, drawn)
    work_off()
    assert states(rows) == ["done", "refused", "done"]
    refused = fresh(rows)[1]
    assert "not shown" in refused.refused
    assert (refused.file_url, refused.thumb_url) == ("", "")
    with pytest.raises(BadInput, match="still being made"):
        refused.publish(True)


def test_one_deleted_while_the_batch_is_made_does_not_stop_the_others(person, photo, drawn, needle, work_off):
    rows = ask(person, photo, drawn)
    needle.before = lambda number: number == 1 and rows[1].delete()
    with TestCase.captureOnCommitCallbacks(execute=True):
        work_off()
    assert states(rows) == ["done", "done"]
    assert files() == 1 + 2 * 2


def test_all_deleted_while_they_wait_stops_the_work(person, photo, drawn, needle, work_off):
    rows = ask(person, photo, drawn, 2)
    job = rows[0].job
    rows[0].delete()
    job.refresh_from_db()
    assert job.state == "queued", "one is still wanted"
    rows[1].delete()
    job.refresh_from_db()
    assert job.state == "cancelled"


def test_a_mask_that_is_gone_is_said(person, photo, drawn, needle, work_off):
    rows = ask(person, photo, drawn)
    drawn.delete()
    work_off()
    assert states(rows) == ["failed"] * 3
    assert fresh(rows)[0].job.message == NO_MASK


def test_deleting_the_photo_deletes_everything_made_from_it(person, photo, drawn, needle, work_off):
    ask(person, photo, drawn)
    work_off()
    ask(person, photo, drawn)
    with TestCase.captureOnCommitCallbacks(execute=True):
        photo.delete()
    assert not Restyle.objects.exists()
    assert not Mask.objects.exists()
    assert files() == 0
    assert work_off() == 0


# --- imaginings ---------------------------------------------------------------------------------------------------


def test_imaginings_are_made_with_their_recipe(person, needle, work_off, monkeypatch):
    monkeypatch.setattr(registry, "loras", lambda capability, person=None: ("linen",))
    rows = ask_imagine(person, ImagineRequest("a red dress", 5, loras=("linen:0.5",)), 2)
    work_off()
    for row in fresh(rows):
        image = stored(row.file)
        assert (row.state, image.size) == ("done", (row.width, row.height))
        assert read_recipe(image) == row.recipe
        assert row.recipe["imagine"]["loras"] == ["linen:0.5"]
        assert row.recipe["imagine"]["steps"] == 12, "what was used, not what was left open"
        assert row.params["steps"] is None
    assert [request.seed for request in needle.painter.asked] == [5, 6]


def test_a_crash_in_the_middle_keeps_what_is_made(person, needle, work_off, caplog):
    rows = ask_imagine(person, ImagineRequest("a red dress", 5), 3)

    def crash():
        raise RuntimeError("/secret/path")

    needle.painter.after_each = crash
    work_off()
    assert states(rows) == ["done", "failed", "failed"]
    assert fresh(rows)[1].job.message == jobs.BROKE
    assert "/secret/path" in caplog.text
    needle.painter.after_each = lambda: None
    jobs.retry(fresh(rows)[1].job)
    work_off()
    assert states(rows) == ["done"] * 3


# --- previews -----------------------------------------------------------------------------------------------------


def test_the_picture_in_work_is_its_owners_to_see(person, other, staff, photo, drawn, needle, work_off, client_of):
    rows = ask(person, photo, drawn, 2)
    url = reverse("job-preview", args=[rows[0].job_id])
    owner, strangers = client_of(person), [client_of(user) for user in (other, staff, None)]
    seen = []

    def look(number):
        answers = [visitor.get(url) for visitor in (owner, *strangers)]
        seen.append([answer.status_code for answer in answers])
        if number:
            image = Image.open(io.BytesIO(answers[0].content))
            seen.append((image.format, answers[0].headers["Content-Type"], answers[0].headers["Cache-Control"]))
            seen.append(Job.objects.get(pk=rows[0].job_id).shown)

    needle.before = look
    work_off()
    assert seen == [[204, 404, 404, 404], [200, 404, 404, 404], ("WEBP", "image/webp", "private, no-store"), 1]
    assert owner.get(url).status_code == 204, "gone with the end of the work"


def test_previews_fit_into_the_row(person, photo, drawn, needle, work_off, monkeypatch):
    from studio import pictures

    noise = np.random.default_rng(0).integers(0, 255, (900, 1400, 3), np.uint8)
    data = pictures.small(Image.fromarray(noise), jobs.MAX_PREVIEW)
    assert len(data) <= jobs.MAX_PREVIEW
    assert Image.open(io.BytesIO(data)).width >= 100


# --- the safety check ---------------------------------------------------------------------------------------------


def careful(picture: Image.Image, prompt: str) -> str:
    """Refuses what is painted in grey 8, and breaks on black."""
    value = picture.getpixel((60, 80))[0]
    if value == 0:
        raise RuntimeError("the check broke")
    return "This picture is too grey to be shown." if value == 8 else ""


@pytest.fixture
def checked(settings):
    settings.SAFETY_CHECKER = f"{__name__}.careful"


def test_the_sites_own_check_refuses_in_words(person, photo, drawn, needle, work_off, checked):
    rows = ask(person, photo, drawn)
    shown = []
    needle.before = lambda number: shown.append(Job.objects.get(pk=rows[0].job_id).shown)
    work_off()
    assert states(rows) == ["done", "refused", "done"]
    assert fresh(rows)[1].refused == "This picture is too grey to be shown."
    assert shown == [0, 0, 0], "nothing unchecked is shown, previews neither"


@pytest.mark.parametrize("path", [f"{__name__}.careful", "no.such.module.check", f"{__name__}.files"])
def test_a_check_that_breaks_lets_nothing_through(person, photo, drawn, needle, work_off, settings, caplog, path):
    settings.SAFETY_CHECKER = path
    rows = ask(person, photo, drawn, 1, seed=0)
    work_off()
    assert states(rows) == ["failed"]
    assert fresh(rows)[0].job.message == safety.UNCHECKED
    assert files() == 1
    assert "safety checker" in caplog.text


# --- words of before ----------------------------------------------------------------------------------------------


def test_prompts_are_remembered_newest_first_each_once(person, other, photo, drawn):
    for words in ("a red dress", "a blue dress", "a red dress"):
        ask_restyle(person, photo, drawn, RestyleRequest(words, 1), 2)
    ask_mask(person, photo, TextMaskRequest("the skirt"))
    ask_imagine(other, ImagineRequest("a hat", 1))
    assert prompts_of(person, Restyle) == ["a red dress", "a blue dress"]
    assert prompts_of(person, Restyle, 1) == ["a red dress"]
    assert prompts_of(person, Imagining) == []
    assert prompts_of(other, Imagining) == ["a hat"]


def test_a_visitor_has_no_history():
    from django.contrib.auth.models import AnonymousUser

    assert prompts_of(AnonymousUser(), Imagining) == []


# --- a picture as a photo -----------------------------------------------------------------------------------------


@pytest.fixture
def made(person, photo, drawn, needle, work_off):
    """One finished picture of each kind: ``made("restyle")``."""

    def make(kind: str):
        if kind == "restyle":
            row = ask(person, photo, drawn, 1)[0]
        else:
            row = ask_imagine(person, ImagineRequest("a red dress", 5))[0]
        work_off()
        row.refresh_from_db()
        return row

    return make


@pytest.mark.parametrize("kind", ["restyle", "imagining"])
def test_a_picture_becomes_a_photo_of_ones_own(person, made, kind):
    source = made(kind)
    photo = photo_of(person, source)
    assert (photo.width, photo.height, photo.state) == (source.width, source.height, "queued")
    assert photo.job.kind == "segment"
    assert stored(photo.image).tobytes() == stored(source.file).tobytes()
    assert stored(photo.thumb).format == "WEBP"
    assert photo.url_of("image")
    assert photo_of(person, source) == photo, "asked twice it is one photo"
    source.delete()
    assert default_storage.exists(str(photo.image)), "it does not go with the picture it came from"


def test_a_look_and_a_garment_become_photos(person, make_pattern, make_photo, make_garment, work_off):
    from ml_backend.requests import OverlayRequest

    look = ask_look(person, make_pattern(person), make_photo(person), OverlayRequest(), "jpeg")
    with pytest.raises(BadInput, match="still being made"):
        photo_of(person, look)
    work_off()
    look.refresh_from_db()
    photo = photo_of(person, look)
    assert str(photo.image).endswith(".jpg")
    garment = photo_of(person, make_garment("skirt"))
    assert (garment.width, garment.height) == SIZE
    assert garment != photo


def test_only_what_one_may_see_becomes_a_photo(other, made):
    source = made("imagining")
    with pytest.raises(BadInput, match="not there any more"):
        photo_of(other, source)
    source.publish(True)
    assert photo_of(other, source).owner == other


def test_above_the_cap_a_copied_photo_leaves_nothing(person, made, settings):
    from studio.photos.models import Photo

    source, before = made("imagining"), Photo.objects.count()
    settings.MAX_ACTIVE_JOBS = 0
    with pytest.raises(jobs.TooManyJobs):
        photo_of(person, source)
    assert Photo.objects.count() == before


# --- who sees the files -------------------------------------------------------------------------------------------


@pytest.fixture
def strangers(other, staff, make_person, client_of):
    """Another member, a guest, an admin, a visitor."""
    return [client_of(user) for user in (other, make_person("guest-1", is_guest=True), staff, None)]


@pytest.mark.parametrize("kind", ["restyle", "imagining"])
def test_files_are_the_owners_until_published(person, made, client_of, strangers, kind):
    row = made(kind)
    row.publish(True)
    for name in row.file_fields:
        url = reverse(f"{kind}-file", args=[row.pk, name])
        assert [visitor.get(url).status_code for visitor in strangers] == [200] * 4
    row.publish(False)
    for name in row.file_fields:
        url = reverse(f"{kind}-file", args=[row.pk, name])
        assert [visitor.get(url).status_code for visitor in strangers] == [404] * 4
        assert client_of(person).get(url).status_code == 200
    saved = client_of(person).get(row.file_url + "?download")
    name = "restyle" if kind == "restyle" else "imagine"
    assert f'filename="toile-{name}-{row.seed}.png"' in saved.headers["Content-Disposition"]
    assert client_of(person).get(reverse(f"{kind}-file", args=[row.pk, "recipe"])).status_code == 404
    assert client_of(person).get(reverse(f"{kind}-file", args=[uuid.uuid4(), "file"])).status_code == 404


def test_a_mask_is_never_anybody_elses(person, drawn, made, client_of, strangers, settings):
    made("restyle").publish(True)
    settings.S3_BUCKET = "bucket"  # even then it comes from here: the brush reads its pixels
    answer = client_of(person).get(drawn.file_url)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "image/png")
    assert [visitor.get(drawn.file_url).status_code for visitor in strangers] == [404] * 4
