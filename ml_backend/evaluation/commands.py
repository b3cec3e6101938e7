"""``evaluate METRIC``: one entry a metric, each adding its own arguments."""

from __future__ import annotations

import argparse
import json
import shlex
from collections.abc import Callable, Sequence
from dataclasses import replace
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..engines import RESTYLE
from ..errors import BadInput
from ..packaging import Package
from ..packaging.starter import GENERATOR, package_of, starter
from ..requests import REPEATS, SKETCHES, RestyleRequest
from ..training.recipe import read_json
from .table import Row, compared_lines, from_json, mean_row, to_json, with_rows

if TYPE_CHECKING:
    from .restyle import Engine
    from .surface import Reader

Figures = dict[str, Any]
Measure = Callable[[argparse.Namespace], Figures]

TABLE, VERSIONS = "table", "versions"
"""Among the figures: rows that the metric has made itself, and tables of several versions."""
DATA = ("truth", "street", "garment_photos", "photos", "real", "folder", "data", "garments")
"""Options that say on what is measured; the rest say how."""
PLACED = ("predicted", "truth", "real", "fake", "picture", "folder")
"""Options that are given by their place."""
NOT_SAID = ("metric", "measure", "command", "run", "json", "device", "save", "keep", "sheet", "neighbours", "words")


