"""Commands that work from what a person says: text-mask, restyle, imagine."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import images
from ..engines import ENGINES
from ..errors import BadInput
from ..packaging.starter import package_of
from ..requests import (
    IMAGINE_ENGINES,
    MAX_SEED,
    NORMALISATIONS,
    RESTYLE_ENGINES,
    SCHEDULERS,
    SKETCHES,
    ImagineRequest,
    RestyleRequest,
    TextMaskRequest,
    parse_lora,
)
from .common import Answer, Command, at_least_one, bar, open_mask, save_mask, stems_of

if TYPE_CHECKING:
    from PIL.Image import Image

    from ..pipelines.imagine import Imagined
    from ..pipelines.restyle import Restyled
    from ..pipelines.restyle.crop import F32
    from ..pipelines.segment import SegmentPipeline
    from ..pipelines.text_mask import TextMask

SEGMENT_STARTER = "unet-starter"
TEXT_MASK_STARTER = "clipseg-starter"
INPAINT_STARTER = "inpaint-starter"
CLIP_HELP = "CLIP model folder: the fabric engine then reads words like those it knows"
SAMPLING = ("negative_prompt", "steps", "guidance", "size", "scheduler")


def add_commands(command: Command) -> None:
    text_mask = command("text-mask", run_text_mask, "Find what the words say in photos.")
    text_mask.add_argument("photos", type=Path, nargs="+", metavar="PHOTO")
    text_mask.add_argument("--prompt", required=True, help="like 'the dress and the shoes, not the belt'")
    text_mask.add_argument("--normalise", choices=NORMALISATIONS, default="sigmoid", help="logits to 0..1")
    text_mask.add_argument("--threshold", type=float, help="0 to 1: a hard mask (default: a soft one)")
    text_mask.add_argument("--grow", type=float, default=0.0, help="percent of the longer side; negative shrinks")
    text_mask.add_argument("--feather", type=float, default=0.0, help="percent of the longer side")
    text_mask.add_argument("--no-refine", action="store_true", help="do not follow the photo's edges")
    text_mask.add_argument("--model", type=Path, help="CLIPSeg package folder (default: the starter)")
    text_mask.add_argument("--out", type=Path, required=True, metavar="DIR")

    restyle = command("restyle", run_restyle, "Repaint a part of a photo from words.")
    restyle.add_argument("photo", type=Path, metavar="PHOTO")
    where = restyle.add_mutually_exclusive_group(required=True)
    where.add_argument("--region", help="what to repaint, in words")
    where.add_argument("--mask", type=Path, help="grey picture, white where to repaint")
    restyle.add_argument("--engine", choices=RESTYLE_ENGINES, help="default: fabric; with --model diffusion")
    _add_sampling(restyle)
    restyle.add_argument("--strength", type=float, help="1 repaints from nothing, less keeps some of what was there")
    restyle.add_argument(
        "--sketch", choices=SKETCHES, help="fabric: what was there first wears a drawn fabric of the words"
    )
    restyle.add_argument("--clip", type=Path, metavar="DIR", help=CLIP_HELP)
    restyle.add_argument("--mask-model", type=Path, help="CLIPSeg package folder for --region (default: the starter)")

    imagine = command("imagine", run_imagine, "Make pictures from words alone.")
    imagine.add_argument("--engine", choices=IMAGINE_ENGINES, help="default: fabric; with --model diffusion")
    _add_sampling(imagine)
    imagine.add_argument("--clip", type=Path, metavar="DIR", help=CLIP_HELP)


def _add_sampling(parser: argparse.ArgumentParser) -> None:
    """What restyle and imagine have in common; what is left out is the model's own."""
    parser.add_argument("--prompt", required=True, help="what it should look like")
    parser.add_argument("--negative-prompt", default="", help="what it should not look like")
    parser.add_argument("--count", type=at_least_one, default=1, help="how many, from neighbouring seeds")
    parser.add_argument("--seed", type=int, default=0, help="seed of the first picture")
    parser.add_argument("--steps", type=int)
    parser.add_argument("--guidance", type=float)
    parser.add_argument("--size", type=int, help="side in pixels that the model works at")
    parser.add_argument("--scheduler", choices=SCHEDULERS)
    parser.add_argument("--lora", action="append", default=[], metavar="NAME:STRENGTH", help="may be given repeatedly")
    parser.add_argument("--lora-dir", type=Path, metavar="DIR", help="holds NAME.safetensors or NAME/")
    parser.add_argument("--model", type=Path, help="diffusers package folder (default: the starter)")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")


