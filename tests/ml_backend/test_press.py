"""CMYK profiles: checked byte by byte, used for print and proof, refused where they are hostile."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from PIL import Image, ImageCms
from pypdf import PdfReader

from ml_backend.errors import BadInput
from ml_backend.inks import palette_from_seed
from ml_backend.printing.making import make
from ml_backend.printing.painting import Design, bands_of, pasted
from ml_backend.printing.plan import PrintRequest
from ml_backend.printing.press import MAX_BYTES, SIGNAL, Press, facts, proof_of, tried
from ml_backend.printing.writers import srgb
from ml_backend.swatches.drawing.tile import draw_inks
from tests.ml_backend.icc import cmyk_profile

BRIGHT = ("#f5ece0", "#00ff40", "#9c2a2e", "#66704f", "#2c3b50")


@pytest.fixture(scope="module")
def profile() -> bytes:
    return cmyk_profile()


def design(palette=None) -> Design:
    return Design(draw_inks("floral", 7, 128), palette or palette_from_seed("floral", 7), "floral-7")


def test_a_profile_says_what_it_is(profile):
    assert facts(profile).name == "Test printer" and facts(profile).version == "2.4"
    assert tried(profile) == facts(profile)


def _changed(data: bytes, at: int, new: bytes) -> bytes:
    return data[:at] + new + data[at + len(new) :]


HOSTILE = {
    "empty": (lambda _: b"", "not a CMYK"),
    "a text": (lambda _: b"hello" * 100, "not a CMYK"),
    "a picture": (lambda _: b"\x89PNG\r\n\x1a\n" + bytes(400), "not a CMYK"),
    "of a screen": (lambda _: srgb(), "not a CMYK"),
    "no signature": (lambda data: _changed(data, 36, b"xxxx"), "not a CMYK"),
    "of RGB": (lambda data: _changed(data, 16, b"RGB "), "not a CMYK"),
    "cut short": (lambda data: data[:-100], "damaged"),
    "longer than it says": (lambda data: data + b"x", "damaged"),
    "no connection space": (lambda data: _changed(data, 20, b"Huh "), "damaged"),
    "a million tags": (lambda data: _changed(data, 128, struct.pack(">I", 1_000_000)), "damaged"),
    "a tag beyond the end": (lambda data: _changed(data, 136, struct.pack(">2I", 1 << 31, 1 << 31)), "damaged"),
    "a tag in the head": (lambda data: _changed(data, 136, struct.pack(">I", 4)), "damaged"),
    "no tables": (lambda data: data.replace(b"A2B0", b"A2Bx", 1), "missing"),
    "too large": (lambda data: data + bytes(MAX_BYTES), "at most 8"),
}


@pytest.mark.parametrize("how", HOSTILE)
def test_what_is_no_such_profile_is_refused(profile, how):
    spoil, why = HOSTILE[how]
    with pytest.raises(BadInput, match=why):
        facts(spoil(profile))
    with pytest.raises(BadInput, match=why):
        Press(spoil(profile))


def test_tables_that_cannot_be_read_are_refused_by_a_process_of_its_own(profile):
    at = profile.index(b"mft2")
    for spoiled in (_changed(profile, at, b"zzzz"), _changed(profile, at + 8, b"\xff\xff\xff")):
        with pytest.raises(BadInput, match="damaged"):
            tried(spoiled)


def test_white_stays_white_and_dark_takes_ink(profile):
    press = Press(profile)
    inks = press(np.array([[[255, 255, 255], [20, 20, 20], [200, 30, 30]]], np.uint8))[0]
    assert inks[0].max() < 12
    assert inks[1].sum() > 200
    assert inks[2, 0] < inks[2, 1] and inks[2, 0] < inks[2, 2]  # red is magenta and yellow, hardly cyan
    intents = [Press(profile, intent)(np.array([[[200, 30, 30]]], np.uint8)) for intent in ("relative", "perceptual")]
    assert all(one.shape == (1, 1, 4) for one in intents)


def test_a_proof_says_what_cannot_be_printed_and_where(profile):
    picture = np.full((8, 8, 3), 128, np.uint8)
    picture[:2] = (0, 255, 64)
    found = proof_of(Press(profile), picture, BRIGHT)
    assert found.share == pytest.approx(0.25)
    assert (found.where[:2] == SIGNAL).all() and not (found.where[2:] == SIGNAL).all(axis=-1).any()
    assert "#00ff40" in [colour for colour, _ in found.inks]
    assert "25%" in found.warning and "#00ff40" in found.warning
    grey = proof_of(Press(profile), np.full((4, 4, 3), 128, np.uint8))
    assert grey.share == 0 and grey.warning == ""


@pytest.mark.parametrize("format", ["tiff", "pdf"])
def test_a_print_in_cmyk_carries_the_profile_and_its_numbers(tmp_path, profile, format):
    request = PrintRequest(format=format, scale_cm=5, dpi=150)
    path = tmp_path / "a"
    told = make(design(BRIGHT), request, path, {"engine": "drawn"}, profile=profile)
    assert told["out_of_gamut"] > 0 and "gamut" in told["gamut"]
    wanted = Press(profile)(pasted(bands_of(design(BRIGHT), request)))
    if format == "tiff":
        with Image.open(path) as image:
            assert image.mode == "CMYK" and image.info["dpi"] == (150, 150)
            assert image.info["icc_profile"] == profile
            assert np.array_equal(np.asarray(image), wanted)
            own = ImageCms.ImageCmsProfile(io.BytesIO(image.info["icc_profile"]))
            assert own.profile.xcolor_space.strip() == "CMYK"
        return
    picture = PdfReader(path).pages[0]["/Resources"]["/XObject"]["/Picture"]
    assert picture["/ColorSpace"][1].get_object().get_data() == profile
    assert picture.get_data() == wanted.tobytes()


@pytest.mark.parametrize("wrong", [{"format": "png"}, {"format": "svg"}, {"kind": "plates"}, {"kind": "strike-off"}])
def test_where_there_is_no_cmyk_it_is_said(tmp_path, profile, wrong):
    with pytest.raises(BadInput, match="CMYK"):
        make(design(), PrintRequest(scale_cm=5, **wrong), tmp_path / "a", {}, profile=profile)
    assert not (tmp_path / "a").exists()
