"""Recipe: the surface network, from rendered people that are dressed anew at every step.

The light is known but for each garment's dye, so its loss leaves each garment's mean free (after Careaga and Aksoy
2023) and weighs the steps between neighbours, where folds and prints differ.  AdamW, an EMA of the weights, and a
warm-up / constant / linear cool-down rate, so that a run can be made longer without losing its start.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ..networks.surface import SurfaceConfig, SurfaceMaps, SurfaceNet, borders, relative_log
from ..pipelines.base import Progress, ShouldStop
from .data.bank import HELD_OUT_SEED, Bank, draw_bank
from .data.plain_garments import PlainPhoto, read_plain
from .data.rendered_people import Rendered, read_people
from .data.retexture import Sample, dressed, photographed
from .distributed import Workers, alone
from .lr_schedule import warmup_cooldown
from .precision import half_precision
from .prefetch import Prefetch, prefetch_depth
from .run import Run
from .trainer import AveragedRecipe, AveragedTrainer, begun, train_averaged

GARMENTS = 16
"""Garment numbers of a sample are below this."""

_STEPS = ((1, 3.0), (4, 1.0))
"""Distance in pixels between neighbours, and the weight of what the light does between them."""

_NETWORK = SurfaceConfig()


@dataclass(frozen=True, kw_only=True)
class SurfaceRecipe(AveragedRecipe):
    """``size`` is (height, width) in px; the first ``small_steps`` see pictures of ``small_size`` and cost a part.

    A share ``real`` of each batch are photos of plain garments, out of ``street_dir`` (labelled street photos) and
    ``garment_photos_dir`` with ``garment_mattes_dir``; without these folders there are none.
    ``designs`` of each pattern type are drawn, at ``design_px``.  ``start_from`` is a package folder: the weights to go
    on from.
    """

    people_dir: str
    street_dir: str = ""
    garment_photos_dir: str = ""
    garment_mattes_dir: str = ""
    real: float = 0.3
    recipe: str = "surface"
    network: SurfaceConfig = _NETWORK
    start_from: str = ""
    size: tuple[int, int] = (256, 192)
    small_size: tuple[int, int] = (192, 128)
    small_steps: int = 0
    designs: int = 60
    design_px: int = 128
    batch: int = 6
    steps: int = 20000
    cooldown: int = 5000


@dataclass(frozen=True)
class Batch:
    """Samples stacked; ``lies`` (N) bool."""

    rgb: Tensor
    mask: Tensor
    border: Tensor
    garment: Tensor
    shading: Tensor
    normal: Tensor
    warp: Tensor
    weft: Tensor
    log_cm: Tensor
    lies: Tensor

    @classmethod
    def of(cls, samples: Sequence[Sample]) -> Batch:
        stacked = {
            name: torch.stack([getattr(sample, name) for sample in samples])
            for name in ("rgb", "mask", "labels", "garment", "shading", "normal", "warp", "weft", "log_cm")
        }
        border = borders(stacked.pop("labels"), stacked["mask"])
        return cls(border=border, lies=torch.tensor([sample.lies for sample in samples]), **stacked)

    def placed(self, workers: Workers) -> Batch:
        """On the worker's device."""
        return Batch(**{name: workers.place(getattr(self, name)) for name in self.__dataclass_fields__})


Draw = Callable[[np.random.Generator, tuple[int, int]], Sample]


def train(
    config: SurfaceRecipe, run: Run, *, progress: Progress | None = None, should_stop: ShouldStop | None = None
) -> None:
    """Train to ``config.steps``, resuming from the run's checkpoint if it resumes."""
    trainer = Trainer(config, _source(config, run), run.workers)
    validation = _validation(config)

    def publish(step: int, losses: dict[str, float]) -> None:
        network, device = trainer.ema.network, run.workers.device
        held_out = measure(network, validation, device)
        run.log(step, **losses, **{f"held_out_{name}": value for name, value in held_out.items()})
        run.samples(step, sample_sheet(network, validation, device))
        run.export(network, config.network, "surface", "surface")

    train_averaged(trainer, run, config, publish, progress, should_stop)