def run_text_mask(options: argparse.Namespace) -> Answer:
    from ..pipelines.text_mask import TextMaskPipeline

    stems = stems_of(options.photos)
    request = TextMaskRequest(
        prompt=options.prompt,
        normalise=options.normalise,
        threshold=options.threshold,
        grow=options.grow,
        feather=options.feather,
        refine=not options.no_refine,
    )
    pipeline = TextMaskPipeline(package_of(options.model, TEXT_MASK_STARTER), options.device)
    segment = _segment(options)
    found, lines = [], []
    with bar("Looking", len(stems)) as progress:
        for index, path in enumerate(options.photos):
            photo = images.open_picture(path)
            result = pipeline(photo, request, cloth=partial(segment, photo))
            _check_known(result)
            mask = options.out / f"{path.stem}.png"
            save_mask(result.mask, mask)
            phrases = [
                {
                    "text": each.text,
                    "subtract": each.subtract,
                    "confidence": round(each.confidence, 4),
                    "known": each.known,
                }
                for each in result.phrases
            ]
            found.append({"photo": str(path), "mask": str(mask), "phrases": phrases})
            seen = ", ".join(
                f"{each.text} {f'{each.confidence:.0%}' if each.known else 'unknown'}" for each in result.phrases
            )
            lines.append(f"{mask}: {seen}")
            progress((index + 1) / len(stems), path.name)
    return {**request.to_dict(), "model": pipeline.model, "photos": found, "lines": lines}


def _segment(options: argparse.Namespace) -> Callable[[Image], tuple[F32, Any]]:
    """Gives cloth and classes of a photo, by the starter; it is loaded where words first name a garment."""

    @cache
    def network() -> SegmentPipeline:
        from ..pipelines.segment import SegmentPipeline

        return SegmentPipeline(package_of(None, SEGMENT_STARTER), options.device)

    def segment(photo: Image) -> tuple[F32, Any]:
        seen = network()(photo)
        return seen.mask, seen.labels

    return segment


def _check_known(found: TextMask) -> None:
    """Raises :class:`BadInput` where the model knows nothing that is sought."""
    unknown = [phrase.text for phrase in found.phrases if not phrase.known]
    if unknown and not any(phrase.known for phrase in found.phrases if not phrase.subtract):
        said = ", ".join(repr(text) for text in unknown)
        raise BadInput(
            f"The model does not know {said}; it was taught words for clothes, shoes, bags, hair and people."
        )


def run_restyle(options: argparse.Namespace) -> Answer:
    engine = _engine("restyle", options)
    settings = {**_settings(options), "strength": options.strength, "sketch": options.sketch}
    requests = [RestyleRequest(options.prompt, seed, engine=engine, **settings) for seed in _seeds(options)]
    photo = images.open_picture(options.photo)
    paint = _painter("restyle", engine, options)
    mask = _region(photo, options)
    saved = _Saved(options.out, options.photo.stem)
    with bar("Restyling") as progress:
        paint(photo, mask, requests, progress=progress, on_image=saved)
    return {"engine": engine, **saved.answer()}