def add_metrics(parser: argparse.ArgumentParser) -> None:
    """Give ``evaluate`` its metrics.  ``options.measure(options)`` returns the figures by name."""
    metrics = parser.add_subparsers(dest="metric", required=True, metavar="METRIC")

    def metric(name: str, measure: Measure, summary: str) -> argparse.ArgumentParser:
        sub = metrics.add_parser(name, help=summary, description=summary)
        sub.set_defaults(measure=measure)
        # SUPPRESS: ``evaluate --json METRIC`` and ``evaluate METRIC --json`` both count.
        sub.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="print one JSON document")
        return sub

    iou = metric("iou", measure_iou, "Mean IoU of masks in one folder against those in another.")
    iou.add_argument("predicted", type=Path, metavar="DIR")
    iou.add_argument("truth", type=Path, metavar="TRUTH_DIR")

    cloth = metric("cloth", measure_cloth, "Cloth IoU, boundary F and class mIoU, with and without edge refinement.")
    cloth.add_argument("--street", type=Path, metavar="DIR", help="labelled street photos")
    cloth.add_argument("--garment-photos", type=Path, metavar="DIR", help="single garments by class")
    cloth.add_argument("--garment-mattes", type=Path, metavar="DIR", help="their mattes")
    cloth.add_argument(
        "--without", type=Path, metavar="FILE", help="single garments to leave out, a line FOLDER/NAME each"
    )
    cloth.add_argument("--model", type=Path, help="package folder (default: the starter)")

    segment = metric(
        "segment", measure_segment, "All figures of masks: cloth, classes, outlines, garments one by one, taps."
    )
    segment.add_argument("--street", type=Path, required=True, metavar="DIR", help="labelled street photos")
    segment.add_argument("--garment-photos", type=Path, metavar="DIR", help="single garments by class")
    segment.add_argument("--garment-mattes", type=Path, metavar="DIR", help="their mattes")
    segment.add_argument(
        "--without", type=Path, metavar="FILE", help="single garments to leave out, a line FOLDER/NAME each"
    )
    segment.add_argument("--rendered", type=Path, metavar="DIR", help="rendered people, to stand in the pairs too")
    segment.add_argument("--pairs", type=int, default=40, help="pictures of two people (default: 40)")
    segment.add_argument("--tap-photos", type=int, default=50, help="photos whose garments are tapped (default: 50)")
    segment.add_argument("--model", type=Path, help="package folder (default: the starter)")

    words = metric("text-mask", measure_text_mask, "IoU of masks by words on the held-out street photos.")
    words.add_argument("--street", type=Path, required=True, metavar="DIR", help="labelled street photos")
    words.add_argument("--model", type=Path, help="package folder (default: the starter)")

    restyle = metric("restyle", measure_restyle, "Share of colour and pattern words that repainted garments obey.")
    restyle.add_argument("--photos", type=Path, required=True, metavar="DIR", help="labelled street photos")
    restyle.add_argument("--engine", choices=list(RESTYLE), default="fabric")
    restyle.add_argument("--model", type=Path, help="package folder of the engine (default: the starter)")
    restyle.add_argument("--count", type=int, default=12, help="photos, each repainted once a word (default: 12)")
    restyle.add_argument("--seed", type=int, default=0, help="seed of the first photo; the next take the next")
    restyle.add_argument("--steps", type=int, help="steps of the diffusion engine (default: the model's own)")
    restyle.add_argument("--size", type=int, help="side in pixels that it works at (default: the model's own)")
    restyle.add_argument("--sketch", choices=SKETCHES, help="what it begins from (default: the model's own)")
    restyle.add_argument("--strength", type=float, help="how much of that is repainted (default: the model's own)")
    restyle.add_argument("--keep", type=Path, metavar="DIR", help="write the pictures there")

    named = metric("words", measure_words, "Designs that have names: chosen from sentences, recognised when drawn.")
    named.add_argument("--model", type=Path, help="package that recognises designs (default: the starter)")
    named.add_argument("--count", type=int, default=20, help="tiles of each design (default: 20)")

    photographed = metric(
        "photographed", measure_photographed, "Photographed cloth: repeats found, seams, and the error of the inks."
    )
    photographed.add_argument("--count", type=int, default=1, help="photos of each design (default: 1)")

    seam = metric("seam", measure_seam, "Seam ratio of tiles: edge jump over interior jump, 1 is no seam.")
    seam.add_argument("tiles", type=Path, nargs="+", metavar="TILE")
    seam.add_argument("--repeat", choices=REPEATS, help="what lies beyond the border (default: what the tile tells)")

    psnr = metric("psnr", measure_psnr, "PSNR and SSIM of pictures against the true ones.")
    lpips = metric("lpips", measure_lpips, "How different pictures look to a network from the true ones.")
    lpips.add_argument(
        "--weights", type=Path, metavar="FILE", help="AlexNet or VGG16 of torchvision, for LPIPS proper (else ours)"
    )
    for sub in (psnr, lpips):
        sub.add_argument("picture", type=Path, metavar="PICTURE", help="a picture, or a folder of them")
        sub.add_argument("truth", type=Path, metavar="TRUTH", help="the true one, or a folder with the same names")

    clip = metric("clip", measure_clip, "CLIP score of pictures with words, where a CLIP is there.")
    clip.add_argument("folder", type=Path, metavar="FOLDER", help="pictures with captions, or pictures of --prompt")
    clip.add_argument("--prompt", help="the words of all of them")
    clip.add_argument(
        "--clip", type=Path, metavar="DIR", help="CLIP in transformers' format (default: the hub's cache)"
    )

    restoration = metric(
        "restoration", measure_restoration, "The SRGAN against bicubic and Lanczos on held-out pictures."
    )
    restoration.add_argument("--scale", type=int, choices=(4, 8), default=8)
    restoration.add_argument("--model", type=Path, help="package folder (default: the starter)")
    restoration.add_argument("--count", type=int, default=40, help="drawn pictures (default: 40)")
    restoration.add_argument(
        "--real", default="", metavar="DIR", help="close-ups of cloth by class, for real pictures too"
    )
    restoration.add_argument("--dreamed", type=int, default=0, metavar="N", help="enlarge N dreamed fabrics too")
    restoration.add_argument("--generator", type=Path, help="package that dreams them (default: the starter)")
    restoration.add_argument(
        "--vgg", type=Path, metavar="FILE", help="VGG19 weights: measure distances in its features"
    )

    generator = metric(
        "generator", measure_generator, "KID, FID, recognised share, diversity and seams of dreamed fabrics, per type."
    )
    generator.add_argument("--model", type=Path, help="package folder (default: the starter)")
    generator.add_argument("--classifier", type=Path, help="package whose features are used (default: the starter)")
    generator.add_argument("--count", type=int, default=50, help="fabrics of each type (default: 50)")
    generator.add_argument("--upscale", type=Path, help="package that enlarges finished fabrics (default: the starter)")
    generator.add_argument("--sheet", type=Path, metavar="FILE", help="write ten types x eight fabrics, tiled 2x2")
    generator.add_argument("--cell", type=int, default=208, help="pixels of a fabric on the sheet (default: 208)")
    generator.add_argument(
        "--neighbours", type=Path, metavar="FILE", help="write fabrics beside their nearest training swatches"
    )
    generator.add_argument(
        "--swatches", type=int, default=200, help="training swatches of each type to search (default: 200)"
    )

    surface = metric("surface", measure_surface, "Light, normals, grain and scale of cloth, beside the method by hand.")
    surface.add_argument("--data", type=Path, metavar="DIR", help="rendered people, for their held-out figures")
    surface.add_argument(
        "--garments", type=Path, metavar="DIR", help="single garments by class, for plain held-out ones"
    )
    surface.add_argument("--mattes", type=Path, metavar="DIR", help="their mattes")
    surface.add_argument("--model", type=Path, help="package folder (default: the starter)")

    worn = metric("worn", measure_worn, "Light kept on plain garments worn in even grey, and old print left on others.")
    worn.add_argument("--garments", type=Path, metavar="DIR", help="single garments by class, for plain held-out ones")
    worn.add_argument("--mattes", type=Path, metavar="DIR", help="their mattes")
    worn.add_argument("--data", type=Path, metavar="DIR", help="rendered people, for prints that are known")
    worn.add_argument("--model", type=Path, help="surface package (default: the starter)")

    for name, full in (("kid", "Kernel"), ("fid", "Frechet")):
        distance = metric(
            name, measure_distance, f"{full} distance of two folders of pictures, in Inception's features or ours."
        )
        distance.add_argument("real", type=Path, metavar="REAL_DIR")
        distance.add_argument("fake", type=Path, metavar="FAKE_DIR")
        distance.add_argument(
            "--inception", type=Path, metavar="FILE", help="Inception's weights (default: those of torch's cache)"
        )
        distance.add_argument(
            "--classifier", type=Path, help="package whose features are used (default: Inception, else the starter)"
        )

    compare = metric("compare", measure_compare, "Figures of several versions side by side.")
    compare.add_argument(
        "versions", nargs="+", metavar="VERSION", help="a package folder, or a JSON file of figures; NAME=PATH names it"
    )
    compare.add_argument("--by", metavar="METRIC", help="measures the packages: 'restyle --photos DIR --count 3'")

    for sub in metrics.choices.values():
        sub.add_argument("--save", type=Path, metavar="FILE", help="keep the figures in this JSON table, beside others")

    classifier = metric("classifier", measure_classifier, "Accuracy of the pattern classifier on held-out swatches.")
    classifier.add_argument("--model", type=Path, help="package folder (default: the starter)")
    classifier.add_argument("--real", type=Path, metavar="DIR", help="close-ups of cloth by class, for those held out")