class Trainer(AveragedTrainer[torch.nn.Module]):
    """The surface network alone."""

    def __init__(self, config: SurfaceRecipe, draw: Draw, workers: Workers) -> None:
        part = workers.part(config.batch)
        super().__init__(config, begun(SurfaceNet, config), workers)
        self.read = workers.wrap(self.network)
        self.batches = Prefetch(lambda step: batch(config, step, draw, part), prefetch_depth(workers.device))
        self.config = config

    def step(self, step: int) -> dict[str, Tensor]:
        """One update; its losses by name."""
        config, workers = self.config, self.workers
        made = self.batches(step).placed(workers)
        self.set_rates(warmup_cooldown(step, config.steps, config.cooldown))
        with half_precision(workers.device):
            maps = self.read(made.rgb.contiguous(memory_format=torch.channels_last), made.mask, made.border)
        terms = surface_loss(maps, made, workers)
        self.descend(terms["loss"], 1.0)
        return {name: term.detach() for name, term in terms.items()}


def batch(config: SurfaceRecipe, step: int, draw: Draw, part: slice = slice(None)) -> Batch:
    """Of that step's batch the samples in ``part``; each depends on (seed, step) and its place in the batch alone.

    So a resumed run repeats the same curve, however many workers share a batch.
    """
    size = config.small_size if step < config.small_steps else config.size
    made = [draw(rng, size) for rng in np.random.default_rng((config.seed, step)).spawn(config.batch)[part]]
    return Batch.of(made)


def surface_loss(maps: SurfaceMaps, truth: Batch, workers: Workers | None = None) -> dict[str, Tensor]:
    """The losses by name, ``loss`` their weighted sum.

    ``light``: L1 of the log shading, each garment's mean removed, and a part with the mean of all cloth removed;
    ``folds``: L1 of the steps between neighbours inside a garment; ``normal``, ``grain``: 1 - cosine; ``scale``: L1 of
    log centimetres a pixel.  The last three count cloth that turns away from the camera less.
    """
    workers = alone() if workers is None else workers
    known = truth.garment > 0
    off = (maps.shading - truth.shading)[:, 0]
    total = known.sum()
    pictures = torch.arange(len(off), device=off.device)[:, None, None].expand_as(truth.garment)
    light = workers.ratio((_less_means(off, pictures * GARMENTS + truth.garment, known)).abs().sum(), total)
    light = light + 0.3 * workers.ratio(_less_means(off, pictures, known).abs().sum(), total)
    folds = off.new_zeros(())
    for distance, weight in _STEPS:
        for axis in (1, 2):
            near, far = (slice(None),) * axis + (slice(distance, None),), (slice(None),) * axis + (slice(-distance),)
            pair = known[near] & (truth.garment[near] == truth.garment[far])
            jump = ((off[near] - off[far]) * pair).abs().sum()
            folds = folds + weight / 2 * workers.ratio(jump, pair.sum())

    turned = known * truth.lies[:, None, None] * truth.normal[:, 2].clamp(0.1, 1)
    seen = turned.sum()

    def off_by(mine: Tensor, true: Tensor) -> Tensor:
        return workers.ratio(((1 - (mine * true).sum(dim=1)) * turned).sum(), seen)

    normal = off_by(maps.normal, truth.normal)
    grain = off_by(maps.warp, truth.warp) + 0.5 * off_by(maps.weft, truth.weft)
    apart = (maps.log_cm - truth.log_cm.clamp(-3, 3)).abs().mean(dim=1)
    scale = workers.ratio((apart * turned).sum(), seen)
    loss = light + folds + normal + grain + 0.5 * scale
    return {"loss": loss, "light": light, "folds": folds, "normal": normal, "grain": grain, "scale": scale}


def _less_means(values: Tensor, groups: Tensor, known: Tensor) -> Tensor:
    """(N, H, W) less the mean of its group, 0 where nothing is known; ``groups`` are whole numbers from 0."""
    flat, which = values[known], groups[known]
    count = int(groups.max()) + 1 if groups.numel() else 1
    sums = flat.new_zeros(count).index_add_(0, which, flat)
    sizes = flat.new_zeros(count).index_add_(0, which, torch.ones_like(flat)).clamp(min=1)
    result = torch.zeros_like(values)
    result[known] = flat - (sums / sizes)[which]
    return result


