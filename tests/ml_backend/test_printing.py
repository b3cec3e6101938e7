"""Print files: exact pixels, resolution and profiles, read back by others; plates that make the design again."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import xml.etree.ElementTree as ET
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pypdfium2
import pytest
import resvg_py
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms
from pypdf import PdfReader

from ml_backend.colour import lab
from ml_backend.errors import BadInput, Stopped
from ml_backend.images import read_recipe
from ml_backend.inks import compose, palette_from_seed
from ml_backend.printing.making import make, small
from ml_backend.printing.painting import BAND, Design, bands_of, coverage, laid, lattice, painted, pasted
from ml_backend.printing.plan import MAX_REPEAT_PX, PrintRequest, detail, pixels, said, title
from ml_backend.printing.plates import from_dark, recombined, screens, spread_by
from ml_backend.printing.strike_off import Colourway
from ml_backend.printing.writers import Sheet, srgb, writer
from ml_backend.requests import REPEATS
from ml_backend.swatches import TYPES
from ml_backend.swatches.drawing.tile import draw_inks

RECIPE = {"made_with": "Toile", "pattern_type": "floral", "seed": 7, "engine": "drawn"}


def drawn(kind: str = "floral", seed: int = 7, side: int = 128) -> Design:
    palette = palette_from_seed(kind, seed)
    return Design(draw_inks(kind, seed, side), palette, f"{kind}-{seed}", lambda big: draw_inks(kind, seed, big), 4096)


def away(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """CIELAB distance of two RGB pictures, pixel by pixel."""
    return np.linalg.norm(lab(first.astype(np.float32)) - lab(second.astype(np.float32)), axis=-1)


# --- sizes ---


@pytest.mark.parametrize(
    ("cm", "dpi", "px"), [(2.54, 300, 300), (24, 300, 2835), (24, 150, 1417), (150, 300, 17717), (100, 300, 11811)]
)
def test_centimetres_become_the_nearest_pixels(cm, dpi, px):
    assert pixels(cm, dpi) == px


def test_names_say_fabric_repeat_size_and_resolution():
    one = PrintRequest(repeat="half-drop")
    assert title("floral-123", one) + "." + one.suffix == "toile-floral-123-half-drop-24x24cm-300dpi.tif"
    panel = PrintRequest(kind="panel", width_cm=150, height_cm=100, scale_cm=22.5, format="pdf")
    assert title("plaid-1", panel) == "toile-plaid-1-basic-22.5cm-panel-150x100cm-300dpi"
    assert "17717 × 11811 pixels" in said(panel)
    assert title("plaid-1", replace(panel, format="svg")) == "toile-plaid-1-basic-22.5cm-panel-150x100cm"
    assert PrintRequest(kind="plates").suffix == "zip"


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"dpi": 200}, "150 or 300"),
        ({"dpi": True}, "150 or 300"),
        ({"kind": "panel"}, "how large the panel"),
        ({"kind": "panel", "width_cm": 10}, "both sides"),
        ({"kind": "panel", "width_cm": 10, "height_cm": 10, "across": 2, "down": 2}, "not in both"),
        ({"kind": "tile", "width_cm": 10, "height_cm": 10}, "size of its own"),
        ({"kind": "panel", "width_cm": 400, "height_cm": 400}, "million"),
        ({"scale_cm": 150.0}, "as large as it can be"),
        ({"scale_cm": float("nan")}, "number from 1 to 200"),
        ({"format": "bmp"}, "choose one of"),
        ({"repeat": "spiral"}, "choose one of"),
        ({"format": "svg", "weave": True}, "lines cannot draw"),
        ({"weave": 1}, "yes or no"),
        ({"trap_mm": 5}, "trapping"),
        ({"scales": (1, 2, 3, 4, 5)}, "at most 4"),
    ],
)
def test_what_cannot_be_printed_is_refused_with_a_sentence(wrong, why):
    with pytest.raises(BadInput, match=why):
        PrintRequest(**wrong)


@given(
    scale=st.floats(1, 60, allow_nan=False),
    dpi=st.sampled_from([150, 300]),
    repeat=st.sampled_from(REPEATS),
    scales=st.lists(st.floats(1, 200), max_size=4),
)
@settings(max_examples=40, deadline=None)
def test_a_request_is_itself_again_from_its_dict(scale, dpi, repeat, scales):
    request = PrintRequest(scale_cm=scale, dpi=dpi, repeat=repeat, scales=tuple(scales))
    assert PrintRequest.from_dict(json.loads(json.dumps(request.to_dict()))) == request
    assert request.repeat_px <= MAX_REPEAT_PX


def test_the_warning_says_how_much_detail_there_is():
    told = detail(PrintRequest(scale_cm=24), 512)
    assert round(told.effective) == 54
    assert "54 dpi" in told.warning and "512 pixels on 24 cm" in told.warning and "0.47 mm" in told.warning
    assert detail(PrintRequest(scale_cm=24), 2835).warning == ""
    assert detail(PrintRequest(scale_cm=24, format="svg"), 64).warning == ""


# --- painting ---


@pytest.mark.parametrize("side", [96, 128, 200, 700])
def test_bands_are_the_whole(side):
    design = drawn(side=128)
    whole = coverage(design, side, 0, side)
    assert whole.shape == (5, side, side)
    assert np.abs(whole.sum(axis=0) - 1).max() < 1e-5
    for first in range(0, side, 37):
        last = min(first + 37, side)
        assert np.abs(coverage(design, side, first, last) - whole[:, first:last]).max() < 1e-4


def test_an_enlarged_repeat_goes_on_without_a_seam():
    inks = np.roll(drawn("floral", 3, 128).inks, (40, 55), axis=(1, 2))  # a cut through the flowers
    tile = painted(Design(inks, palette_from_seed("floral", 3)), 512).astype(int)
    steps = np.abs(np.diff(tile, axis=1)).mean(axis=(0, 2))
    assert np.abs(tile[:, 0] - tile[:, -1]).mean() <= steps.max()


@pytest.mark.parametrize("repeat", REPEATS)
def test_a_panel_is_the_repeat_laid_out_whatever_its_bands(repeat):
    design = drawn(side=64)
    request = PrintRequest(kind="panel", repeat=repeat, scale_cm=5, dpi=150, width_cm=17, height_cm=13)
    tile = painted(design.at(request.repeat_px), request.repeat_px)
    block = lattice(tile, repeat)
    width, height = request.size_px
    wanted = np.tile(block, (height // block.shape[0] + 1, width // block.shape[1] + 1, 1))[:height, :width]
    for band in (BAND, 31, 10_000):
        assert np.array_equal(pasted(laid(block, width, height, band)), wanted)
    assert np.array_equal(pasted(bands_of(design, request)), wanted)


def test_a_drawn_fabric_is_drawn_as_finely_as_it_is_printed():
    design = drawn("geometric", 4, 64)
    tile = painted(design.at(500), 500)
    assert np.array_equal(tile, compose(draw_inks("geometric", 4, 500), design.palette))
    assert design.holds(500) == 500 and design.holds(9000) == 4096
    assert Design(design.inks, design.palette).holds(500) == 64


def test_threads_are_lit_only_where_asked():
    design = drawn()
    plain, woven = (PrintRequest(scale_cm=4, dpi=300, weave=on) for on in (False, True))
    first, second = pasted(bands_of(design, plain)), pasted(bands_of(design, woven))
    assert np.array_equal(first, painted(design.at(472), 472))
    assert 1 < np.abs(first.astype(int) - second).mean() < 12


# --- files, read by others ---


@pytest.mark.parametrize("format", ["png", "tiff"])
def test_a_raster_file_has_exact_pixels_resolution_profile_and_recipe(tmp_path, format):
    design = drawn()
    request = PrintRequest(format=format, repeat="half-drop", scale_cm=6, dpi=300, kind="panel", across=2, down=3)
    path = tmp_path / f"a.{request.suffix}"
    facts = make(design, request, path, RECIPE)
    side = request.repeat_px  # half of it is whole pixels
    assert side % 2 == 0 and abs(side - pixels(6, 300)) <= 1
    assert (facts["width"], facts["height"]) == (2 * side, 3 * side)
    with Image.open(path) as image:
        assert image.size == (2 * side, 3 * side) and image.mode == "RGB"
        assert image.info["dpi"] == pytest.approx((300, 300), abs=0.001)
        assert image.info["icc_profile"] == srgb()
        profile = ImageCms.ImageCmsProfile(io.BytesIO(image.info["icc_profile"]))
        assert "sRGB" in ImageCms.getProfileDescription(profile)
        recipe = read_recipe(image)
        assert recipe == {**RECIPE, "print": request.to_dict()}
        assert b"algorithmicMedia" in _bytes(image.info["xmp"])
        assert np.array_equal(np.asarray(image), pasted(bands_of(design, request)))
        if format == "tiff":
            assert image.info["compression"] == "tiff_lzw"
            assert image.tag_v2[282] == 300 and image.tag_v2[296] == 2


def _bytes(text: str | bytes) -> bytes:
    return text.encode() if isinstance(text, str) else text


def test_a_pdf_is_as_large_as_the_cloth_and_shows_it(tmp_path):
    design = drawn()
    request = PrintRequest(format="pdf", scale_cm=8, dpi=150)
    path = tmp_path / "a.pdf"
    make(design, request, path, RECIPE)
    page = PdfReader(path).pages[0]
    assert float(page.mediabox.width) / 72 * 2.54 == pytest.approx(8, abs=0.01)
    (picture,) = page.images
    assert np.array_equal(
        np.asarray(Image.open(io.BytesIO(picture.data)).convert("RGB")), pasted(bands_of(design, request))
    )
    reader = PdfReader(path)
    assert reader.metadata is not None and reader.metadata.title == title(design.name, request)
    assert b"algorithmicMedia" in reader.trailer["/Root"]["/Metadata"].get_data()
    document = pypdfium2.PdfDocument(path)
    seen = np.asarray(document[0].render(scale=150 / 72).to_pil().convert("RGB"))
    document.close()
    side = request.repeat_px
    assert away(seen[:side, :side], pasted(bands_of(design, request))).mean() < 3


def test_writers_take_any_bands():
    rows = np.random.default_rng(1).integers(0, 256, (150, 33, 3), np.uint8)
    for format in ("png", "tiff"):
        made = []
        for step in (1, 64, 150, 77):
            file = io.BytesIO()
            out = writer(format, file, Sheet(33, 150, 300))
            for first in range(0, 150, step):
                out.write(rows[first : first + step])
            out.close()
            made.append(np.asarray(Image.open(file)))
        assert all(np.array_equal(one, rows) for one in made)


@pytest.mark.parametrize("kind", sorted(TYPES))
def test_vectors_drawn_by_another_tool_are_the_tile(tmp_path, kind):
    design = drawn(kind, 5, 256)
    path = tmp_path / "a.svg"
    make(design, PrintRequest(format="svg", scale_cm=24), path, {**RECIPE, "pattern_type": kind})
    text = path.read_text()
    tree = ET.fromstring(text)
    assert (tree.get("width"), tree.get("height")) == ("24cm", "24cm")
    assert "algorithmicMedia" in text and len(text) < 1_500_000
    seen = resvg_py.svg_to_bytes(svg_string=text, width=256, height=256, dpi=96)
    picture = np.asarray(Image.open(io.BytesIO(bytes(seen))).convert("RGB"))
    far = away(picture, compose(design.inks, design.palette))
    assert far.mean() < 2.5 and np.median(far) < 2


def test_a_panel_of_vectors_is_laid_as_the_pixels_are(tmp_path):
    design = drawn("geometric", 2, 128)
    request = PrintRequest(kind="panel", format="svg", repeat="half-drop", scale_cm=10, across=3, down=2, dpi=150)
    path = tmp_path / "a.svg"
    make(design, request, path, RECIPE)
    seen = resvg_py.svg_to_bytes(svg_string=path.read_text(), width=384, height=256, dpi=96)
    picture = np.asarray(Image.open(io.BytesIO(bytes(seen))).convert("RGB"))
    block = lattice(painted(design, 128), "half-drop")
    assert away(picture, pasted(laid(block, 384, 256))).mean() < 2.5


# --- plates ---


@pytest.mark.parametrize("trap", [0.0, 0.25])
@pytest.mark.parametrize("kind", ["floral", "plaid", "animal", "abstract"])
def test_plates_make_the_design_again(tmp_path, kind, trap):
    design = drawn(kind, 11, 128)
    request = PrintRequest(kind="plates", repeat="half-drop", scale_cm=4, dpi=300, trap_mm=trap)
    path = tmp_path / "plates.zip"
    make(design, request, path, RECIPE)
    with zipfile.ZipFile(path) as archive:
        about = json.loads(archive.read("plates.json"))
        margin, files = about["margin_px"], {plate["ink"]: plate["file"] for plate in about["plates"]}
        films = []
        for ink in range(len(design.palette)):
            with Image.open(io.BytesIO(archive.read(files[ink]))) as film:
                assert film.mode == "L" and film.info["dpi"] == (300, 300)
                assert film.size == tuple(side + 2 * margin for side in request.size_px)
                films.append(255 - np.asarray(film)[margin:-margin, margin:-margin])
        assert Image.open(io.BytesIO(archive.read("proof.png"))).mode == "RGB"
    side = request.repeat_px
    wanted = painted(design.at(side), side)
    far = away(recombined(films, design.palette, bool(trap)), wanted)
    assert far.max() < 2
    shares = {plate["ink"]: plate["coverage"] for plate in about["plates"]}
    assert shares == pytest.approx(
        {ink: share * 100 for ink, share in enumerate(design.inks.mean(axis=(1, 2)))}, abs=0.06
    )


def test_trapping_lets_lighter_inks_run_on_below_darker_ones():
    inks = np.zeros((4, 64, 64), np.float32)
    inks[0], inks[0, 16:48, 16:48], inks[1, 16:48, 16:48] = 1, 0, 1
    design = Design(inks, ("#f5ece0", "#20305a", "#9c2a2e", "#66704f"))
    plain = screens(design, 64, "basic")
    trapped = screens(design, 64, "basic", 3)
    assert (plain[0][30, 30], plain[0][17, 30], plain[0][30, 17]) == (0, 0, 0)
    assert trapped[0][18, 30] == 255 and trapped[0][20, 30] == 0 and trapped[0][30, 30] == 0
    assert np.array_equal(trapped[1], plain[1])  # the darkest stays as it is
    assert from_dark(design.palette)[0] == 1
    assert spread_by(np.eye(9, dtype=np.uint8) * 0, 2).max() == 0


def test_plates_carry_marks_and_the_ink_s_name(tmp_path):
    design = drawn(side=64)
    request = PrintRequest(kind="plates", scale_cm=10, dpi=150)
    path = tmp_path / "plates.zip"
    make(design, request, path, RECIPE)
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if name.endswith(".tif")]
        films = [np.asarray(Image.open(io.BytesIO(archive.read(name)))) for name in names]
    about = 71
    for y, x in ((35, 35), (35, -36), (-36, 35), (-36, -36)):
        assert all(film[y, x] == 0 for film in films)  # the crosses meet at the same place on every plate
    texts = [film[: about - 1, about : films[0].shape[1] // 2 - 40] for film in films]
    assert all((text < 128).sum() > 50 for text in texts)
    assert not np.array_equal(texts[0], texts[1])
    assert names[0].startswith("01-") and len({name.split("-")[1] for name in names}) == 5


# --- the strike-off sheet ---


def test_a_strike_off_shows_scales_and_colourways_true_to_size(tmp_path):
    design = drawn()
    ways = [Colourway("Madder", design.palette), Colourway("Night", palette_from_seed("floral", 9))]
    request = PrintRequest(kind="strike-off", scale_cm=8, dpi=150, scales=(4.0, 8.0))
    path = tmp_path / "sheet.pdf"
    facts = make(design, request, path, RECIPE, colourways=ways)
    (page,) = PdfReader(path).pages
    text = page.extract_text()
    assert facts["fields"] == 4 and len(page.images) == 4
    assert {image.image.size for image in page.images} == {(709, 709)}  # 12 cm at 150 dpi
    for word in ("Madder", "Night", "repeat 4 cm", "repeat 8 cm", design.palette[1]):
        assert word in text
    assert float(page.mediabox.width) / 72 * 2.54 == pytest.approx(facts["width_cm"], abs=0.1)


# --- large, stopped, small ---


def test_stopping_leaves_no_file(tmp_path):
    for request in (PrintRequest(scale_cm=6), PrintRequest(kind="plates", scale_cm=6), PrintRequest(kind="strike-off")):
        asked = []

        def enough(asked=asked) -> bool:
            asked.append(1)
            return len(asked) > 3

        with pytest.raises(Stopped):
            make(drawn(), request, tmp_path / "a", RECIPE, should_stop=enough)
        assert list(tmp_path.iterdir()) == []


def test_progress_goes_one_way_to_the_end(tmp_path):
    heard: list[float] = []
    make(
        drawn(),
        PrintRequest(kind="plates", scale_cm=4),
        tmp_path / "a",
        RECIPE,
        progress=lambda share, _: heard.append(share),
    )
    assert heard == sorted(heard) and heard[-1] == 1.0 and len(heard) > 10


def test_what_comes_out_can_be_seen_small():
    seen = small(drawn(), PrintRequest(kind="panel", width_cm=150, height_cm=100, repeat="mirror"), 300)
    assert seen.shape == (200, 300, 3)


@pytest.mark.slow
def test_a_panel_of_200_megapixels_takes_bounded_memory(tmp_path):
    """150 x 100 cm at 300 dpi in a process of its own; `ru_maxrss` would count the process which began it."""
    program = (
        "import sys\nfrom pathlib import Path\n"
        "from ml_backend.printing.making import make\nfrom ml_backend.printing.painting import Design\n"
        "from ml_backend.printing.plan import PrintRequest\nfrom ml_backend.inks import palette_from_seed\n"
        "from ml_backend.swatches.drawing.tile import draw_inks\n"
        "draw = lambda side: draw_inks('geometric', 3, side)\n"
        "design = Design(draw(512), palette_from_seed('geometric', 3), 'geometric-3', draw, 4096)\n"
        "request = PrintRequest(kind='panel', repeat='half-drop', width_cm=150, height_cm=100)\n"
        "make(design, request, Path(sys.argv[1]), {'made_with': 'Toile', 'engine': 'drawn'})\n"
        "status = Path('/proc/self/status').read_text()\n"
        "print(int(status.split('VmHWM:')[1].split()[0]) * 1024)\n"
    )
    path = tmp_path / "panel.tif"
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True, timeout=500
    )
    assert int(done.stdout) < 1_500_000_000
    limit = Image.MAX_IMAGE_PIXELS
    Image.MAX_IMAGE_PIXELS = None
    try:
        with Image.open(path) as image:
            assert image.size == (17717, 11811) and image.info["dpi"] == (300, 300)
            assert len(image.tag_v2[273]) == -(-11811 // 64)
    finally:
        Image.MAX_IMAGE_PIXELS = limit


def test_nothing_here_imports_torch_or_django():
    program = (
        "import sys\nfrom ml_backend.printing import making, plan, plates, press, strike_off, vectors\n"
        "assert not {'torch', 'django'} & set(sys.modules), 'too much'"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=Path(__file__).parents[2])
