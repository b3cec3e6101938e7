"""Recipe: the cloth U-Net for masks of garments, one by one: classes, the middles of people, and taps.

The classes are learnt as in :mod:`.unet`, from scenes of :mod:`.data.people`.  In the same step a decoder learns what
taps mean (Sofiiuk, Petrov, Konushin, "Reviving iterative training with mask guidance for interactive segmentation",
2021): a garment of each scene is chosen, tapped where the mask is most wrong, a few times over, with the mask before
among its inputs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from ..networks.unet import HINTS, MIDDLE_UNIT, Seen, UNet, UNetConfig
from ..packaging import Package
from ..pipelines.base import Progress, ShouldStop
from ..pipelines.hints import disks, next_tap
from ..requests import GARMENT_CLASSES
from .data.cloth import IGNORE, ClothPhotos, dye, read_garments, read_street, relight
from .data.people import (
    CLASS_OF_CODE,
    CLOTH_CODES,
    Portrait,
    Shares,
    Sources,
    from_cloth,
    middles,
    near,
    read_people,
    read_rendered,
    read_tagged,
    scene,
)
from .distributed import Workers
from .lr_schedule import warmup_cooldown
from .precision import half_precision
from .prefetch import Prefetch, prefetch_depth
from .run import Run
from .trainer import AveragedRecipe, AveragedTrainer, begun, train_averaged
from .unet import cloth_loss, measure, sample_sheet

NEW_PARTS = ("taps.", "middle.")
"""Names of the weights that a package of the plain U-Net lacks."""

LEAST_PIECE = 0.003
"""Share of a scene that a garment covers at least to be tapped."""

Numbers = tuple[float, ...]

_NETWORK = UNetConfig(len(GARMENT_CLASSES), people=True, tap_width=16)


@dataclass(frozen=True, kw_only=True)
class MasksRecipe(AveragedRecipe):
    """``sizes`` (height, width) take turns; ``side`` is how high photos are kept, in px.

    ``start_from`` and ``teacher`` are package folders: the weights to go on from (a plain U-Net's will do), and who
    labels the tagged photos.  ``rate`` is that of the weights that are taken over, ``new_rate`` of the new heads.
    ``rounds``: how often a scene has been tapped before the tap that is learnt from, as shares of 0, 1, 2 ... times.
    """

    street_dir: str
    tagged_dir: str = ""
    rendered_dir: str = ""
    garment_photos_dir: str = ""
    garment_mattes_dir: str = ""
    recipe: str = "masks"
    network: UNetConfig = _NETWORK
    start_from: str = ""
    teacher: str = ""
    sizes: tuple[tuple[int, int], ...] = ((384, 224), (320, 192))
    side: int = 640
    tagged: float = 0.2
    rendered: float = 0.08
    pair: float = 0.14
    single: float = 0.14
    empty: float = 0.04
    dyed: float = 0.15
    tap_weight: float = 0.6
    middle_weight: float = 0.3
    rounds: Numbers = (0.5, 0.3, 0.2)
    batch: int = 8
    cooldown: int = 2500
    rate: float = 7e-4
    new_rate: float = 2e-3
    evaluate_every: int = 150


def train(
    config: MasksRecipe, run: Run, *, progress: Progress | None = None, should_stop: ShouldStop | None = None
) -> None:
    """Train to ``config.steps``, resuming from the run's checkpoint if it resumes."""
    trainer = Trainer(config, read_sources(config, run), run.workers)
    validation = Validation.of(config)

    def publish(step: int, losses: dict[str, float]) -> None:
        network, device = trainer.ema.network, run.workers.device
        assert isinstance(network, UNet)
        run.log(step, **losses, **validation.figures(network, device))
        run.samples(step, validation.sheet(network, device))
        run.export(network, config.network, "segment", "unet")

    train_averaged(trainer, run, config, publish, progress, should_stop)


@dataclass(frozen=True)
class Batch:
    """``rgb`` (N, 3, H, W) in 0..1, ``labels`` (N, H, W) int64 classes, ``ways`` (N, 2, H, W) px to the middles (NaN:
    none); ``tapped`` (M,) the scenes that are tapped and ``targets`` (M, H, W) uint8 the garments: 1, 0 or IGNORE."""

    rgb: Tensor
    labels: Tensor
    ways: Tensor
    tapped: Tensor
    targets: Tensor


def batch(config: MasksRecipe, step: int, sources: Sources) -> Batch:
    """That step's batch, a function of (seed, step) alone."""
    rng = np.random.default_rng((config.seed, step))
    size = config.sizes[step % len(config.sizes)]
    shares = Shares(config.tagged, config.rendered, config.pair, config.single, config.empty)
    rgb, codes, ways, tapped, targets = [], [], [], [], []
    for place, own in enumerate(rng.spawn(config.batch)):
        made = scene(sources, shares, size, own)
        rgb.append(_filmed(dye(made.rgb[None], made.codes[None], own, config.dyed, CLOTH_CODES), own))
        codes.append(made.codes)
        ways.append(middles(made.codes[None])[0] if made.exact else torch.full((2, *size), torch.nan))
        chosen = _choose(made.codes, own) if made.exact else None
        if chosen is not None:
            tapped.append(place)
            targets.append(torch.where(made.codes == IGNORE, IGNORE, (made.codes == chosen).long()).to(torch.uint8))
    labels = torch.from_numpy(CLASS_OF_CODE)[torch.stack(codes)].long()
    stacked = torch.stack(targets) if targets else torch.zeros((0, *size), dtype=torch.uint8)
    return Batch(torch.cat(rgb), labels, torch.stack(ways), torch.tensor(tapped, dtype=torch.int64), stacked)


class Trainer(AveragedTrainer[UNet]):
    """The U-Net with the heads for people and taps, which learn at a rate of their own."""

    def __init__(self, config: MasksRecipe, sources: Sources, workers: Workers) -> None:
        network = begun(UNet, config, new=NEW_PARTS)
        named = list(network.named_parameters())
        old = [weight for name, weight in named if not name.startswith(NEW_PARTS)]
        new = [weight for name, weight in named if name.startswith(NEW_PARTS)]
        super().__init__(config, network, workers, [(old, config.rate), (new, config.new_rate)])
        self.config = config
        self.batches = Prefetch(lambda step: batch(config, step, sources), prefetch_depth(workers.device))

    def step(self, step: int) -> dict[str, Tensor]:
        """One update; its three losses."""
        config = self.config
        made = self.batches(step)
        self.set_rates(warmup_cooldown(step, config.steps, config.cooldown))
        rgb = made.rgb.to(self.device, memory_format=torch.channels_last)
        with half_precision(self.device):
            seen = self.network.look(rgb)
        logits = F.interpolate(seen.logits.float(), scale_factor=2.0, mode="bilinear", align_corners=False)
        classes = cloth_loss(logits, made.labels.to(self.device))
        middle = middle_loss(seen, made.ways.to(self.device))
        tap = torch.zeros((), device=self.device)
        if len(made.tapped):
            rng = np.random.default_rng((config.seed, step, 1))
            hints = tapped_hints(self.network, seen, made, config.rounds, rng)
            with half_precision(self.device):
                answer = self.network.tap(seen.pick(made.tapped.to(self.device)), hints)
            tap = tap_loss(answer[:, 0].float(), made.targets.to(self.device))
        loss = classes + config.middle_weight * middle + config.tap_weight * tap
        self.descend(loss, 5.0)
        return {"classes": classes.detach(), "middle": middle.detach(), "tap": tap.detach()}


def middle_loss(seen: Seen, ways: Tensor) -> Tensor:
    """Mean absolute error of the ways to the middles, where a person is; ``ways`` (N, 2, H, W) px, NaN elsewhere."""
    assert seen.middle is not None
    wanted = ways[:, :, ::2, ::2] / MIDDLE_UNIT
    known = ~wanted.isnan()
    if not known.any():
        return seen.middle.sum() * 0
    return (seen.middle[known] - wanted[known]).abs().mean()


def tap_loss(logits: Tensor, targets: Tensor) -> Tensor:
    """Cross-entropy and soft Dice of the tapped garments; ``logits`` (M, H, W), ``targets`` uint8 with IGNORE."""
    known = (targets != IGNORE).float()
    truth = (targets == 1).float()
    each = F.binary_cross_entropy_with_logits(logits, truth, reduction="none")
    # a garment may be small: its pixels and the others weigh alike by half
    balance = 0.5 + 0.5 * torch.where(truth > 0, _inverse_share(truth * known), _inverse_share((1 - truth) * known))
    entropy = (each * known * balance.clamp(max=8)).sum() / known.sum().clamp(min=1)
    found = logits.sigmoid() * known
    dice = (2 * (found * truth).sum((1, 2)) + 1) / (found.sum((1, 2)) + (truth * known).sum((1, 2)) + 1)
    return entropy + (1 - dice).mean()


def _inverse_share(part: Tensor) -> Tensor:
    return 0.5 / part.mean(dim=(1, 2), keepdim=True).clamp(min=1e-3)


@torch.no_grad()
def tapped_hints(network: UNet, seen: Seen, made: Batch, rounds: Sequence[float], rng: np.random.Generator) -> Tensor:
    """What a person has said by the tap that is to be learnt from: (M, 3, H/2, W/2).

    A quarter begins with the mask of the garment's class, to be mended; the rest with nothing.
    """
    targets = made.targets.numpy()
    truth, known = targets[:, 1::2, 1::2] == 1, targets[:, 1::2, 1::2] != IGNORE
    looked = seen.pick(made.tapped.to(seen.logits.device))
    probabilities = looked.logits.float().softmax(dim=1).cpu().numpy()
    before = np.zeros(truth.shape, np.float32)
    for row, wanted in enumerate(truth):
        if rng.random() < 0.25 and wanted.any():
            before[row] = probabilities[row, probabilities[row][:, wanted].sum(axis=1).argmax()]
    taps: list[list] = [[] for _ in truth]  # type: ignore[type-arg]
    count = int(rng.choice(len(rounds), p=np.array(rounds) / sum(rounds)))
    was_training = network.taps.training
    network.taps.eval()
    for turn in range(count + 1):
        for row, wanted in enumerate(truth):
            tap = next_tap(before[row] > 0.5, wanted, known[row], rng)
            if tap is not None:
                taps[row].append(tap)
        hints = np.stack(
            [np.concatenate((disks(own, truth.shape[1:]), before[row][None])) for row, own in enumerate(taps)]
        )
        said = torch.from_numpy(hints).to(seen.logits.device)
        if turn < count:
            with half_precision(said.device):
                answer = network.taps(looked, said)
            before = answer[:, 0].float().sigmoid().cpu().numpy()
    network.taps.train(was_training)
    return said


@dataclass(frozen=True)
class Validation:
    """Some held-out photos: whole at the working size, people from near, and the garments to tap among those.

    Few, for a run measures often; ``evaluate segment`` takes all of them.
    """

    whole: ClothPhotos
    near: ClothPhotos
    garments: ClothPhotos | None
    taps: Batch = field(repr=False)

    @classmethod
    def of(cls, config: MasksRecipe) -> Validation:
        size = config.sizes[0]
        people = read_people(Path(config.street_dir), config.side, validation=True)[::4]
        views = [near(one, size) for one in people]
        images = torch.stack([(rgb * 255).round().to(torch.uint8) for rgb, _ in views])
        codes = torch.stack([each for _, each in views])
        labels = torch.from_numpy(CLASS_OF_CODE)[codes]
        whole = read_street(Path(config.street_dir), size, validation=True)
        garments = None
        if config.garment_photos_dir:
            folders = Path(config.garment_photos_dir), Path(config.garment_mattes_dir)
            single = read_garments(*folders, size, validation=True)
            garments = ClothPhotos(single.images[::14], single.labels[::14])
        return cls(
            ClothPhotos(whole.images[::8], whole.labels[::8]),
            ClothPhotos(images, labels),
            garments,
            _all_pieces(images, codes),
        )

    def figures(self, network: UNet, device: torch.device) -> dict[str, float]:
        """Of the network alone, without the pipeline around it."""
        sets = {"whole": self.whole, "near": self.near, "garment": self.garments}
        found = {
            f"{name}_{metric}": round(value, 4)
            for name, photos in sets.items()
            if photos is not None
            for metric, value in measure(network, photos, device).items()
        }
        return found | {f"tap_{i + 1}": round(value, 4) for i, value in enumerate(self._taps(network, device))}

    @torch.no_grad()
    def _taps(self, network: UNet, device: torch.device, count: int = 3) -> list[float]:
        """Mean IoU of a garment after one, two ... taps, each in the middle of the largest mistake."""
        ious: list[list[float]] = [[] for _ in range(count)]
        for start in range(0, len(self.taps.tapped), 16):
            rows = self.taps.tapped[start : start + 16]
            truth = self.taps.targets[start : start + 16].numpy()[:, 1::2, 1::2]
            scenes = torch.tensor(sorted(set(rows.tolist())), dtype=torch.int64)
            seen = network.look(self.taps.rgb[scenes].to(device).float() / 255).pick(torch.searchsorted(scenes, rows))
            hints = np.zeros((len(rows), HINTS, *truth.shape[1:]), np.float32)
            for turn in range(count):
                for row in range(len(rows)):
                    tap = next_tap(hints[row, 2] > 0.5, truth[row] == 1, truth[row] != IGNORE)
                    if tap is not None:
                        hints[row, :2] = np.maximum(hints[row, :2], disks([tap], truth.shape[1:]))
                hints[:, 2] = (
                    network.taps(seen, torch.from_numpy(hints).to(device))[:, 0].float().sigmoid().cpu().numpy()
                )
                for row in range(len(rows)):
                    known = truth[row] != IGNORE
                    found, wanted = (hints[row, 2] > 0.5) & known, truth[row] == 1
                    ious[turn].append(float((found & wanted).sum() / max(1, (found | wanted).sum())))
        return [float(np.mean(each)) for each in ious]

    def sheet(self, network: UNet, device: torch.device) -> Image.Image:
        return sample_sheet(
            network, [each for each in (self.near, self.whole, self.garments) if each is not None], device
        )


def read_sources(config: MasksRecipe, run: Run) -> Sources:
    """All that training scenes are made of."""
    rendered = read_rendered(Path(config.rendered_dir), validation=False) if config.rendered_dir else []
    tagged: list[Portrait] = []
    if config.tagged_dir and config.teacher:
        from ..pipelines.segment import SegmentPipeline

        teacher = SegmentPipeline(Package.load(config.teacher), str(run.workers.device))
        tagged = read_tagged(Path(config.tagged_dir), teacher.probabilities, config.side, kept=run.cache("tagged.npz"))
    single: list[Portrait] = []
    if config.garment_photos_dir:
        folders = Path(config.garment_photos_dir), Path(config.garment_mattes_dir)
        single = from_cloth(read_garments(*folders, config.sizes[0], validation=False))
    street = read_people(Path(config.street_dir), config.side, validation=False)
    return Sources(street, tagged, rendered, single)


def _filmed(rgb: Tensor, rng: np.random.Generator) -> Tensor:
    """Through another camera: light, colours, noise, and now and then out of focus."""
    if rng.random() < 0.15:
        factor = rng.uniform(0.4, 0.8)
        small = F.interpolate(rgb, scale_factor=factor, mode="bilinear", align_corners=False, antialias=True)
        rgb = F.interpolate(small, rgb.shape[2:], mode="bilinear", align_corners=False)
    return relight(rgb, rng)[0][None]


def _choose(codes: Tensor, rng: np.random.Generator) -> int | None:
    """A garment of the scene to tap; larger ones somewhat more often."""
    counts = torch.bincount(codes.flatten(), minlength=256).numpy()
    pieces = [code for code in CLOTH_CODES if counts[code] >= LEAST_PIECE * codes.numel()]
    if not pieces:
        return None
    shares = np.sqrt(counts[pieces])
    return int(rng.choice(pieces, p=shares / shares.sum()))


def _all_pieces(images: Tensor, codes: Tensor, most: int = 32) -> Batch:
    """Every garment of the photos that is large enough, the photos as uint8; evenly thinned to ``most``."""
    pieces = [
        (row, code)
        for row, each in enumerate(codes)
        for code in CLOTH_CODES
        if int((each == code).sum()) >= LEAST_PIECE * each.numel()
    ]
    pieces = pieces[:: max(1, -(-len(pieces) // most))]
    targets = [
        torch.where(codes[row] == IGNORE, IGNORE, (codes[row] == code).long()).to(torch.uint8) for row, code in pieces
    ]
    nothing = torch.zeros((0, *codes.shape[1:]), dtype=torch.uint8)
    rows = torch.tensor([row for row, _ in pieces], dtype=torch.int64)
    return Batch(images, codes, torch.zeros(0), rows, torch.stack(targets) if targets else nothing)
