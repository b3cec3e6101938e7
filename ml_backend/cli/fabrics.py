"""Commands about fabrics: generate, upscale, segment, overlay."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

from .. import images
from ..errors import BadInput
from ..packaging.starter import GENERATOR, package_of
from ..requests import (
    CLOTH_CLASSES,
    ENGINES,
    GARMENT_CLASSES,
    MAX_INKS,
    PATTERN_TYPES,
    REPEATS,
    SUBTYPE_NAMES,
    ClothRequest,
    GenerateRequest,
    OutfitRequest,
    OverlayRequest,
    TapRequest,
    engine_of,
)
from ..swatches import SUBTYPES
from ..words.wardrobe import garment_of
from .common import Answer, Command, at_least_one, bar, open_mask, palette_of, save_mask, stems_of

if TYPE_CHECKING:
    from ..pipelines.cloth import Cloth

SURFACE = "surface-starter"

_FIT = ("scale_cm", "rotate", "offset_x", "offset_y", "strength")
"""What each garment of an outfit may say in numbers for itself."""


def add_commands(command: Command) -> None:
    generate = command("generate", run_generate, "Make new fabric tiles.")
    generate.add_argument("--type", choices=PATTERN_TYPES, dest="pattern_type", metavar="TYPE")
    generate.add_argument(
        "--subtype", choices=SUBTYPE_NAMES, metavar="NAME", help="a design by its name, houndstooth; it is drawn"
    )
    generate.add_argument("--count", type=at_least_one, default=1, help="how many, from neighbouring seeds")
    generate.add_argument("--seed", type=int, default=0, help="seed of the first tile")
    generate.add_argument("--size", type=int, default=512, help="side of a tile in pixels")
    generate.add_argument("--engine", type=engine_of, choices=ENGINES, default="dreamed", help="by a network or drawn")
    generate.add_argument("--palette", type=palette_of, help="colours like '#7a1f2b,#f3e9dc', or a palette file")
    generate.add_argument("--vary-of", type=int, metavar="SEED", help="more like that seed's fabric")
    generate.add_argument("--vary-amount", type=float, default=0.25, help="0 (that fabric) to 1 (quite another)")
    generate.add_argument("--morph-to", type=int, metavar="SEED", help="on the way to that seed's fabric")
    generate.add_argument("--morph-amount", type=float, default=0.5, help="0 (this fabric) to 1 (that one)")
    generate.add_argument("--morph-type", choices=PATTERN_TYPES, metavar="TYPE", help="its type (default: the same)")
    generate.add_argument("--colours-of", type=int, metavar="SEED", help="in the colours that seed would choose")
    generate.add_argument("--detail-of", type=int, metavar="SEED", help="this layout, drawn as that seed's fabric is")
    generate.add_argument("--repeat", choices=REPEATS, default="basic", help="the repeat that the fabric is made for")
    generate.add_argument("--model", type=Path, help="package folder (default: the starter)")
    generate.add_argument("--out", type=Path, required=True, metavar="DIR")

    cloth = command("cloth", run_cloth, "Make a tile of a photographed cloth.")
    cloth.add_argument("photo", type=Path, metavar="PHOTO")
    cloth.add_argument(
        "--corners",
        type=_shares,
        metavar="X,Y,...",
        help="four corners as shares of the photo, clockwise from the upper left (default: the whole photo)",
    )
    cloth.add_argument(
        "--period", type=_shares, metavar="W,H", help="the repeat in pixels of the flat cloth, its longer side 1024"
    )
    cloth.add_argument("--piece", action="store_true", help="take a piece and join its edges, repeat or not")
    cloth.add_argument("--inks", type=int, default=5, help="how many colours (default: 5)")
    cloth.add_argument("--size", type=int, default=512, help="side of the tile in pixels")
    cloth.add_argument("--out", type=Path, required=True, metavar="FILE")

    upscale = command("upscale", run_upscale, "Enlarge a picture with the SRGAN.")
    upscale.add_argument("image", type=Path, metavar="IMAGE")
    upscale.add_argument("--scale", type=int, choices=(4, 8), default=4)
    upscale.add_argument("--tile", action="store_true", help="the picture repeats: wrap around its edges")
    upscale.add_argument("--repeat", choices=REPEATS, default="basic", help="the repeat that a tile was made for")
    upscale.add_argument("--model", type=Path, help="package folder (default: the starter)")
    upscale.add_argument("--out", type=Path, required=True, metavar="FILE")

    segment = command("segment", run_segment, "Find the clothes in photos.")
    segment.add_argument("photos", type=Path, nargs="+", metavar="PHOTO")
    segment.add_argument("--model", type=Path, help="package folder, or the published Unet_2020-10-30 checkpoint")
    segment.add_argument(
        "--tap", type=_tap, action="append", default=[], metavar="X,Y", help="a place on the garment that is meant"
    )
    segment.add_argument(
        "--tap-out", type=_tap, action="append", default=[], metavar="X,Y", help="a place that is not of it"
    )
    segment.add_argument(
        "--mend", metavar="GARMENT", help="begin with that garment as it was found, top-2 for instance"
    )
    segment.add_argument("--out", type=Path, required=True, metavar="DIR")

    overlay = command("overlay", run_overlay, "Wear a tile on the clothes of a photo.")
    overlay.add_argument("photo", type=Path, metavar="PHOTO")
    overlay.add_argument("--pattern", type=Path, metavar="TILE", help="the fabric of all that --garments names")
    overlay.add_argument(
        "--garments", type=_garments, default=(), help=f"some of {','.join(CLOTH_CLASSES)}, top-2 ... (default: all)"
    )
    overlay.add_argument(
        "--garment",
        type=_part,
        action="append",
        default=[],
        metavar="NAME=TILE[,KEY=VALUE...]",
        help="an outfit, a garment each: jacket=a.png,scale-cm=9,rotate=30; what is not said goes for all of them",
    )
    overlay.add_argument("--mask", type=Path, help="grey picture, white where the pattern goes (default: found)")
    overlay.add_argument("--scale-cm", type=float, default=16.0, help="side of a tile on the cloth")
    overlay.add_argument("--rotate", type=float, default=0.0, help="degrees counter-clockwise")
    overlay.add_argument("--offset-x", type=float, default=0.0, help="shift in tile sides")
    overlay.add_argument("--offset-y", type=float, default=0.0, help="shift in tile sides")
    overlay.add_argument("--repeat", choices=REPEATS, default="basic")
    overlay.add_argument("--strength", type=float, default=1.0, help="0 (the photo) to 1 (the fabric)")
    overlay.add_argument("--shoulder-cm", type=float, default=40.0, help="shoulder width that ties pixels to cm")
    overlay.add_argument("--model", type=Path, help="segmentation package (default: the starter)")
    overlay.add_argument("--surface", type=Path, help="package that reads the cloth's surface (default: the starter)")
    overlay.add_argument("--out", type=Path, required=True, metavar="FILE")


def run_generate(options: argparse.Namespace) -> Answer:
    from ..evaluation.seam import seam_ratio
    from ..pipelines.generate import GeneratePipeline

    pattern_type = options.pattern_type or (SUBTYPES[options.subtype][0] if options.subtype else None)
    if pattern_type is None:
        raise BadInput(f"Say --type (one of {', '.join(PATTERN_TYPES)}) or --subtype.")
    dreamed = options.engine == "dreamed" and not options.subtype
    if options.subtype and options.model:
        raise BadInput("A subtype is drawn and needs no model; leave --model away.")
    chosen = package_of(options.model, GENERATOR) if dreamed else None
    requests = [
        GenerateRequest(
            pattern_type=pattern_type,
            seed=options.seed + index,
            size=options.size,
            engine=options.engine,
            palette=options.palette and options.palette[:MAX_INKS],
            model=chosen.manifest.reference if chosen else None,
            vary_of=options.vary_of,
            vary_amount=0.0 if options.vary_of is None else options.vary_amount,
            morph_to=options.morph_to,
            morph_amount=0.0 if options.morph_to is None else options.morph_amount,
            morph_type=options.morph_type,
            colours_of=options.colours_of,
            detail_of=options.detail_of,
            subtype=options.subtype,
            repeat=options.repeat,
        )
        for index in range(options.count)
    ]
    pipeline = GeneratePipeline(chosen, _upscaler(8, options.device) if dreamed else None, options.device)
    files = []
    with bar("Generating", len(requests)) as progress:
        for index, request in enumerate(requests):
            fabric = pipeline(request)
            repeat = "" if request.repeat == "basic" else f"-{request.repeat}"
            path = options.out / f"{request.subtype or request.pattern_type}-{request.seed}{repeat}.png"
            images.save_picture(fabric.image, path, fabric.request.to_dict())
            seam = round(seam_ratio(fabric.image, request.repeat), 3)
            files.append({"file": str(path), "seam": seam, **fabric.request.to_dict()})
            progress((index + 1) / len(requests), str(path))
    if options.repeat == "basic":
        return {"patterns": files, "lines": [entry["file"] for entry in files]}
    return {"patterns": files, "lines": [f"{entry['file']}  seam {entry['seam']:.2f}" for entry in files]}


def run_cloth(options: argparse.Namespace) -> Answer:
    from ..pipelines.cloth import cut_cloth

    asked = ClothRequest(options.corners, options.period, options.piece, options.inks, options.size)
    with bar("Cutting one repeat") as progress:
        cut = cut_cloth(images.open_picture(options.photo), asked, progress=progress)
    recipe = {"source": "photographed", **cut.request.to_dict(), "palette": list(cut.palette)}
    images.save_picture(cut.image, options.out, recipe)
    found = {"kind": cut.repeat.kind, "confidence": round(cut.repeat.confidence, 3), "mean_of": cut.repeats_seen}
    steps = {"across": list(cut.repeat.across), "down": list(cut.repeat.down)}
    return {
        "file": str(options.out),
        **found,
        **steps,
        "palette": list(cut.palette),
        "lines": [_found_line(cut, options)],
    }


def _found_line(cut: Cloth, options: argparse.Namespace) -> str:
    width, height = cut.period
    said = {
        "repeat": f"a repeat of {width:.1f} x {height:.1f} px, the mean of {cut.repeats_seen}",
        "stripes": f"stripes that repeat after {min(width, height):.1f} px, the mean of {cut.repeats_seen}",
        "none": "no repeat, so a piece whose edges are joined",
    }[cut.repeat.kind]
    return f"{options.out}: {said}"


def run_upscale(options: argparse.Namespace) -> Answer:
    from ..pipelines.upscale import UpscalePipeline

    image = images.open_picture(options.image)
    pipeline = UpscalePipeline(package_of(options.model, f"srgan-x{options.scale}-starter"), options.device)
    if pipeline.scale != options.scale:
        raise BadInput(f"That model enlarges {pipeline.scale} times, not {options.scale}.")
    with bar("Enlarging") as progress:
        large = pipeline(image, tile=options.tile, repeat=options.repeat, progress=progress)
    images.save_picture(large, options.out)
    return {"file": str(options.out), "width": large.width, "height": large.height, "lines": [str(options.out)]}


def run_segment(options: argparse.Namespace) -> Answer:
    stems = stems_of(options.photos)
    if options.tap or options.tap_out or options.mend:
        return _run_taps(options)
    pipeline = _segmenter(options)
    found, lines = [], []
    with bar("Finding clothes", len(stems)) as progress:
        for index, path in enumerate(options.photos):
            result = pipeline(images.open_picture(path))
            mask, labels = options.out / f"{path.stem}.png", options.out / f"{path.stem}.labels.png"
            save_mask(result.mask, mask)
            images.save_picture(Image.fromarray(result.labels), labels)
            cloth = {"garments": list(result.garments), "cloth": round(float(result.mask.mean()), 4)}
            pieces = [dataclasses.asdict(piece) for piece in result.pieces]
            found.append({"photo": str(path), "mask": str(mask), "labels": str(labels), **cloth, "pieces": pieces})
            lines.append(f"{mask}: {', '.join(result.garments) or 'no clothes found'}")
            progress((index + 1) / len(stems), path.name)
    classes = {str(index): name for index, name in enumerate(GARMENT_CLASSES)}
    return {"model": pipeline.model, "classes": classes, "photos": found, "lines": lines}


def _run_taps(options: argparse.Namespace) -> Answer:
    """The one garment that the taps mean."""
    from ..pipelines.hints import Tap

    if len(options.photos) > 1:
        raise BadInput("Taps are places in one photo; name one photo only.")
    path = options.photos[0]
    photo = images.open_picture(path)
    said = [*((x, y, True) for x, y in options.tap), *((x, y, False) for x, y in options.tap_out)]
    request = TapRequest(photo.width, photo.height, tuple(said), options.mend)
    pipeline = _segmenter(options)
    before = None
    with bar("Finding the garment") as progress:
        if request.garment is not None:
            found = pipeline(photo)
            if request.garment not in found.garments:
                raise BadInput(f"No {request.garment} was found; found: {', '.join(found.garments) or 'no clothes'}.")
            before = found.mask_of(request.garment)
        mask = pipeline.tap(pipeline.encode(photo), [Tap(*tap) for tap in request.taps], before)
        progress(1.0, path.name)
    out = options.out / f"{path.stem}.tapped.png"
    save_mask(mask, out)
    share = round(float((mask > 0.5).mean()), 4)
    answer = {"photo": str(path), "mask": str(out), "share": share, **request.to_dict(), "model": pipeline.model}
    return answer | {"lines": [str(out)]}


def run_overlay(options: argparse.Namespace) -> Answer:
    from ..pipelines.overlay import OverlayPipeline

    outfit, paths = _outfit(options)
    photo, tiles = images.open_picture(options.photo), [images.open_picture(path) for path in paths]
    labels = None
    with bar("Wearing") as progress:
        if options.mask is None or outfit.parts[0].garments:
            segmentation = _segmenter(options)(photo)
            mask, labels = segmentation.mask, segmentation.labels
        if options.mask is not None:
            mask = open_mask(options.mask, photo)
        if not mask.any():
            raise BadInput("No clothes were found in the photo; give --mask to say where the pattern goes.")
        look = OverlayPipeline(_surface(options))(photo, mask, labels, tiles, outfit, progress=progress)
    recipes = [images.read_recipe(tile) for tile in tiles]
    worn = outfit.to_dict() if options.garment else outfit.parts[0].to_dict()
    images.save_picture(look, options.out, {"overlay": worn, "pattern": recipes if options.garment else recipes[0]})
    return {"file": str(options.out), **worn, "lines": [str(options.out)]}


def _outfit(options: argparse.Namespace) -> tuple[OutfitRequest, list[Path]]:
    """What is worn and the files of its fabrics, from ``--pattern`` or from each ``--garment``."""
    usual = {name: getattr(options, name) for name in (*_FIT, "repeat", "shoulder_cm")}
    if bool(options.garment) == (options.pattern is not None):
        raise BadInput("Give either --pattern for one fabric or --garment NAME=TILE for each garment of an outfit.")
    if not options.garment:
        return OutfitRequest((OverlayRequest(garments=options.garments, **usual),)), [options.pattern]
    if options.garments:
        raise BadInput("--garments goes with --pattern; an outfit names each garment with --garment NAME=TILE.")
    parts = (OverlayRequest(**{**usual, **said}) for _, said in options.garment)
    return OutfitRequest(tuple(parts)), [path for path, _ in options.garment]


def _segmenter(options: argparse.Namespace) -> Any:
    from ..pipelines.segment import SegmentPipeline

    if options.model is not None and options.model.is_file():
        import tempfile

        from ..packaging.published import convert_unet_2020

        with tempfile.TemporaryDirectory() as folder:
            return SegmentPipeline(convert_unet_2020(options.model, folder), options.device)
    return SegmentPipeline(package_of(options.model, "unet-starter"), options.device)


def _surface(options: argparse.Namespace) -> Any:
    """What reads the surface of cloth; None where no model for it is installed."""
    from ..packaging.starter import WEIGHTS_DIR

    if options.surface is None and not (WEIGHTS_DIR / SURFACE / "manifest.json").is_file():
        return None
    from ..pipelines.surface import SurfacePipeline

    return SurfacePipeline(package_of(options.surface, SURFACE), options.device)


def _upscaler(scale: int, device: str) -> Any:
    from ..pipelines.upscale import UpscalePipeline

    return UpscalePipeline(package_of(None, f"srgan-x{scale}-starter"), device)


def _tap(text: str) -> tuple[int, int]:
    try:
        x, y = (int(part) for part in text.split(","))
    except ValueError as error:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a place; write X,Y in pixels, 120,300 for instance"
        ) from error
    return x, y


def _part(text: str) -> tuple[Path, dict[str, Any]]:
    """``jacket=a.png,scale-cm=9`` -> the file, and what it says of the fit."""
    name, _, rest = text.partition("=")
    file, *pairs = rest.split(",")
    if not name.strip() or not file.strip():
        raise argparse.ArgumentTypeError(f"{text!r} is not a garment and its fabric; write jacket=fabric.png.")
    try:
        said: dict[str, Any] = {"garments": (garment_of(name),)}
    except BadInput as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    for pair in pairs:
        key, _, value = (part.strip() for part in pair.partition("="))
        key = key.replace("-", "_")
        if key != "repeat" and key not in _FIT:
            known = ", ".join(field.replace("_", "-") for field in (*_FIT, "repeat"))
            raise argparse.ArgumentTypeError(f"{pair!r} says nothing of how a fabric is worn; known are {known}.")
        try:
            said[key] = value if key == "repeat" else float(value)
        except ValueError as error:
            raise argparse.ArgumentTypeError(f"{value!r} is not a number.") from error
    return Path(file.strip()), said


def _garments(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _shares(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not a list of numbers like 0.1,0.2") from error