def run_imagine(options: argparse.Namespace) -> Answer:
    engine = _engine("imagine", options)
    requests = [ImagineRequest(options.prompt, seed, engine=engine, **_settings(options)) for seed in _seeds(options)]
    paint = _painter("imagine", engine, options)
    saved = _Saved(options.out, "imagine")
    with bar("Imagining") as progress:
        paint(requests, progress=progress, on_image=saved)
    return {"engine": engine, **saved.answer()}


def _settings(options: argparse.Namespace) -> dict[str, Any]:
    """What :func:`_add_sampling` asks of how a model samples."""
    return {"loras": tuple(options.lora), **{name: getattr(options, name) for name in SAMPLING}}


class _Saved:
    """Writes each picture when it is finished, so that an interrupted run keeps what it has."""

    def __init__(self, folder: Path, stem: str) -> None:
        self.folder, self.stem = folder, stem
        self.entries: list[dict[str, Any]] = []
        self.lines: list[str] = []

    def __call__(self, number: int, made: Restyled | Imagined) -> None:
        del number
        path = self.folder / f"{self.stem}-{made.request.seed}.png"
        if made.image is not None:
            images.save_picture(made.image, path, made.request.to_dict())
        file = None if made.image is None else str(path)
        about = {"refused": made.refused, "notes": list(made.notes)}
        self.entries.append({"file": file, **about, **made.request.to_dict()})
        self.lines.append(made.refused if file is None else file)
        self.lines.extend(f"  {note}" for note in made.notes)

    def answer(self) -> Answer:
        return {"pictures": self.entries, "lines": self.lines}


def _engine(work: str, options: argparse.Namespace) -> str:
    """The one that is asked for; a model of one's own means diffusion."""
    engine = str(options.engine or ("fabric" if options.model is None else "diffusion"))
    if options.model is not None and not ENGINES[work][engine].model:
        raise BadInput(f"The {engine} engine takes no --model; leave it out or ask for --engine diffusion.")
    return engine


def _painter(work: str, name: str, options: argparse.Namespace) -> Any:
    """The engine of that name, ready to be called."""
    from ..pipelines.base import Given, build

    engine = ENGINES[work][name]
    clip = Given(clip=str(options.clip or ""))
    given = replace(
        clip,
        package=package_of(options.model, INPAINT_STARTER) if engine.model else None,
        device=lambda: str(options.device),
        loras=_loras(options) if "loras" in engine.heeds else {},
        other=lambda other: build(other, clip),
    )
    return build(f"{work}-{name}", given)


def _region(photo: Image, options: argparse.Namespace) -> F32:
    """Where to repaint: the mask that is given, or what the words find."""
    if options.mask is not None:
        return open_mask(options.mask, photo)
    from ..pipelines.text_mask import TextMaskPipeline

    pipeline = TextMaskPipeline(package_of(options.mask_model, TEXT_MASK_STARTER), options.device)
    result = pipeline(photo, TextMaskRequest(options.region), cloth=partial(_segment(options), photo))
    _check_known(result)
    found = result.mask
    if not found.any():
        raise BadInput(f"Nothing like {options.region!r} was found in the photo; use other words or give --mask.")
    return found


def _seeds(options: argparse.Namespace) -> list[int]:
    """Neighbouring seeds; after the largest comes 0."""
    if not 0 <= options.seed <= MAX_SEED:
        raise BadInput(f"The seed must be a whole number from 0 to {MAX_SEED}, not {options.seed}.")
    return [(options.seed + index) % (MAX_SEED + 1) for index in range(options.count)]


def _loras(options: argparse.Namespace) -> dict[str, Path]:
    """Where the LoRAs that are asked for lie: a file of that name, or a folder."""
    names = [parse_lora(lora)[0] for lora in options.lora]
    if names and options.lora_dir is None:
        raise BadInput("Say with --lora-dir where the LoRAs are.")
    places: dict[str, Path] = {}
    for name in names:
        for place in (options.lora_dir / f"{name}.safetensors", options.lora_dir / name):
            if place.exists():
                places.setdefault(name, place)
    return places