def measure_iou(options: argparse.Namespace) -> Figures:
    from .cloth import folder_iou

    return folder_iou(options.predicted, options.truth)


def measure_cloth(options: argparse.Namespace) -> Figures:
    from ..pipelines.segment import SegmentPipeline
    from .cloth import garment_pairs, measure, read_names, street_pairs

    if (options.garment_photos is None) != (options.garment_mattes is None):
        raise BadInput("--garment-photos and --garment-mattes go together.")
    if options.street is None and options.garment_photos is None:
        raise BadInput("Name a data set: --street, or --garment-photos with --garment-mattes.")
    pipeline = SegmentPipeline(package_of(options.model, "unet-starter"), options.device)
    figures: Figures = {"model": pipeline.model}
    if options.street is not None:
        found = measure(pipeline, street_pairs(options.street))
        figures |= {f"street_{name}": value for name, value in found.items()}
    if options.garment_photos is not None:
        without = frozenset() if options.without is None else read_names(options.without)
        found = measure(pipeline, garment_pairs(options.garment_photos, options.garment_mattes, without))
        figures |= {f"garment_{name}": value for name, value in found.items()}
    return figures


def measure_segment(options: argparse.Namespace) -> Figures:
    from ..pipelines.segment import SegmentPipeline
    from .pieces import measure_pairs, measure_pieces, measure_taps

    if options.pairs < 0 or options.tap_photos < 0:
        raise BadInput("A number of pictures cannot be negative.")
    figures = measure_cloth(options)
    pipeline = SegmentPipeline(package_of(options.model, "unet-starter"), options.device)
    found = measure_pieces(pipeline, options.street)
    figures |= {f"street_{name}": value for name, value in found.items()}
    if options.pairs:
        found = measure_pairs(pipeline, options.street, options.rendered, options.pairs)
        figures |= {f"pairs_{name}": value for name, value in found.items()}
    if options.tap_photos and pipeline.knows_taps:
        figures |= measure_taps(pipeline, options.street, options.tap_photos)
    return figures


def measure_text_mask(options: argparse.Namespace) -> Figures:
    from ..pipelines.text_mask import TextMaskPipeline
    from .text_mask import measure, street_pairs

    pipeline = TextMaskPipeline(package_of(options.model, "clipseg-starter"), options.device)
    return {"model": pipeline.model, **measure(pipeline, street_pairs(options.street))}


