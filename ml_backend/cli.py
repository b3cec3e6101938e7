"""``python -m ml_backend COMMAND``: every capability of the library from a shell.

The shape of the commands is a promise; people script them.  Results go to standard output (one JSON document with
``--json``), progress to standard error, bad input ends with status 2 and one line.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import images
from .errors import BadInput, LibraryError
from .requests import (
    CLOTH_CLASSES,
    ENGINES,
    GARMENT_CLASSES,
    PATTERN_TYPES,
    REPEATS,
    GenerateRequest,
    OverlayRequest,
    parse_palette,
)

if TYPE_CHECKING:
    from .packaging import Package
    from .pipelines.base import Progress

Answer = dict[str, Any]
"""What a command prints: as JSON with ``--json``, else its ``lines``."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0 when it did what was asked, 2 for bad input, 130 when interrupted."""
    parser = build_parser()
    options = parser.parse_args(arguments)
    try:
        answer = options.run(options)
    except LibraryError as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return 130
    lines = answer.pop("lines")
    try:
        print(json.dumps(answer) if options.json else "\n".join(lines), flush=True)
    except BrokenPipeError:
        # The reader (``| head``) has seen enough; without this Python would complain again when it closes the pipe.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m ml_backend", description="Make fabrics and wear them.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, run: Callable[[argparse.Namespace], Answer], summary: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=summary, description=summary)
        sub.set_defaults(run=run)
        sub.add_argument("--json", action="store_true", help="print one JSON document")
        sub.add_argument("--device", default="cpu", help="cpu or cuda (default: cpu)")
        return sub

    generate = command("generate", run_generate, "Make new fabric tiles.")
    generate.add_argument("--type", required=True, choices=PATTERN_TYPES, dest="pattern_type", metavar="TYPE")
    generate.add_argument("--count", type=_at_least_one, default=1, help="how many, from neighbouring seeds")
    generate.add_argument("--seed", type=int, default=0, help="seed of the first tile")
    generate.add_argument("--size", type=int, default=512, help="side of a tile in pixels")
    generate.add_argument("--engine", choices=ENGINES, default="dcgan", help="dreamed by a network or drawn")
    generate.add_argument("--palette", type=_palette, help="colours like '#7a1f2b,#f3e9dc'")
    generate.add_argument("--vary-of", type=int, metavar="SEED", help="more like that seed's fabric")
    generate.add_argument("--vary-amount", type=float, default=0.25, help="0 (that fabric) to 1 (quite another)")
    generate.add_argument("--model", type=Path, help="package folder (default: the starter)")
    generate.add_argument("--out", type=Path, required=True, metavar="DIR")

    upscale = command("upscale", run_upscale, "Enlarge a picture with the SRGAN.")
    upscale.add_argument("image", type=Path, metavar="IMAGE")
    upscale.add_argument("--scale", type=int, choices=(4, 8), default=4)
    upscale.add_argument("--tile", action="store_true", help="the picture repeats: wrap around its edges")
    upscale.add_argument("--model", type=Path, help="package folder (default: the starter)")
    upscale.add_argument("--out", type=Path, required=True, metavar="FILE")

    segment = command("segment", run_segment, "Find the clothes in photos.")
    segment.add_argument("photos", type=Path, nargs="+", metavar="PHOTO")
    segment.add_argument("--model", type=Path, help="package folder, or the published Unet_2020-10-30 checkpoint")
    segment.add_argument("--out", type=Path, required=True, metavar="DIR")

    overlay = command("overlay", run_overlay, "Wear a tile on the clothes of a photo.")
    overlay.add_argument("photo", type=Path, metavar="PHOTO")
    overlay.add_argument("--pattern", type=Path, required=True, metavar="TILE")
    overlay.add_argument(
        "--garments", type=_garments, default=(), help=f"some of {','.join(CLOTH_CLASSES)} (default: all)"
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
    overlay.add_argument("--out", type=Path, required=True, metavar="FILE")

    train = command("train", run_train, "Train a model by its recipe.")
    train.add_argument("recipe", type=Path, metavar="RECIPE.json")
    train.add_argument("--run-dir", type=Path, required=True, metavar="DIR")
    train.add_argument("--resume", action="store_true", help="go on from the run's checkpoint")

    evaluate = command("evaluate", run_evaluate, "Measure quality.")
    from .evaluation.commands import add_metrics

    add_metrics(evaluate)
    return parser


def run_generate(options: argparse.Namespace) -> Answer:
    from .pipelines.generate import GeneratePipeline

    dreamed = options.engine == "dcgan"
    package = _package(options.model, "dcgan-starter") if dreamed else None
    requests = [
        GenerateRequest(
            pattern_type=options.pattern_type,
            seed=options.seed + index,
            size=options.size,
            engine=options.engine,
            palette=options.palette,
            model=package.manifest.reference if package else None,
            vary_of=options.vary_of,
            vary_amount=0.0 if options.vary_of is None else options.vary_amount,
        )
        for index in range(options.count)
    ]
    pipeline = GeneratePipeline(package, _upscaler(8, options.device) if dreamed else None, options.device)
    files = []
    with _bar("Generating", len(requests)) as progress:
        for index, request in enumerate(requests):
            fabric = pipeline(request)
            path = options.out / f"{request.pattern_type}-{request.seed}.png"
            images.save_picture(fabric.image, path, fabric.request.to_dict())
            files.append({"file": str(path), **fabric.request.to_dict()})
            progress((index + 1) / len(requests), str(path))
    return {"patterns": files, "lines": [entry["file"] for entry in files]}


def run_upscale(options: argparse.Namespace) -> Answer:
    from .pipelines.upscale import UpscalePipeline

    image = images.open_picture(options.image)
    pipeline = UpscalePipeline(_package(options.model, f"srgan-x{options.scale}-starter"), options.device)
    if pipeline.scale != options.scale:
        raise BadInput(f"That model enlarges {pipeline.scale} times, not {options.scale}.")
    with _bar("Enlarging") as progress:
        large = pipeline(image, tile=options.tile, progress=progress)
    images.save_picture(large, options.out)
    return {"file": str(options.out), "width": large.width, "height": large.height, "lines": [str(options.out)]}


def run_segment(options: argparse.Namespace) -> Answer:
    from PIL import Image

    stems = [photo.stem for photo in options.photos]
    if len(set(stems)) < len(stems):
        raise BadInput("Two of the photos have the same name; their masks would overwrite each other.")
    pipeline = _segmenter(options)
    found, lines = [], []
    with _bar("Finding clothes", len(stems)) as progress:
        for index, path in enumerate(options.photos):
            result = pipeline(images.open_picture(path))
            mask, labels = options.out / f"{path.stem}.png", options.out / f"{path.stem}.labels.png"
            images.save_picture(Image.fromarray((result.mask * 255).round().astype("uint8")), mask)
            images.save_picture(Image.fromarray(result.labels), labels)
            cloth = {"garments": list(result.garments), "cloth": round(float(result.mask.mean()), 4)}
            found.append({"photo": str(path), "mask": str(mask), "labels": str(labels), **cloth})
            lines.append(f"{mask}: {', '.join(result.garments) or 'no clothes found'}")
            progress((index + 1) / len(stems), path.name)
    classes = {str(index): name for index, name in enumerate(GARMENT_CLASSES)}
    return {"model": pipeline.model, "classes": classes, "photos": found, "lines": lines}


def run_overlay(options: argparse.Namespace) -> Answer:
    import numpy as np

    from .pipelines.overlay import OverlayPipeline

    names = ("garments", "scale_cm", "rotate", "offset_x", "offset_y", "repeat", "strength", "shoulder_cm")
    request = OverlayRequest(**{name: getattr(options, name) for name in names})
    photo, tile = images.open_picture(options.photo), images.open_picture(options.pattern)
    labels = None
    with _bar("Wearing") as progress:
        if options.mask is None or request.garments:
            segmentation = _segmenter(options)(photo)
            mask, labels = segmentation.mask, segmentation.labels
        if options.mask is not None:
            given = images.open_picture(options.mask, "L")
            if given.size != photo.size:
                raise BadInput(f"The mask is {given.width}x{given.height}, the photo {photo.width}x{photo.height}.")
            mask = np.asarray(given, np.float32) / 255
        if not mask.any():
            raise BadInput("No clothes were found in the photo; give --mask to say where the pattern goes.")
        look = OverlayPipeline()(photo, mask, labels, tile, request, progress=progress)
    images.save_picture(look, options.out, {"overlay": request.to_dict(), "pattern": images.read_recipe(tile)})
    return {"file": str(options.out), **request.to_dict(), "lines": [str(options.out)]}


def run_train(options: argparse.Namespace) -> Answer:
    from . import training

    config = training.read_recipe(options.recipe)
    with _bar("Training") as progress:
        training.train(config, options.run_dir, resume=options.resume, progress=progress)
    return {"run": str(options.run_dir), "recipe": asdict(config), "lines": [f"Trained in {options.run_dir}."]}


def run_evaluate(options: argparse.Namespace) -> Answer:
    figures = options.measure(options)
    lines = [
        f"{name}: {value:.4f}" if isinstance(value, float) else f"{name}: {value}" for name, value in figures.items()
    ]
    return {"metric": options.metric, **figures, "lines": lines}


def _segmenter(options: argparse.Namespace) -> Any:
    from .pipelines.segment import SegmentPipeline

    if options.model is not None and options.model.is_file():
        import tempfile

        from .packaging.published import convert_unet_2020

        with tempfile.TemporaryDirectory() as folder:
            return SegmentPipeline(convert_unet_2020(options.model, folder), options.device)
    return SegmentPipeline(_package(options.model, "unet-starter"), options.device)


def _upscaler(scale: int, device: str) -> Any:
    from .pipelines.upscale import UpscalePipeline

    return UpscalePipeline(_package(None, f"srgan-x{scale}-starter"), device)


def _package(path: Path | None, starter_name: str) -> Package:
    from .packaging import Package
    from .packaging.starter import starter

    return starter(starter_name) if path is None else Package.load(path)


@contextmanager
def _bar(what: str, total: int | None = None) -> Iterator[Progress]:
    """A progress bar on standard error, silent when that is not a terminal."""
    from tqdm import tqdm

    form = "{desc}: {percentage:3.0f}%|{bar}| {postfix}" if total is None else None
    with tqdm(total=total or 1.0, desc=what, file=sys.stderr, disable=None, leave=False, bar_format=form) as bar:

        def show(fraction: float, stage: str) -> None:
            bar.set_postfix_str(stage)
            bar.update(fraction * bar.total - bar.n)

        yield show


def _at_least_one(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return value


def _palette(text: str) -> tuple[str, ...]:
    try:
        return parse_palette(text)
    except BadInput as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _garments(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())
