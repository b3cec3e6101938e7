"""Generate eight patterns, find the clothes of a photo, both in one go: ours against the plain recipe, in turns.

Plain is what one writes first.  To generate: the SRGAN in PyTorch's usual layout, all passes in one batch, padded by
``F.pad``, its tail after the last shuffle.  To segment: the same U-Net and mirror mean, every class enlarged to the
photo's size, the largest taken; ours follows the photo's edges besides.  ``differs`` is the largest difference
between the two answers: of ink coverage, or the share of pixels with another answer to "is it cloth", which is what
following edges is for.  The plain ``chain`` is the published design, with random weights, for they change no speed: a
DCGAN of 64 px, an SRResNet x8 with 16 blocks of 64 maps, a U-Net over EfficientNet-B3 at 800 px; its answers are not
compared, and the photo has one megapixel, about as much as it sees.  ``CPU`` is the least processor time of a run and
says more than ``seconds`` on a busy machine.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
COUNT, SIZE = 8, 512
PUBLISHED_SIDE, CHAIN_MEGAPIXELS = 800, 1
GOALS = {"generate": "4 s", "segment": "3 s, 1500 MiB", "chain": "4x"}
Work = Callable[[], Any]
Maker = Callable[[Image.Image, Path | None, int | None], Work]


@dataclass
class Contender:
    """One way to do a job, and what its runs took."""

    job: str
    name: str
    work: Work
    seconds: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)

    def run(self) -> None:
        wall, processor = time.perf_counter(), time.process_time()
        self.work()
        self.seconds.append(time.perf_counter() - wall)
        self.processor.append(time.process_time() - processor)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--megapixels", type=float, default=12, help="of the photo (default: 12)")
    parser.add_argument("--photo", type=Path, default=ROOT / "ml_backend/garments/dress/photo.webp")
    parser.add_argument("--generator", type=Path, help="package folder (default: dcgan-starter)")
    parser.add_argument("--segmenter", type=Path, help="package folder (default: unet-starter)")
    parser.add_argument("--threads", type=int, help="of PyTorch (default: one a core)")
    parser.add_argument("--repeat", type=int, default=5, help="runs of each, in turns; the median is printed")
    parser.add_argument("--compile", action="store_true", help="two further rows with compiled networks")


def run(options: argparse.Namespace) -> list[dict[str, Any]]:
    photo = _photo(options.photo, options.megapixels)
    jobs: dict[str, dict[str, Maker]] = {
        "generate": {"plain": partial(_generate, plain=True), "ours": _generate},
        "segment": {"plain": _segment_plainly, "ours": _segment},
        "chain": {"plain": _published_chain, "ours": _chain},
    }
    if options.compile:
        jobs["generate"]["ours, compiled"] = partial(_generate, compiled=True)
        jobs["segment"]["ours, compiled"] = partial(_segment, compiled=True)
    rows = []
    for job, makers in jobs.items():
        package = {"generate": options.generator, "segment": options.segmenter}.get(job)
        given = (_photo(options.photo, CHAIN_MEGAPIXELS) if job == "chain" else photo, package, options.threads)
        contenders = [Contender(job, name, make(*given)) for name, make in makers.items()]
        answers = [each.work() for each in contenders]  # warm as well
        for turn in range(options.repeat):
            for each in contenders[turn % len(contenders) :] + contenders[: turn % len(contenders)]:
                each.run()
        for each, make, answer in zip(contenders, makers.values(), answers, strict=True):
            differs = "" if job == "chain" else f"{_difference(answers[0], answer):.1e}"
            rows.append(_row(each, contenders[0], differs, _peak(make, given)))
    return rows


def _row(each: Contender, plain: Contender, differs: str, peak: float) -> dict[str, Any]:
    # pairs of one turn see the same machine; the median of their ratios is steadier than the ratio of medians
    faster = statistics.median(a / b for a, b in zip(plain.seconds, each.seconds, strict=True))
    return {
        "job": each.job,
        "run": each.name,
        "seconds": f"{statistics.median(each.seconds):.2f}",
        "CPU": f"{min(each.processor):.2f}",
        "faster than plain": f"{faster:.2f}x",
        "differs": differs,
        "peak MiB": round(peak),
        "goal": GOALS[each.job],
    }


def _difference(plain: np.ndarray[Any, Any], other: np.ndarray[Any, Any]) -> float:
    if plain.dtype == np.bool_:
        return float((plain != other).mean())
    return float(np.abs(plain - other).max())


def _peak(make: Maker, given: tuple[Image.Image, Path | None, int | None]) -> float:
    """Most resident memory, in MiB, of a process that does nothing but this."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(_measure_peak, make, given).result()


def _measure_peak(make: Maker, given: tuple[Image.Image, Path | None, int | None]) -> float:
    make(*given)()
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    # not ru_maxrss: on Linux it remembers the process that started this one
    lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
    return int(lines["VmHWM"].split()[0]) / 1024


def _set_threads(threads: int | None) -> None:
    import torch

    if threads:
        torch.set_num_threads(threads)


# --- the jobs: each maker loads its models and returns the work ---


