"""From a phone's photo of a real cloth to a half-drop, three colourways, a TIFF in centimetres and a tech pack."""

from __future__ import annotations

import io
import re
import struct

import numpy as np
import pytest
from django.conf import settings
from PIL import Image, ImageCms
from playwright.sync_api import expect
from pypdf import PdfReader
from scipy.ndimage import gaussian_filter

from ml_backend.colour import decode, encode
from ml_backend.evaluation.seam import seam_ratio
from ml_backend.inks import compose
from ml_backend.pipelines.cloth.warp import homography
from ml_backend.swatches.drawing.tile import draw_inks
from patterns.models import Pattern
from studio.printing.models import Print
from studio.printing.services import colourways_of, ways_called

from .test_journey import WAIT, until

PALETTE = ("#f1e7d4", "#a63a34", "#d8a08c", "#5f6b46", "#1d2b3a")
WIDE, HIGH = 1200, 1600
CORNERS = ((0.11, 0.08), (0.90, 0.13), (0.95, 0.93), (0.06, 0.90))
"""Of the cloth in the photo, as shares of it, clockwise from the upper left."""
SHORT = {"Upper left": 0, "Upper right": 1, "Lower right": 2, "Lower left": 3}
TILES = (3.3, 4.125)
"""How often the design is repeated across and down in the cloth."""
TURNED = 6
"""EXIF orientation of a phone held upright: the picture is stored lying on its side."""
REPEATS = "document.querySelector('[data-repeat-said]').textContent"


def phone_photo() -> bytes:
    """A cloth on a table, seen askew, under a lamp at one side with a shadow over it; blurred, noisy, on its side."""
    rng = np.random.default_rng(5)
    tile = compose(draw_inks("floral", 4, 384, inks=len(PALETTE)), PALETTE)
    width, height = (round(384 * times) for times in TILES)
    cloth = np.tile(np.roll(tile, (90, 50), (0, 1)), (5, 4, 1))[:height, :width]
    there = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float64)
    back = homography(np.array(CORNERS) * (WIDE, HIGH), there)
    bend = (Image.Transform.PERSPECTIVE, tuple((back / back[2, 2]).ravel()[:8]), Image.Resampling.BICUBIC)
    lying = np.asarray(Image.fromarray(cloth).transform((WIDE, HIGH), *bend), np.float32)
    cover = np.asarray(Image.new("L", (width, height), 255).transform((WIDE, HIGH), *bend), np.float32)[..., None] / 255
    grain = gaussian_filter(rng.normal(0, 1, (HIGH, WIDE)), (2, 40))
    table = np.array((146, 108, 74)) * (1 + 0.1 * grain / grain.std())[..., None]
    y, x = np.mgrid[0:HIGH, 0:WIDE] / np.array((HIGH, WIDE)).reshape(2, 1, 1)
    shadow = 0.25 * np.exp(-((x - 0.75) ** 2 + (y - 0.7) ** 2) / 0.1)
    light = np.exp(-0.35 * x - 0.25 * y - shadow)[..., None] * np.array((1.04, 1.0, 0.93))
    linear = decode(((lying * cover + table * (1 - cover)) / 255).astype(np.float32))
    lit = encode(np.clip(linear * light, 0, 1).astype(np.float32)) * 255
    seen = gaussian_filter(lit, (1, 1, 0)) + rng.normal(0, 5, lit.shape)
    sideways = Image.fromarray(np.clip(seen, 0, 255).astype(np.uint8)).transpose(Image.Transpose.ROTATE_90)
    exif, target = Image.Exif(), io.BytesIO()
    exif[0x0112], exif[0x010F] = TURNED, "Phone"
    sideways.save(target, "JPEG", quality=86, exif=exif.tobytes())
    return target.getvalue()


class Tiff:
    """A little-endian TIFF read by its specification: the entries of its first directory, and its LZW strips."""

    KINDS = {1: "B", 2: "B", 3: "H", 4: "I", 5: "II", 7: "B"}

    def __init__(self, data: bytes) -> None:
        assert data[:4] == b"II*\0"
        self.data, self.tags = data, {}
        (at,) = struct.unpack_from("<I", data, 4)
        (count,) = struct.unpack_from("<H", data, at)
        for number in range(count):
            tag, kind, length, place = struct.unpack_from("<HHII", data, at + 2 + 12 * number)
            form = f"<{length * self.KINDS[kind]}"
            if struct.calcsize(form) <= 4:
                place = at + 10 + 12 * number
            self.tags[tag] = struct.unpack_from(form, data, place)

    def one(self, tag: int) -> int:
        return int(self.tags[tag][0])


@pytest.fixture(scope="module")
def photo() -> bytes:
    return phone_photo()


def move_corner(page, name: str) -> None:
    """Dragged to where the cloth has it."""
    corner, (x, y) = page.get_by_role("button", name=f"{name} corner"), CORNERS[SHORT[name]]
    page.locator(".ring").scroll_into_view_if_needed()
    box, ring = corner.bounding_box(), page.locator(".ring").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(ring["x"] + x * ring["width"], ring["y"] + y * ring["height"], steps=4)
    page.mouse.up()


def saved(page, row, tmp_path):
    link = row.get_by_role("link", name="Download")
    link.wait_for(timeout=WAIT)
    with page.expect_download(timeout=WAIT) as download:
        link.click()
    file = tmp_path / download.value.suggested_filename
    download.value.save_as(file)
    return file