def measure_restyle(options: argparse.Namespace) -> Figures:
    from PIL.Image import Image

    from ..images import save_picture
    from .patterns import load_classifier
    from .restyle import obedience, street_cases

    if options.count < 1:
        raise BadInput("At least one photo is needed.")
    cases = street_cases(options.photos, options.count)
    asked = {name: getattr(options, name) for name in ("steps", "size", "sketch", "strength")}
    template = RestyleRequest("words", options.seed, options.engine, **asked)

    def keep(word: str, number: int, image: Image) -> None:
        save_picture(image, options.keep / f"{word}-{number:02d}.jpg")

    judge = starter("classifier-starter")
    painter = _painter(options)
    figures = obedience(painter, load_classifier(judge), cases, template, keep=keep if options.keep else None)
    return {"engine": options.engine, **figures, **_shares(figures), "features": judge.manifest.reference}


def _shares(figures: Figures) -> Figures:
    """How many pictures stand behind the shares of colours and patterns, and how far each would move with others."""
    found: Figures = {}
    for kind in ("colour", "pattern"):
        count = int(figures["n"]) * sum(name.startswith(f"{kind}_") for name in figures)
        share = float(figures[f"{kind}s"])
        found |= {f"{kind}s_n": count, f"{kind}s_deviation": (share * (1 - share) / count) ** 0.5}
    return found


def _painter(options: argparse.Namespace) -> Engine:
    """The restyle engine, ready to be called."""
    from ..pipelines.base import Given, build
    from ..pipelines.generate import GeneratePipeline
    from ..pipelines.restyle.fabric import FabricRestyle

    if options.engine == "fabric" and options.model is not None:
        return FabricRestyle(GeneratePipeline(Package.load(options.model), device=options.device))
    package = package_of(options.model, "inpaint-starter") if RESTYLE[options.engine].model else None
    painter: Engine = build(f"restyle-{options.engine}", Given(package, lambda: str(options.device)))
    return painter


def measure_words(options: argparse.Namespace) -> Figures:
    from .words import chosen, recognised, recogniser

    if options.count < 1:
        raise BadInput("At least one tile of each design is needed.")
    package = package_of(options.model, "designs-starter")
    figures: Figures = {"features": package.manifest.reference, "n": options.count}
    for metric, shares in (("chosen", chosen()), ("recognised", recognised(recogniser(package), options.count))):
        figures |= {metric: sum(shares.values()) / len(shares), f"{metric}_worst": min(shares.values())}
        figures |= {f"{metric}_{name}": value for name, value in shares.items()}
    return figures


def measure_photographed(options: argparse.Namespace) -> Figures:
    from .photographed import figures

    if options.count < 1:
        raise BadInput("At least one photo of each design is needed.")
    return figures(count=options.count)


def measure_seam(options: argparse.Namespace) -> Figures:
    from ..images import open_picture
    from .seam import made_for, seam_ratio

    ratios = {str(path): seam_ratio(open_picture(path), options.repeat or made_for(path)) for path in options.tiles}
    worst = max(ratios.values())
    rows = [mean_row("seam", list(ratios.values())), Row("seam_worst", worst, n=len(ratios))]
    return {"worst": worst, **ratios, TABLE: rows}


def measure_psnr(options: argparse.Namespace) -> Figures:
    from .pairs import fidelity, find_pairs, read_pairs

    found = fidelity(read_pairs(find_pairs(options.picture, options.truth)))
    return _of_rows([mean_row(name, values) for name, values in found.items()])


def measure_lpips(options: argparse.Namespace) -> Figures:
    from .pairs import choose_look, find_pairs, read_pairs

    metric, features, look = choose_look(options.weights)
    pairs = read_pairs(find_pairs(options.picture, options.truth))
    return _of_rows([mean_row(metric, [look(*pair) for pair in pairs], features)])


def measure_clip(options: argparse.Namespace) -> Figures:
    from ..training.data.captioned_folder import Captioned, records
    from .clip_score import ClipScore, find_clip
    from .eyes import pictures_of, read_picture

    if options.prompt is not None:
        said = [Captioned(path, options.prompt) for path in pictures_of(options.folder)]
    else:
        said = [picture for picture in records(options.folder) if picture.text]
    if not said:
        raise BadInput(f"The pictures of {options.folder} have no captions; give --prompt.")
    score = ClipScore(find_clip(options.clip))
    return _of_rows([mean_row("clip", score((read_picture(one.path), one.text) for one in said), score.name)])