@torch.no_grad()
def measure(network: torch.nn.Module, samples: Sequence[Sample], device: torch.device) -> dict[str, float]:
    """Means over pictures: rms of log shading (garments' means removed), degrees of normals and warp, scale."""
    figures: dict[str, list[float]] = {"shading": [], "luminance": [], "normal": [], "warp": [], "scale": []}
    for sample in samples:
        truth = Batch.of([sample])
        maps = network(truth.rgb.to(device), truth.mask.to(device), truth.border.to(device))
        maps = SurfaceMaps(*(plane.cpu() for plane in maps))
        known = truth.garment > 0
        if int(known.sum()) < 50:
            continue
        for name, guess in (("shading", maps.shading), ("luminance", relative_log(truth.rgb, truth.mask))):
            off = _less_means((guess - truth.shading)[:, 0], truth.garment, known)[known]
            figures[name].append(float(off.square().mean().sqrt()))
        for name, kind, middle in (("normal", "normal", torch.mean), ("warp", "warp", torch.median)):
            cosine = (getattr(maps, kind) * getattr(truth, kind)).sum(dim=1)[known].clamp(-1, 1)
            figures[name].append(float(middle(torch.rad2deg(cosine.acos()))))
        figures["scale"].append(float((maps.log_cm - truth.log_cm).mean(dim=1)[known].median().abs()))
    return {name: float(np.mean(values)) for name, values in figures.items()}


@torch.no_grad()
def sample_sheet(
    network: torch.nn.Module, samples: Sequence[Sample], device: torch.device, most: int = 12
) -> Image.Image:
    """Held-out pictures in a row; below them the light as found and as it is, the same of normals and of the grain."""
    columns = []
    for sample in samples[:: max(1, len(samples) // most)][:most]:
        truth = Batch.of([sample])
        maps = network(truth.rgb.to(device), truth.mask.to(device), truth.border.to(device))
        known = truth.garment > 0
        rows = [truth.rgb[0]]
        for source in (SurfaceMaps(*(plane.cpu() for plane in maps)), truth):
            rows.append(_grey(source.shading[0, 0], known[0]))
        for source in (SurfaceMaps(*(plane.cpu() for plane in maps)), truth):
            rows.append((source.normal[0] * 0.5 + 0.5) * known)
        for source in (SurfaceMaps(*(plane.cpu() for plane in maps)), truth):
            rows.append(torch.cat((source.warp[0] * 0.5 + 0.5, source.log_cm[0, 1:] * 0.3 + 0.5)) * known)
        columns.append(torch.cat(rows, dim=1))
    picture = torch.cat(columns, dim=2).clamp(0, 1).permute(1, 2, 0).numpy()
    return Image.fromarray((picture * 255).round().astype(np.uint8))


def _grey(log: Tensor, known: Tensor) -> Tensor:
    """(3, H, W) sRGB of light grey cloth in that light."""
    mean = log[known].mean() if bool(known.any()) else log.mean()
    linear = ((log - mean).exp() * 0.35 * known).clamp(0, 1)
    return (linear ** (1 / 2.2)).expand(3, -1, -1)


def _source(config: SurfaceRecipe, run: Run) -> Draw:
    people = read_people(config.people_dir, validation=False)
    designs = draw_bank(config.designs, config.design_px, 5, cache=run.cache("designs.npy"))

    plain: list[PlainPhoto] = []
    if config.street_dir or config.garment_photos_dir:
        plain = read_plain(
            street=config.street_dir,
            photos=config.garment_photos_dir,
            mattes=config.garment_mattes_dir,
            validation=False,
        )

    def draw(rng: np.random.Generator, size: tuple[int, int]) -> Sample:
        if plain and rng.random() < config.real:
            return photographed(plain[int(rng.integers(len(plain)))], designs, rng, size)
        return dressed(people[int(rng.integers(len(people)))], designs, rng, size)

    return draw


def _validation(config: SurfaceRecipe) -> list[Sample]:
    """Every held-out picture once, in designs that no training sees."""
    people: list[Rendered] = read_people(config.people_dir, validation=True)
    designs: Bank = draw_bank(4, config.design_px, 5, first_seed=HELD_OUT_SEED)
    return [
        dressed(figure, designs, np.random.default_rng((7, index)), config.size) for index, figure in enumerate(people)
    ]