def _generate(
    _photo: Image.Image, package: Path | None, threads: int | None, *, plain: bool = False, compiled: bool = False
) -> Work:
    import torch

    from ml_backend.packaging import Package
    from ml_backend.packaging.starter import starter
    from ml_backend.pipelines.generate import GeneratePipeline
    from ml_backend.pipelines.upscale import UpscalePipeline
    from ml_backend.requests import PATTERN_TYPES, GenerateRequest

    class Plain(UpscalePipeline):
        @torch.inference_mode()
        def _enlarge(self, lr: torch.Tensor, wrap: bool) -> np.ndarray[Any, np.dtype[np.float32]]:
            made: np.ndarray[Any, np.dtype[np.float32]] = plain_srgan(self.network, lr, wrap).numpy()
            return made

    _set_threads(threads)
    upscale = (Plain if plain else UpscalePipeline)(starter("srgan-x8-starter"))
    if plain:
        upscale.network.to(memory_format=torch.contiguous_format)
    if compiled:
        upscale.network.compile()
    pipeline = GeneratePipeline(Package.load(package) if package else starter("dcgan-starter"), upscale)
    requests = [GenerateRequest(PATTERN_TYPES[seed], seed, SIZE) for seed in range(COUNT)]
    return lambda: np.stack([pipeline(request).inks for request in requests])


def plain_srgan(network: Any, lr: Any, wrap: bool) -> Any:
    """The forward pass of :class:`SRResNet` as the paper's figure shows it."""
    import torch.nn.functional as F

    from ml_backend.networks.srgan import bicubic

    def through(layer: Any, x: Any) -> Any:
        margin = layer.kernel_size[0] // 2
        padded = F.pad(x, (margin,) * 4, mode="circular" if wrap else "replicate")
        return F.conv2d(padded, layer.weight, layer.bias)

    first = x = network.head_act(through(network.head, lr))
    for block in network.blocks:
        x = x + block.norm2(through(block.conv2, block.act(block.norm1(through(block.conv1, x)))))
    x = first + network.trunk_norm(through(network.trunk, x))
    for stage in network.stages:
        x = stage.act(F.pixel_shuffle(through(stage.conv, x), 2))
    made = through(network.tail, x)
    return made + bicubic(lr, network.config.scale, wrap=wrap) if network.config.residual else made


def _segmenter(package: Path | None, threads: int | None) -> Any:
    from ml_backend.packaging import Package
    from ml_backend.packaging.starter import starter
    from ml_backend.pipelines.segment import SegmentPipeline

    _set_threads(threads)
    return SegmentPipeline(Package.load(package) if package else starter("unet-starter"))


def _segment(photo: Image.Image, package: Path | None, threads: int | None, *, compiled: bool = False) -> Work:
    pipeline = _segmenter(package, threads)
    if compiled:
        pipeline.network.compile()
    return lambda: pipeline(photo).mask > 0.5


def _segment_plainly(photo: Image.Image, package: Path | None, threads: int | None) -> Work:
    import torch
    import torch.nn.functional as F

    from ml_backend.pipelines.segment import FIRST_CLOTH, LAST_CLOTH

    pipeline = _segmenter(package, threads)
    pipeline.network.to(memory_format=torch.contiguous_format)

    def work() -> Any:
        coarse = torch.from_numpy(pipeline.probabilities(photo))[None]
        best = F.interpolate(coarse, (photo.height, photo.width), mode="bilinear").argmax(1)[0]
        return ((best >= FIRST_CLOTH) & (best <= LAST_CLOTH)).numpy()

    return work


def _chain(photo: Image.Image, _package: Path | None, threads: int | None) -> Work:
    """One fabric of 512 px and the clothes of a photo, with the starters."""
    from ml_backend.packaging.starter import starter
    from ml_backend.pipelines.generate import GeneratePipeline
    from ml_backend.pipelines.upscale import UpscalePipeline
    from ml_backend.requests import GenerateRequest

    segment = _segmenter(None, threads)
    generate = GeneratePipeline(starter("dcgan-starter"), UpscalePipeline(starter("srgan-x8-starter")))
    return lambda: (generate(GenerateRequest("floral", 1, SIZE)).inks, segment(photo).mask)


def _published_chain(photo: Image.Image, _package: Path | None, threads: int | None) -> Work:
    import torch

    from ml_backend.networks.dcgan import DCGANConfig, Generator
    from ml_backend.networks.efficientnet_unet import EfficientNetUNet, EfficientNetUNetConfig
    from ml_backend.networks.srgan import SRGANConfig, SRResNet

    _set_threads(threads)
    dcgan = Generator(DCGANConfig(output="rgb", maps=64, latent=100)).eval()
    srgan = SRResNet(SRGANConfig(scale=8)).eval().to(memory_format=torch.contiguous_format)
    unet = EfficientNetUNet(EfficientNetUNetConfig()).eval()

    @torch.inference_mode()
    def work() -> Any:
        pattern = plain_srgan(srgan, dcgan(torch.randn(1, 100), torch.tensor([0])) / 2 + 0.5, wrap=False)
        scale = PUBLISHED_SIDE / max(photo.size)
        small = photo.resize((round(photo.width * scale), round(photo.height * scale)), Image.Resampling.BILINEAR)
        square = Image.new("RGB", (PUBLISHED_SIDE, PUBLISHED_SIDE))
        square.paste(small)
        rgb = torch.from_numpy(np.array(square)).permute(2, 0, 1)[None] / 255
        return pattern.numpy(), (unet(rgb)[0, 0, : small.height, : small.width] > 0).numpy()

    return work


def _photo(path: Path, megapixels: float) -> Image.Image:
    with Image.open(path) as image:
        upright = image.convert("RGB")
    scale = (megapixels * 1e6 / (upright.width * upright.height)) ** 0.5
    return upright.resize((round(upright.width * scale), round(upright.height * scale)), Image.Resampling.LANCZOS)