def _of_rows(rows: Sequence[Row]) -> Figures:
    """Rows as a command's figures: by name, with their number and features, and the rows themselves."""
    features = {"features": rows[0].features} if rows[0].features else {}
    return {row.metric: row.value for row in rows} | {"n": rows[0].n, **features, TABLE: list(rows)}


def measure_restoration(options: argparse.Namespace) -> Figures:
    from .distance import vgg_features
    from .restoration import dreamed, restoration, starter_features

    package = package_of(options.model, f"srgan-x{options.scale}-starter")
    distances = {"vgg": vgg_features(options.vgg)} if options.vgg else starter_features()
    figures: Figures = {"model": package.manifest.reference}
    figures |= restoration(package, count=options.count, real_dir=options.real, distances=distances)
    if options.dreamed:
        figures |= dreamed(package, package_of(options.generator, GENERATOR), count=options.dreamed)
    return figures


def measure_generator(options: argparse.Namespace) -> Figures:
    from .generators import finished_fabrics, generator_quality, seam_figures
    from .neighbours import copying, neighbours
    from .sheets import contact_sheet, neighbour_sheet, save_sheet

    if options.count < 2 or options.swatches < 1 or options.cell < 16:
        raise BadInput("At least 2 fabrics of each type, 1 swatch and 16 pixels a fabric are needed.")
    package = package_of(options.model, GENERATOR)
    judge = package_of(options.classifier, "classifier-starter")
    figures: Figures = {"model": package.manifest.reference, "features": judge.manifest.reference}
    figures |= generator_quality(package, judge, options.count)
    fabrics = finished_fabrics(package, package_of(options.upscale, "srgan-x8-starter"))
    figures |= seam_figures(fabrics)
    if options.sheet is not None:
        save_sheet(contact_sheet(fabrics, options.cell), options.sheet)
    if options.neighbours is not None:
        found = neighbours(package, swatches=options.swatches)
        figures |= copying(found)
        save_sheet(neighbour_sheet(found), options.neighbours)
    return figures


def measure_surface(options: argparse.Namespace) -> Figures:
    from ..pipelines.surface import SurfacePipeline
    from .surface import as_worn, by_hand, plain_figures, plain_garments, rendered_figures, side_by_side

    _check_sets(options)
    pipeline = SurfacePipeline(package_of(options.model, "surface-starter"), options.device)
    readers: dict[str, Reader] = {"network": pipeline, "by_hand": by_hand}
    figures: Figures = {"model": pipeline.model}
    if options.data is not None:
        worn = {**readers, "worn": as_worn(pipeline)}
        figures |= side_by_side(worn, lambda read: rendered_figures(read, options.data))
    if options.garments is not None:
        cases = plain_garments(options.garments, options.mattes)
        figures |= side_by_side(readers, lambda read: plain_figures(read, cases))
    return figures


def _check_sets(options: argparse.Namespace) -> None:
    """Rendered people, plain garments, or both."""
    if (options.garments is None) != (options.mattes is None):
        raise BadInput("--garments and --mattes go together.")
    if options.data is None and options.garments is None:
        raise BadInput("Name a data set: --data, or --garments with --mattes.")


def measure_worn(options: argparse.Namespace) -> Figures:
    from ..pipelines.surface import SurfacePipeline
    from .surface import by_hand, plain_garments
    from .worn import plain_kept, prints_left

    _check_sets(options)
    pipeline = SurfacePipeline(package_of(options.model, "surface-starter"), options.device)
    figures: Figures = {"model": pipeline.model}
    for name, read in (("network", pipeline), ("by_hand", by_hand)):
        if options.garments is not None:
            cases = [(case.photo, case.mask) for case in plain_garments(options.garments, options.mattes)]
            figures |= {f"{name}_{key}": value for key, value in plain_kept(cases, read).items()}
        if options.data is not None:
            figures |= {f"{name}_{key}": value for key, value in prints_left(options.data, read).items()}
    return figures


def measure_distance(options: argparse.Namespace) -> Figures:
    from .eyes import choose_eyes, distances, pictures_of, read_picture

    if options.inception is not None and options.classifier is not None:
        raise BadInput("Give --inception or --classifier, not both.")
    eyes = choose_eyes(options.inception, None if options.classifier is None else Package.load(options.classifier))
    real, fake = (
        eyes.features(read_picture(path) for path in pictures_of(folder)) for folder in (options.real, options.fake)
    )
    (row,) = (row for row in distances(eyes, real, fake) if row.metric == options.metric)
    return {
        row.metric: row.value,
        "deviation": row.deviation,
        "real": len(real),
        "fake": len(fake),
        "features": eyes.name,
        TABLE: [row],
    }


