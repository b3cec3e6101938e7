"""From a type and a photo to a look: seconds of each stage, models loaded and warm.

The photo is a garment of ours, enlarged and stored as a rotated JPEG the way a phone does.  ``fit`` reads the surface
of its cloth and lays the preview out, ``look`` is the whole picture at full size.  ``baseline`` is what Pillow alone
needs to read that file and write it again as a JPEG: ``ratio`` is the whole flow in units of it, which tells a slow
machine from slow code.
"""

from __future__ import annotations

import argparse
import io
import resource
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from PIL import Image, ImageOps

if TYPE_CHECKING:
    from ml_backend.pipelines.overlay import Fit
    from ml_backend.pipelines.segment import Segmentation

ROOT = Path(__file__).resolve().parents[2]
ROTATED = 6
T = TypeVar("T")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--megapixels", type=float, nargs="+", default=[1, 4, 12])
    parser.add_argument("--repeat", type=int, default=3, help="runs; the median is printed")
    parser.add_argument("--photo", type=Path, default=ROOT / "ml_backend/garments/dress/photo.webp")


def run(options: argparse.Namespace) -> list[dict[str, Any]]:
    from ml_backend.packaging.starter import starter
    from ml_backend.pipelines.generate import GeneratePipeline
    from ml_backend.pipelines.overlay import fit, wear
    from ml_backend.pipelines.segment import SegmentPipeline
    from ml_backend.pipelines.surface import SurfacePipeline
    from ml_backend.pipelines.upscale import UpscalePipeline
    from ml_backend.requests import GenerateRequest, OverlayRequest

    upscale = UpscalePipeline(starter("srgan-x8-starter"))
    dream = GeneratePipeline(starter("dcgan-starter"))
    dream_and_enlarge = GeneratePipeline(starter("dcgan-starter"), upscale)
    segment, surface = SegmentPipeline(starter("unet-starter")), SurfacePipeline(starter("surface-starter"))

    def measured(photo: Image.Image, found: Segmentation) -> Fit:
        made = fit(photo, found.mask, found.labels, surface(photo, found.mask, found.labels))
        made.preview(photo)
        return made

    def flow(data: bytes, seed: int) -> dict[str, float]:
        times: dict[str, float] = {}
        photo = _timed(times, "read", lambda: _read(data))
        _timed(times, "generate 64", lambda: dream(GenerateRequest("floral", seed, size=64)))
        fabric = _timed(times, "generate+x8", lambda: dream_and_enlarge(GenerateRequest("floral", seed, size=512)))
        found = _timed(times, "segment", lambda: segment(photo))
        fitted = _timed(times, "fit", lambda: measured(photo, found))
        look = _timed(times, "look", lambda: wear(photo, fitted, fabric.image, OverlayRequest()))
        _timed(times, "write", lambda: look.save(io.BytesIO(), "JPEG", quality=95))
        times["total"] = sum(times.values()) - times["generate 64"]
        return times

    rows = []
    for megapixels in options.megapixels:
        data = _phone_photo(options.photo, megapixels)
        flow(data, 1)  # warm
        runs = [flow(data, 2 + index) for index in range(options.repeat)]
        medians = {stage: statistics.median(each[stage] for each in runs) for stage in runs[0]}
        baseline = statistics.median(_baseline(data) for _ in range(options.repeat))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        rows.append(
            {
                "megapixels": megapixels,
                **{stage: f"{seconds:.2f}" for stage, seconds in medians.items()},
                "baseline": f"{baseline:.2f}",
                "ratio": f"{medians['total'] / baseline:.1f}",
                "peak MiB": round(peak),
            }
        )
    return rows


def _timed(times: dict[str, float], stage: str, work: Callable[[], T]) -> T:
    start = time.perf_counter()
    result = work()
    times[stage] = time.perf_counter() - start
    return result


def _baseline(data: bytes) -> float:
    start = time.perf_counter()
    _read(data).save(io.BytesIO(), "JPEG", quality=95)
    return time.perf_counter() - start


def _read(data: bytes) -> Image.Image:
    return ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB")


def _phone_photo(path: Path, megapixels: float) -> bytes:
    with Image.open(path) as image:
        upright = image.convert("RGB")
    scale = (megapixels * 1e6 / (upright.width * upright.height)) ** 0.5
    sized = upright.resize((round(upright.width * scale), round(upright.height * scale)), Image.Resampling.LANCZOS)
    exif = Image.Exif()
    exif[0x0112] = ROTATED
    stream = io.BytesIO()
    sized.transpose(Image.Transpose.ROTATE_90).save(stream, "JPEG", quality=92, exif=exif)
    return stream.getvalue()
