"""The browser's composite against the server's: the same formula, so the same look to the eye."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest
from PIL import Image

from ml_backend.garments import Known
from ml_backend.pipelines import overlay
from ml_backend.pipelines.overlay.fitting import laid
from ml_backend.requests import OverlayRequest

COMPOSITE = """async ({kind, urls, tile, fit, garments, pxPerCm}) => {
  const {bitmap} = await import("/static/js/stage/images.js");
  const {GLComposite} = await import("/static/js/stage/composite_gl.js");
  const {FlatComposite} = await import("/static/js/stage/composite_2d.js");
  const [photo, maps, mask, fabric] = await Promise.all([...urls, tile].map(bitmap));
  const canvas = document.createElement("canvas");
  canvas.width = photo.width;
  canvas.height = photo.height;
  const composite = kind === "gl" ? new GLComposite(canvas) : new FlatComposite(canvas);
  composite.wearable(photo, maps, mask);
  composite.tile(fabric);
  composite.draw({
    width: photo.width, height: photo.height, view: {scale: 1, x: 0, y: 0}, split: -1, fade: 1, dressed: true,
    pxPerCm, parts: [{garments, fit, slot: 0}],
  });
  return canvas.toDataURL("image/png");
}"""

FITS = [
    {"repeat": "basic", "scale_cm": 20.0},
    {"repeat": "half-drop", "scale_cm": 14.0, "rotate": 30.0},
    {"repeat": "half-brick", "scale_cm": 14.0, "offset_x": 0.3, "offset_y": -0.2},
    {"repeat": "mirror", "scale_cm": 24.0, "rotate": -75.0, "strength": 0.7},
    {"repeat": "third-drop", "scale_cm": 14.0, "rotate": 15.0},
]


@pytest.fixture
def fabric(make_person, make_pattern):
    """A smooth fabric, so that filters of different makers agree, without symmetry, so that a flip is seen."""
    from django.core.files.base import ContentFile
    from django.core.files.storage import default_storage

    from patterns.models import Pattern

    turn = np.linspace(0, 2 * np.pi, 64, endpoint=False)
    x, y = np.meshgrid(turn, turn)
    planes = [
        120 + 90 * np.sin(x + 0.5),
        130 + 80 * np.cos(y - 1 + np.sin(x)),
        120 + 60 * np.sin(x + y) + 20 * np.sin(2 * x),
    ]
    target = io.BytesIO()
    Image.fromarray(np.stack(planes, -1).clip(0, 255).astype(np.uint8)).save(target, "PNG")
    row = make_pattern(make_person("toile"), public=True)
    Pattern.objects.filter(pk=row.pk).update(tile=default_storage.save("x/smooth.png", ContentFile(target.getvalue())))
    row.refresh_from_db()
    return row


@pytest.mark.parametrize("kind", ["gl", "flat"])
@pytest.mark.parametrize("given", FITS, ids=lambda fit: fit["repeat"])
def test_the_preview_is_the_look(page, live_server, make_garment, fabric, kind, given):
    from studio import pictures

    garment = make_garment("dress")
    request = OverlayRequest(**given)
    preview = garment.preview()
    page.goto(f"{live_server.url}/account/")
    data = page.evaluate(
        COMPOSITE,
        {
            "kind": kind,
            "urls": [preview["preview_photo"], preview["preview_maps"], preview["preview_mask"]],
            "tile": fabric.tile_url,
            "garments": [],
            "pxPerCm": preview["px_per_cm"],
            "fit": {
                "scale": request.scale_cm,
                "rotate": request.rotate,
                "x": request.offset_x,
                "y": request.offset_y,
                "repeat": request.repeat,
                "strength": request.strength,
            },
        },
    )
    shown = np.asarray(Image.open(io.BytesIO(base64.b64decode(data.partition(",")[2]))).convert("RGB"), np.float32)
    mask = pictures.load_mask(str(garment.mask))
    photo = pictures.load(str(garment.image), "RGB")
    fitted = overlay.fit(photo, mask, pictures.load_labels(str(garment.labels)))
    look = overlay.wear(photo, fitted, pictures.load(str(fabric.tile), "RGB"), request)
    real = np.asarray(look, np.float32)
    inner = np.zeros_like(mask, bool)
    inner[66:144, 36:84] = True
    off = np.abs(shown - real).mean(-1)
    assert off[inner].mean() < 4, "the worn cloth matches the server's"
    assert np.percentile(off[inner], 95) < 12, "also where tiles meet"
    assert off[mask == 0].mean() < 4, "the rest is the photo"
    worn = np.abs(real - np.asarray(photo, np.float32)).mean(-1)
    assert worn[inner].mean() > 15, "the fabric is there at all"


@pytest.mark.parametrize("kind", ["gl", "flat"])
def test_the_preview_turns_over_the_second_of_a_mirrored_pair(page, live_server, make_garment, fabric, kind):
    """The preview of a garment whose right half is the second of a pair, as the renderer knows it."""
    from django.core.files.base import ContentFile
    from django.core.files.storage import default_storage

    from studio import pictures

    garment = make_garment("dress")
    photo, mask = pictures.load(str(garment.image), "RGB"), pictures.load_mask(str(garment.mask))
    height, width = mask.shape
    half = np.where(np.arange(width) < width // 2, 1, 2).astype(np.uint8)[None].repeat(height, axis=0)
    y, x = np.mgrid[: height // 2, : width // 2].astype(np.float32) * 2 + 1
    place = np.stack([(x - width / 2) / 4, (y - height / 2) / 4])
    known = Known(np.ones((height, width), np.float32), place, half, (2,), 4.0)
    fitted = laid(known, mask, None)
    files, garment.fit = pictures.fitted_files(photo, fitted)
    for name, content in files.items():
        setattr(garment, name, default_storage.save(f"x/{pictures.SUFFIXES[name]}", ContentFile(content)))
    garment.save()
    preview = garment.preview()
    address = [preview[name] for name in ("preview_photo", "preview_maps", "preview_mask")]
    page.goto(f"{live_server.url}/account/")
    given = {"kind": kind, "urls": address, "tile": fabric.tile_url, "garments": [], "pxPerCm": 4.0}
    fit = {"scale": 24, "rotate": 0, "x": 0.2, "y": 0, "repeat": "basic", "strength": 1}
    for mirrored in (False, True):
        data = page.evaluate(COMPOSITE, {**given, "fit": {**fit, "mirrored": mirrored}})
        shown = np.asarray(Image.open(io.BytesIO(base64.b64decode(data.partition(",")[2]))).convert("RGB"), np.float32)
        request = OverlayRequest(scale_cm=24.0, offset_x=0.2, mirrored=mirrored)
        real = np.asarray(overlay.wear(photo, fitted, pictures.load(str(fabric.tile), "RGB"), request), np.float32)
        assert np.abs(shown - real)[66:144, 36:84].mean() < 4
    plain = np.asarray(
        overlay.wear(photo, fitted, pictures.load(str(fabric.tile), "RGB"), OverlayRequest(scale_cm=24.0))
    )
    assert np.abs(plain - real)[66:144, 62:84].mean() > 15, "it is another picture"


def test_a_garment_is_turned_round_and_keeps_its_fabric(page, live_server, make_garment, fabric):
    make_garment("dress", cut="dress", wearer="women")
    make_garment("dress-back", cut="dress", side="back", wearer="women")
    make_garment("shirt", cut="shirt", wearer="men", order=1)
    page.goto(f"{live_server.url}/?on=dress&scale_cm=31&pattern={fabric.pk}")
    page.wait_for_selector("#stage[data-state='ready']")
    assert page.locator(".rail > .label").all_inner_texts() == ["Women's", "Men's"]
    assert not page.locator("#wearable-garment-dress-back").is_visible()
    turn = page.locator("[data-turn]")
    assert turn.inner_text() == "back"
    turn.press("Enter")
    page.wait_for_function("() => new URLSearchParams(location.search).get('on') === 'dress-back'")
    assert turn.inner_text() == "front" and "scale_cm=31" in page.url
    assert page.locator("#wearable-garment-dress").get_attribute("aria-current") is not None
    page.reload()
    page.wait_for_selector("#stage[data-state='ready']")
    page.locator("[data-turn]").click()
    page.wait_for_function("() => new URLSearchParams(location.search).get('on') !== 'dress-back'")
    page.locator("#wearable-garment-shirt").click()
    page.wait_for_function("() => new URLSearchParams(location.search).get('on') === 'shirt'")
    assert not page.locator("[data-turn]").is_visible(), "its back was not photographed"


def test_without_webgl_the_stage_still_dresses(page, live_server, make_garment, fabric):
    make_garment("dress")
    page.goto(f"{live_server.url}/?flat")
    page.wait_for_selector("#stage[data-renderer='2d'][data-state='ready']")
    page.wait_for_timeout(400)
    stage = np.asarray(Image.open(io.BytesIO(page.locator("#stage canvas").screenshot())).convert("RGB"), np.float32)
    page.locator("#stage canvas").focus()
    page.keyboard.down("Space")
    page.wait_for_timeout(400)
    plain = np.asarray(Image.open(io.BytesIO(page.locator("#stage canvas").screenshot())).convert("RGB"), np.float32)
    assert np.abs(stage - plain).mean() > 1


def test_chosen_garments_alone_are_dressed(page, live_server, make_garment, fabric):
    preview = make_garment("dress").preview()
    page.goto(f"{live_server.url}/account/")
    argument = {
        "kind": "gl",
        "urls": [preview["preview_photo"], preview["preview_maps"], preview["preview_mask"]],
        "tile": fabric.tile_url,
        "pxPerCm": preview["px_per_cm"],
        "fit": {"scale": 20, "rotate": 0, "x": 0, "y": 0, "repeat": "basic", "strength": 1},
    }
    everything, skirt, trousers = (
        page.evaluate(COMPOSITE, {**argument, "garments": values}) for values in ([], [4], [5])
    )
    assert everything == skirt
    assert everything != trousers
