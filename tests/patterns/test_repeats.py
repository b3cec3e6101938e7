"""A fabric for another repeat: made once, found again, mended where it cannot be made."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest
import resvg_py
from django.core.files.storage import default_storage
from PIL import Image

from ml_backend.errors import BadInput
from ml_backend.evaluation.seam import seam_ratio
from ml_backend.images import read_recipe
from ml_backend.inks import inks_to_png
from ml_backend.lattices import LATTICES
from ml_backend.models import Job
from ml_backend.printing import painting
from ml_backend.requests import GenerateRequest
from ml_backend.swatches.drawing.tile import draw_inks
from patterns import cutting, repeats, services
from patterns.models import Pattern
from patterns.templatetags.cloth import laid

pytestmark = pytest.mark.django_db


def tile_of(pattern):
    with default_storage.open(str(pattern.tile)) as file:
        return Image.open(io.BytesIO(file.read()))


@pytest.fixture
def drawn(person, work_off, committed):
    with committed():
        fabric = services.ask(person, GenerateRequest("floral", 2, size=128, engine="drawn"))
    work_off()
    fabric.refresh_from_db()
    assert fabric.ready
    return fabric


@pytest.fixture
def lost(person, make_pattern):
    """A dreamed fabric whose model is gone, with inks that are chopped in a half drop."""
    fabric = make_pattern(person, engine="dreamed", model="gone@000000000000", seed=2)
    key = f"{fabric.folder}/lost-inks.png"
    default_storage.save(key, io.BytesIO(inks_to_png(draw_inks("floral", 2, 128, inks=len(fabric.palette)))))
    Pattern.objects.filter(pk=fabric.pk).update(inks=key, size=128)
    fabric.refresh_from_db()
    return fabric


def test_a_half_drop_of_a_fabric_is_its_child_and_made_once(person, drawn, work_off):
    half = repeats.in_repeat(person, drawn, "half-drop")
    assert repeats.in_repeat(person, drawn, "half-drop").pk == half.pk  # while it is being made, too
    work_off()
    half.refresh_from_db()
    assert half.ready and half.parent_id == drawn.pk and not half.mended
    assert (half.seed, half.palette, half.repeat) == (drawn.seed, drawn.palette, "half-drop")
    assert half.request.repeat == "half-drop"
    picture = tile_of(half)
    assert seam_ratio(picture, "half-drop") <= 1.1
    assert (read_recipe(picture) or {})["repeat"] == "half-drop"
    assert repeats.in_repeat(person, drawn, "half-drop").pk == half.pk
    assert repeats.in_repeat(person, half, "basic").pk == drawn.pk
    assert repeats.in_repeat(person, half, "half-drop").pk == half.pk


def test_one_that_failed_is_asked_for_anew(person, drawn):
    half = repeats.in_repeat(person, drawn, "half-drop")
    Job.objects.filter(pk=half.job_id).update(state=Job.State.FAILED)
    assert repeats.in_repeat(person, drawn, "half-drop").pk != half.pk


def test_another_colourway_gets_its_own(person, drawn):
    other = services.recolour(person, drawn, ["#101010", "#eeeeee", "#c02020", "#2040a0"])
    assert repeats.in_repeat(person, drawn, "ogee").pk != repeats.in_repeat(person, other, "ogee").pk


def test_what_cannot_be_made_again_is_mended(person, lost, work_off):
    assert not repeats.can_be_made(lost)
    half = repeats.in_repeat(person, lost, "half-drop")
    assert repeats.in_repeat(person, lost, "half-drop").pk == half.pk
    assert half.mended and half.parent_id == lost.pk
    assert half.job.kind == "repair"
    work_off()
    half.refresh_from_db()
    assert half.ready and half.palette == lost.palette
    before, after = cutting.stored_inks(lost), cutting.stored_inks(half)
    assert before.shape == after.shape
    assert not np.array_equal(before, after)
    assert seam_ratio(tile_of(half), "half-drop") <= 1.1
    assert half.recipe()["mended"] is True
    assert repeats.in_repeat(person, half, "basic").pk == lost.pk
    large = cutting.enlarged(half, 256)
    assert large.size == (256, 256)
    assert seam_ratio(large, "half-drop") <= 1.2


def test_a_mended_fabric_keeps_being_one_in_other_colours(person, lost, work_off):
    half = repeats.in_repeat(person, lost, "half-brick")
    work_off()
    half.refresh_from_db()
    assert services.recolour(person, half, list(reversed(half.palette))).mended


def test_the_fabric_may_go_before_it_is_mended(person, lost, work_off):
    half = repeats.in_repeat(person, lost, "half-drop")
    lost.delete()
    work_off()
    assert "was deleted" in Job.objects.get(pk=half.job_id).message


def test_an_outsider_gets_a_fabric_of_their_own(other, drawn):
    half = repeats.in_repeat(other, drawn, "mirror")
    assert half.owner_id == other.pk and half.parent_id == drawn.pk


def test_what_is_no_repeat_and_what_is_not_ready_are_refused(person, drawn, make_pattern):
    with pytest.raises(BadInput, match="is not a repeat"):
        repeats.in_repeat(person, drawn, "quarter-drop")
    coming = make_pattern(person)
    coming.tile = ""
    with pytest.raises(BadInput, match="made"):
        repeats.in_repeat(person, coming, "ogee")


def test_fabrics_of_before_are_basic_and_their_files_called_as_they_were(person, make_pattern):
    fabric = make_pattern(person)
    assert fabric.repeat == "basic"
    assert fabric.file_title("tile") == f"toile-{fabric.pattern_type}-{fabric.seed}-{fabric.size}px"
    assert "half-drop" in Pattern(pattern_type="floral", seed=1, repeat="half-drop").file_title("tile")


def painted(markup, side):
    """The cloth that :func:`laid` shows of a tile, painted by another program: pictures of 3 x 3 tiles."""
    svg = markup.replace("<svg ", f'<svg xmlns="http://www.w3.org/2000/svg" width="{3 * side}" height="{3 * side}" ')
    return np.asarray(Image.open(io.BytesIO(bytes(resvg_py.svg_to_bytes(svg_string=svg)))).convert("RGB"), np.float32)


@pytest.mark.parametrize("repeat", LATTICES)
def test_pages_lay_a_fabric_as_its_repeat_does(repeat):
    side, lattice = 48, LATTICES[repeat]
    y, x = np.mgrid[0:side, 0:side] / side
    planes = np.stack([x, y, np.hypot(x - 0.4, y - 0.3) < 0.2]).astype(np.float32)
    tile = (lattice.tile(lattice.cell(planes)).transpose(1, 2, 0) * 255).astype(np.uint8)
    coded = io.BytesIO()
    Image.fromarray(tile).save(coded, "PNG")
    seen = painted(laid(f"data:image/png;base64,{base64.b64encode(coded.getvalue()).decode()}", repeat), side)
    wanted = painting.pasted(painting.laid(painting.lattice(tile, repeat), 3 * side, 3 * side)).astype(np.float32)
    assert np.median(np.abs(seen - wanted)) <= 3 and np.abs(seen - wanted).mean() < 8