def chopped(tile: Image.Image) -> float:
    """The seam of a tile that is laid in a half-drop and was not made for it."""
    return seam_ratio(tile, "half-drop")


def picture_of(pattern: Pattern) -> Image.Image:
    with pattern.tile.open() as file:
        return Image.open(io.BytesIO(file.read())).convert("RGB")


def test_from_a_phone_photo_to_a_tiff_and_a_tech_pack(page, shop, worker, complaints, photo, tmp_path):
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto(shop)
    page.get_by_role("link", name="Your cloth").click()
    page.set_input_files("#cloth-file", {"name": "IMG_2041.jpg", "mimeType": "image/jpeg", "buffer": photo})
    page.get_by_role("button", name="Upload").click()

    # upright, as it was held; the repeat is found inside the corners
    shown = page.get_by_role("img", name="The cloth as you photographed it")
    assert (shown.get_attribute("width"), shown.get_attribute("height")) == (str(WIDE), str(HIGH))
    for name in SHORT:
        move_corner(page, name)
    until(page, "document.querySelector('#found').innerText.includes('A repeat was found')")
    page.wait_for_timeout(500)
    page.wait_for_selector("#found:not([aria-busy])", timeout=WAIT)
    # in pixels of a cloth whose longer side is 1024
    assert abs(float(page.locator("[name='repeat_height']").input_value()) - 1024 / TILES[1]) < 8
    page.fill("[name='side_cm']", "12")
    page.get_by_role("button", name="Keep as a fabric").click()

    page.wait_for_selector(".cell.chosen[data-engine='photographed']", timeout=WAIT)
    cloth = Pattern.objects.get(engine="photographed")
    assert seam_ratio(picture_of(cloth)) <= 1.1 < chopped(picture_of(cloth))

    # a half-drop that cuts no motif
    said = page.locator("[data-repeat-said]")
    page.get_by_title("half-drop").click()
    expect(said).to_have_text("repeats every 12 × 12 cm, half-drop, seams mended", timeout=WAIT)
    dropped = Pattern.objects.get(parent=cloth)
    assert dropped.mended and chopped(picture_of(dropped)) <= 1.1

    # three colourways at once
    page.click("#inks > summary")
    page.wait_for_selector("#inks-table .ink", timeout=WAIT)
    assert page.locator("#inks-table input[name='way']:checked").count() == 3
    page.get_by_role("button", name="Dye those").click()
    until(page, "document.querySelectorAll('#tray .cell[data-pattern]:not([data-follow])').length >= 5")
    ways = Pattern.objects.filter(parent=dropped)
    assert ways.count() == 3 and {way.repeat for way in ways} == {"half-drop"}
    assert len({tuple(way.palette) for way in [dropped, *ways]}) == 4
    until(page, "document.querySelector('.cell.chosen').dataset.engine === 'photographed'")

    # true size
    page.click("#downloads summary")
    page.click("[data-print-link]")
    page.wait_for_selector(".plan-words:has-text('One repeat (half-drop): 12 × 12 cm at 300 dpi')", timeout=WAIT)
    assert page.locator("#id_format").input_value() == "tiff"
    page.fill("#id_size", "6.35")
    page.wait_for_selector(".plan-words:has-text('750 × 750 pixels')", timeout=WAIT)
    page.get_by_role("button", name="Make the file").click()
    file = saved(page, page.locator("#made .print").first, tmp_path)
    assert re.search(r"half-drop-6\.35x6\.35cm-300dpi\.tif$", file.name)
    printed = Tiff(file.read_bytes())
    assert (printed.one(256), printed.one(257), printed.one(277)) == (750, 750, 3)
    assert printed.one(296) == 2 and printed.tags[282] == printed.tags[283] == (300, 1), "dots an inch"
    assert printed.one(259) == 5, "LZW"
    profile = ImageCms.ImageCmsProfile(io.BytesIO(bytes(printed.tags[34675])))
    assert "sRGB" in ImageCms.getProfileDescription(profile)
    assert chopped(Image.open(file)) <= 1.1

    # what a maker must know
    page.fill("#id_notes", "Matched at the centre front.")
    page.get_by_role("button", name="Make the tech pack").click()
    pack = PdfReader(saved(page, page.locator("#made .print", has_text="pages"), tmp_path))
    pages = [one.extract_text() for one in pack.pages]
    assert len(pages) == 5
    told = " ".join(pages)
    assert "half-drop repeat, 6.35 x 6.35 cm, 5 inks, 4 colourways" in pages[0]
    assert "Matched at the centre front." in told and "Seed" not in told and "photographed cloth" in told
    row = Print.objects.get(title__contains="tech-pack")
    assert row.facts["colourways"] == 4
    names = ways_called([row.pattern, *colourways_of(row, row.pattern)])
    assert len(set(names)) == 4
    for told in (*names, *(colour for way in [dropped, *ways] for colour in way.palette)):
        assert told in pages[2]
    address = f"{settings.SITE_URL}/gallery/{row.pattern_id}/"
    links = [one.get_object()["/A"]["/URI"] for page in pack.pages for one in page.get("/Annots", [])]
    assert links == [address] and address in pages[4]