def measure_compare(options: argparse.Namespace) -> Figures:
    """Each version's table: read, or measured of its package by ``--by``."""
    tables = dict(_version(each, options) for each in options.versions)
    if len(tables) < len(options.versions):
        raise BadInput("Two of the versions have the same name; write NAME=PATH.")
    return {VERSIONS: tables}


def _version(given: str, options: argparse.Namespace) -> tuple[str, list[Row]]:
    name, named, place = given.rpartition("=")
    path = Path(place)
    if path.suffix == ".json" and path.is_file():
        return (name if named else path.stem), list(from_json(read_json(path, "table")))
    if not options.by:
        raise BadInput(f"{path} is no JSON table; say with --by how packages are to be measured.")
    words = shlex.split(options.by)
    parser = argparse.ArgumentParser(prog="--by", exit_on_error=False)
    add_metrics(parser)
    try:
        measured = parser.parse_args([*words, "--model", str(path)])
    except (argparse.ArgumentError, SystemExit) as error:
        raise BadInput(f"--by {options.by!r} is no metric of packages.") from error
    measured.device = options.device
    return (name if named else path.name), list(rows_of(measured, measured.measure(measured)))


def answer(options: argparse.Namespace) -> Figures:
    """What ``evaluate`` prints: the metric, its figures by name, the ``table`` of them, and lines for a terminal."""
    figures = options.measure(options)
    if VERSIONS in figures:
        versions = figures[VERSIONS]
        tables = {name: to_json(rows) for name, rows in versions.items()}
        return {"metric": options.metric, VERSIONS: tables, "lines": compared_lines(versions)}
    rows = rows_of(options, figures)
    figures.pop(TABLE, None)
    if options.save is not None:
        before = from_json(read_json(options.save, "table")) if options.save.exists() else ()
        options.save.write_text(json.dumps(to_json(with_rows(before, rows)), indent=2) + "\n", encoding="utf-8")
    lines = [
        f"{name}: {value:.4f}" if isinstance(value, float) else f"{name}: {value}" for name, value in figures.items()
    ]
    return {"metric": options.metric, **figures, TABLE: to_json(rows), "lines": lines}


def rows_of(options: argparse.Namespace, figures: Figures) -> list[Row]:
    """The figures as rows of the one table: those that the metric made itself, else every number that has a name.

    ``NAME_deviation`` goes with ``NAME``; ``n`` or a number ``PART_n`` counts what stands behind it.
    """
    told = {"data": _data(options), "command": _command(options)}
    if TABLE in figures:
        return [replace(row, data=row.data or told["data"], command=told["command"]) for row in figures[TABLE]]
    return [
        Row(name, value, figures.get(f"{name}_deviation"), _number(figures, name), figures.get("features", ""), **told)
        for name, value in figures.items()
        if isinstance(value, float) and name.isidentifier() and not name.endswith("_deviation") and isfinite(value)
    ]


def _number(figures: Figures, name: str) -> int | None:
    part = name.partition("_")[0]
    counts = (f"{part}_n", f"{part}_count", "n", "count")
    return next((figures[each] for each in counts if type(figures.get(each)) is int), None)


def _data(options: argparse.Namespace) -> str:
    """The names of the folders and files that were measured on."""
    values = [value for name, value in vars(options).items() if name in DATA and value not in (None, "")]
    return " and ".join(Path(value).name for value in values)


def _command(options: argparse.Namespace) -> str:
    """The command that was given, without where its answer went."""
    words = ["evaluate", options.metric]
    for name, value in vars(options).items():
        if name in NOT_SAID or value in (None, "", False) or name in ("versions",):
            continue
        if isinstance(value, list):
            words += [shlex.quote(str(each)) for each in value]
        else:
            flag = [] if name in PLACED else [f"--{name.replace('_', '-')}"]
            words += flag if value is True else [*flag, shlex.quote(str(value))]
    return " ".join(words)


def measure_classifier(options: argparse.Namespace) -> Figures:
    from .close_ups import close_up_accuracy
    from .patterns import classifier_accuracy

    package = package_of(options.model, "classifier-starter")
    figures: Figures = {"model": package.manifest.reference, **classifier_accuracy(package)}
    if options.real is not None:
        figures |= close_up_accuracy(package, options.real)
    return figures
