"""The decoder on good pictures of every kind, and on hundreds of bad ones."""

from __future__ import annotations

import io
import json
import random
import struct
import subprocess
import sys
import time
import zlib
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from studio.photos import decode

ROOT = Path(__file__).resolve().parents[3]
PIXELS = 50_000_000


def opened(decoded: decode.Decoded) -> Image.Image:
    image = Image.open(io.BytesIO(decoded.image))
    image.load()
    assert image.size == (decoded.width, decoded.height)
    assert image.format == decoded.format
    assert image.mode == "RGB"
    assert not image.getexif()
    assert "icc_profile" not in image.info
    return image


def halves(width: int = 120, height: int = 80) -> Image.Image:
    """Left half red, right half blue."""
    image = Image.new("RGB", (width, height), (200, 30, 30))
    image.paste((30, 30, 200), (width // 2, 0, width, height))
    return image


def encoded(image: Image.Image, format: str, **options) -> bytes:
    target = io.BytesIO()
    image.save(target, format, **options)
    return target.getvalue()


def many_scans(more: int) -> bytes:
    """A progressive JPEG that goes over its picture ``more`` times more often than it needs to."""
    data = encoded(halves(), "JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    return data[:-2] + data[last:-2] * more + data[-2:]


def near(pixel, wanted, within=12) -> bool:
    return all(abs(a - b) <= within for a, b in zip(pixel, wanted, strict=True))


# --- good ones ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "AVIF", "HEIF"])
def test_every_format_is_read(format):
    if format == "HEIF":
        import pillow_heif

        pillow_heif.register_heif_opener()
    decoded = decode.decode(encoded(halves(), format), PIXELS)
    image = opened(decoded)
    assert image.size == (120, 80)
    assert near(image.getpixel((20, 40)), (200, 30, 30))
    assert near(image.getpixel((100, 40)), (30, 30, 200))
    assert decoded.format == ("PNG" if format == "PNG" else "JPEG")
    with Image.open(io.BytesIO(decoded.thumb)) as thumb:
        assert (thumb.format, thumb.size) == ("WEBP", (120, 80))


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "AVIF"])
@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_orientation_is_applied_once(format, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "Somebody's camera"
    image = opened(decode.decode(encoded(halves(), format, exif=exif), PIXELS))
    red = {1: (10, 40), 3: (110, 40), 6: (40, 10), 8: (40, 110)}[orientation]
    assert image.size == ((80, 120) if orientation in (6, 8) else (120, 80))
    assert near(image.getpixel(red), (200, 30, 30))


def test_gps_and_text_do_not_travel():
    exif = Image.Exif()
    exif.get_ifd(0x8825)[2] = (52.0, 30.0, 0.0)
    exif[0x9286] = b"my home"
    source = encoded(halves(), "JPEG", exif=exif, comment=b"my home")
    assert b"my home" in source
    decoded = decode.decode(source, PIXELS)
    assert b"my home" not in decoded.image + decoded.thumb
    assert b"Exif" not in decoded.image + decoded.thumb


def test_alpha_is_laid_on_white():
    image = halves().convert("RGBA")
    image.putalpha(Image.linear_gradient("L").resize(image.size).point(lambda value: 0 if value < 128 else 255))
    for source in (encoded(image, "PNG"), encoded(image, "WEBP", lossless=True), encoded(image.convert("LA"), "PNG")):
        result = opened(decode.decode(source, PIXELS))
        assert near(result.getpixel((20, 2)), (255, 255, 255), 2)
    palette = image.convert("P")
    result = opened(decode.decode(encoded(palette, "PNG", transparency=palette.getpixel((2, 2))), PIXELS))
    assert near(result.getpixel((2, 2)), (255, 255, 255), 2)


def test_cmyk_is_converted():
    image = opened(decode.decode(encoded(halves().convert("CMYK"), "JPEG", quality=95), PIXELS))
    assert near(image.getpixel((20, 40)), (200, 30, 30), 20)


def test_sixteen_bits_are_scaled():
    ramp = np.tile(np.linspace(0, 65535, 128).astype(np.uint16), (80, 1))
    image = opened(decode.decode(encoded(Image.fromarray(ramp), "PNG"), PIXELS))
    assert image.getpixel((0, 0))[0] <= 1
    assert abs(image.getpixel((64, 0))[0] - 128) <= 2
    assert image.getpixel((127, 0))[0] >= 254


def test_bilevel_and_grey_are_read():
    for mode in ("1", "L"):
        assert opened(decode.decode(encoded(halves().convert(mode), "PNG"), PIXELS)).size == (120, 80)


def test_colour_profile_becomes_srgb():
    """A picture whose profile has its red and green primaries changed over comes out changed over."""
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    misfit = opened(decode.decode(encoded(halves(), "PNG", icc_profile=lab), PIXELS))
    assert near(misfit.getpixel((20, 40)), (200, 30, 30)), "a profile that does not fit is ignored"
    wide = opened(decode.decode(encoded(halves(), "PNG", icc_profile=swapped_profile()), PIXELS))
    red, green, _ = wide.getpixel((20, 40))
    assert green > 150 > red


def swapped_profile() -> bytes:
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    count = struct.unpack(">I", profile[128:132])[0]
    tags = {bytes(profile[132 + 12 * i : 136 + 12 * i]): 132 + 12 * i for i in range(count)}
    for first, second in ((b"rXYZ", b"gXYZ"),):
        a, b = tags[first], tags[second]
        profile[a : a + 4], profile[b : b + 4] = second, first
    return bytes(profile)


def test_first_frame_of_an_animation():
    frames = [halves(), Image.new("RGB", (120, 80), "green")]
    for format in ("PNG", "WEBP"):
        source = encoded(frames[0], format, save_all=True, append_images=frames[1:], duration=100, lossless=True)
        assert near(opened(decode.decode(source, PIXELS)).getpixel((20, 40)), (200, 30, 30))


def test_mpo_is_a_jpeg():
    source = encoded(halves(), "MPO", save_all=True, append_images=[Image.new("RGB", (120, 80), "green")])
    assert near(opened(decode.decode(source, PIXELS)).getpixel((20, 40)), (200, 30, 30))


def test_large_lossless_pictures_become_jpeg(monkeypatch):
    monkeypatch.setattr(decode, "KEEP_PNG_PIXELS", 5000)
    assert decode.decode(encoded(halves(), "PNG"), PIXELS).format == "JPEG"


# --- bad ones -----------------------------------------------------------------------------------------------------


def refusal(data: bytes) -> str:
    with pytest.raises(decode.Refused) as caught:
        decode.decode(data, PIXELS)
    return caught.value.kind


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (encoded(halves(), "GIF"), "a GIF"),
        (encoded(halves(), "BMP"), "a BMP"),
        (encoded(halves(), "TIFF"), "a TIFF or camera raw file"),
        (b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script>1</script></svg>', "an SVG drawing"),
        (b"%PDF-1.7 ...", "a PDF"),
        (b"PK\x03\x04....", "a ZIP or office file"),
        (b"<!DOCTYPE html><img>", "a web page"),
        (b"\0\0\0\x18ftypisom\0\0\0\0mp42isom....", "a film"),
        (b"hello, this is text", ""),
        (b"\0" * 64, ""),
    ],
)
def test_other_formats_are_named(data, found):
    with pytest.raises(decode.Refused) as caught:
        decode.decode(data, PIXELS)
    assert (caught.value.kind, caught.value.details) == ("format", {"found": found})


def test_sizes_are_checked_before_decoding():
    assert refusal(b"") == "empty"
    assert refusal(encoded(Image.new("RGB", (63, 200)), "PNG")) == "small"
    assert refusal(bomb(30_000, 30_000)) == "large"
    assert refusal(bomb(20_000, 100)) == "large"
    assert refusal(bomb(0, 0)) == "damaged"


def bomb(width: int, height: int) -> bytes:
    """A PNG that promises a size and holds next to nothing."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    content = zlib.compress(b"\0" * 1_000_000, 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", content) + chunk(b"IEND", b"")


BATCH = """
import io, json, struct, sys, warnings
sys.path.insert(0, sys.argv[1])
warnings.simplefilter("ignore")
from studio.photos import decode
from PIL import Image
decode.confine()
data, kinds = sys.stdin.buffer.read(), []
while data:
    size = struct.unpack(">I", data[:4])[0]
    one, data = data[4 : 4 + size], data[4 + size :]
    try:
        done = decode.decode(one, 50_000_000)
        with Image.open(io.BytesIO(done.image)) as image:
            image.load()
            assert image.size == (done.width, done.height) and image.mode == "RGB"
        kinds.append("accepted")
    except decode.Refused as refused:
        kinds.append(refused.kind)
print(json.dumps(kinds))
"""


def malformed() -> list[bytes]:
    """Several hundred damaged files, the same at every run."""
    import pillow_heif

    pillow_heif.register_heif_opener()
    rng = random.Random(4)
    noise = Image.fromarray(np.random.default_rng(4).integers(0, 255, (96, 80, 3), dtype=np.uint8))
    exif = Image.Exif()
    exif[0x0112] = 6
    whole = [
        encoded(noise, "JPEG", exif=exif),
        encoded(noise, "JPEG", progressive=True),
        encoded(noise.convert("CMYK"), "JPEG"),
        encoded(noise, "PNG", icc_profile=swapped_profile()),
        encoded(noise.convert("P"), "PNG"),
        encoded(noise, "WEBP", exif=exif),
        encoded(noise, "WEBP", lossless=True),
        encoded(noise, "AVIF"),
        encoded(noise, "HEIF"),
        encoded(noise, "MPO", save_all=True, append_images=[noise]),
    ]
    cases = [b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF\0\0\0\0WEBP", b"\0\0\0\x0cftypavif", bomb(7000, 7000)]
    for data in whole:
        cases += [data[: int(len(data) * share)] for share in (0.02, 0.1, 0.3, 0.6, 0.9, 0.99)]
        cases += [data + b"<script>alert(1)</script>", data + cases[2], b"\n" + data, data[::-1], data * 2]
        for _ in range(24):
            flipped = bytearray(data)
            for _ in range(rng.choice((1, 4, 40))):
                flipped[rng.randrange(len(flipped))] ^= 1 << rng.randrange(8)
            cases.append(bytes(flipped))
        for _ in range(6):
            start = rng.randrange(len(data) // 2)
            cases.append(data[:start] + rng.randbytes(rng.randrange(1, 200)) + data[start + rng.randrange(200) :])
    return cases


@pytest.mark.slow
def test_hundreds_of_damaged_files_are_refused_or_read_and_nothing_else_happens():
    cases = malformed()
    assert len(cases) > 400
    stream = b"".join(struct.pack(">I", len(case)) + case for case in cases)
    command = [sys.executable, "-c", BATCH, str(ROOT)]
    done = subprocess.run(command, input=stream, capture_output=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    kinds = Counter(json.loads(done.stdout))
    assert kinds.total() == len(cases)
    assert set(kinds) <= {"accepted", "damaged", "format", "small", "large", "empty"}
    assert kinds["damaged"] > 50
    assert kinds["accepted"] > 50


def test_the_script_knows_nothing_of_django():
    code = "import sys; from studio.photos import decode; "
    code += "print([m for m in ('django', 'numpy', 'torch') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# --- scans --------------------------------------------------------------------------------------------------------


def test_scans_are_counted_without_decoding():
    assert decode.scans_of(encoded(halves(), "JPEG")) == 1
    usual = decode.scans_of(encoded(halves(), "JPEG", progressive=True))
    assert 1 < usual < decode.MAX_SCANS
    assert decode.scans_of(many_scans(200)) == usual + 200


def test_a_thumbnail_and_the_pictures_behind_do_not_count():
    plain, inside = encoded(halves(), "JPEG"), many_scans(200)
    segment = b"\xff\xe1" + struct.pack(">H", len(inside) + 2) + inside
    assert decode.scans_of(plain[:2] + segment + plain[2:] + inside) == 1


@pytest.mark.parametrize("data", [b"\xff\xd8\xff", b"\xff\xd8" + b"\xff" * 5_000_000, b"\xff\xd8\xff\xda", b""])
def test_counting_ends_at_once_for_anything(data):
    started = time.process_time()
    assert decode.scans_of(data) <= 1
    assert time.process_time() - started < 2


def test_more_scans_than_anybody_writes_are_refused():
    with pytest.raises(decode.Refused) as caught:
        decode.decode(many_scans(decode.MAX_SCANS), PIXELS)
    assert caught.value.kind == "heavy"
    assert near(opened(decode.decode(many_scans(5), PIXELS)).getpixel((10, 10)), (200, 30, 30))
