"""Recipe: the cloth U-Net, from labelled street photos and single garments with mattes.

Cross-entropy with soft Dice on cloth against the rest (Milletari et al. 2016), AdamW, an EMA of the weights, and a
warm-up / constant / linear cool-down rate, so that a run can be made longer without losing its start.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from ..networks.unet import UNet, UNetConfig
from ..packaging import Package
from ..pipelines.base import Progress, ShouldStop
from ..requests import CLOTH_CLASSES, GARMENT_CLASSES
from .data.cloth import IGNORE, ClothPhotos, Teacher, augment, dye, on_plain_ground, read_garments, read_street
from .distributed import Workers, alone
from .lr_schedule import warmup_cooldown
from .precision import half_precision
from .prefetch import Prefetch, prefetch_depth
from .run import Run
from .trainer import AveragedRecipe, AveragedTrainer, begun, train_averaged

FIRST_CLOTH, LAST_CLOTH = (GARMENT_CLASSES.index(CLOTH_CLASSES[i]) for i in (0, -1))

GARMENT_WEIGHTS = (1.0, 1.0, 1.5, 2.0, 1.0, 2.0)
"""Weight of each cloth class, about 1 / sqrt(share of the cloth in street photos): skirts are few and small."""

SHEET_COLOURS = np.array(
    [
        (0, 0, 0),
        (220, 50, 47),
        (203, 120, 22),
        (230, 200, 40),
        (90, 160, 60),
        (38, 110, 210),
        (190, 60, 170),
        (120, 100, 90),
    ]
)
"""RGB of each class on the sample sheets."""

_NETWORK = UNetConfig(len(GARMENT_CLASSES))


@dataclass(frozen=True, kw_only=True)
class UNetRecipe(AveragedRecipe):
    """``street_share`` of each batch are street photos, the rest single garments; ``size`` is (height, width) in px.

    The first ``small_steps`` see photos of ``small_size``: what garment it is can be learnt there at a fraction of the
    cost.  A share ``dyed`` of the garments changes colour.  ``start_from`` and ``teacher`` are package folders: the
    weights to go on from, and who labels the single garments that have no matte or a wrong one.
    """

    street_dir: str
    garment_photos_dir: str = ""
    garment_mattes_dir: str = ""
    recipe: str = "unet"
    network: UNetConfig = _NETWORK
    start_from: str = ""
    teacher: str = ""
    size: tuple[int, int] = (288, 192)
    small_size: tuple[int, int] = (224, 160)
    small_steps: int = 0
    dyed: float = 0.0
    street_share: float = 0.625
    steps: int = 6000
    cooldown: int = 2500


def train(
    config: UNetRecipe, run: Run, *, progress: Progress | None = None, should_stop: ShouldStop | None = None
) -> None:
    """Train to ``config.steps``, resuming from the run's checkpoint if it resumes."""
    workers = run.workers
    street = read_street(Path(config.street_dir), config.size, validation=False)
    trainer = Trainer(config, street, _garments(config, validation=False), workers)
    validation = _validation(config) if workers.is_writer else {}

    def publish(step: int, losses: dict[str, float]) -> None:
        network, device = trainer.ema.network, workers.device
        run.log(step, **losses, **_figures(network, validation, device))
        run.samples(step, sample_sheet(network, list(validation.values()), device))
        run.export(network, config.network, "segment", "unet")

    train_averaged(trainer, run, config, publish, progress, should_stop)


class Trainer(AveragedTrainer[torch.nn.Module]):
    """The cloth U-Net alone."""

    def __init__(self, config: UNetRecipe, street: ClothPhotos, garments: ClothPhotos | None, workers: Workers) -> None:
        part = workers.part(config.batch)
        super().__init__(config, begun(UNet, config), workers)
        self.find = workers.wrap(self.network)
        depth = prefetch_depth(workers.device)
        self.batches = Prefetch(lambda step: batch(config, step, street, garments, part), depth)
        self.config = config

    def step(self, step: int) -> dict[str, Tensor]:
        """One update; its loss."""
        config, workers = self.config, self.workers
        rgb, labels = self.batches(step)
        self.set_rates(warmup_cooldown(step, config.steps, config.cooldown))
        with half_precision(workers.device):
            logits = self.find(workers.place(rgb, torch.channels_last))
            loss = cloth_loss(logits.float(), workers.place(labels), workers)
        self.descend(loss, 5.0)
        return {"loss": loss.detach()}


def batch(
    config: UNetRecipe, step: int, street: ClothPhotos, garments: ClothPhotos | None, part: slice = slice(None)
) -> tuple[Tensor, Tensor]:
    """Of that step's batch the photos in ``part``; each depends on (seed, step) and its place in the batch alone.

    So a resumed run repeats the same curve, however many workers share a batch.
    """
    from_street = config.batch if garments is None else round(config.batch * config.street_share)
    size = config.small_size if step < config.small_steps else config.size
    made = []
    for place, rng in list(enumerate(np.random.default_rng((config.seed, step)).spawn(config.batch)))[part]:
        if garments is None or place < from_street:
            image, labels = _draw(street, rng)
        else:
            image, labels = _draw(garments, rng)
            image = on_plain_ground(image, labels, rng)
        rgb, classes = augment(image, labels, rng, size=size)
        made.append((dye(rgb, classes, rng, config.dyed), classes))
    photos, classes = (torch.cat(parts) for parts in zip(*made, strict=True))
    return photos, classes


def cloth_loss(logits: Tensor, labels: Tensor, workers: Workers | None = None) -> Tensor:
    """Where cloth is, then which garment it is; ``logits`` (N, 8, H, W), ``labels`` (N, H, W) int64 with IGNORE.

    Cross-entropy of background / cloth / skin with soft Dice of cloth, plus a weighted cross-entropy of the garment
    within true cloth.  Kept apart, rare garments can weigh more without cloth growing at the background's cost.

    With ``workers``, whose share of a batch this is, the losses' mean over them is the loss of the whole batch.
    """
    workers = alone() if workers is None else workers
    background, cloth, skin = logits[:, :1], logits[:, FIRST_CLOTH : LAST_CLOTH + 1], logits[:, LAST_CLOTH + 1 :]
    is_cloth = (labels >= FIRST_CLOTH) & (labels <= LAST_CLOTH)
    groups = torch.cat((background, cloth.logsumexp(dim=1, keepdim=True), skin), dim=1)
    group = torch.where(is_cloth, 1, torch.where(labels == LAST_CLOTH + 1, 2, labels))  # IGNORE stays itself
    summed = F.cross_entropy(groups, group, ignore_index=IGNORE, label_smoothing=0.05, reduction="sum")
    where = workers.ratio(summed, (group != IGNORE).sum())
    which = _garment_loss(cloth, torch.where(is_cloth, labels - FIRST_CLOTH, IGNORE), workers)
    found = groups.softmax(dim=1)[:, 1] * (labels != IGNORE)
    overlap = (found * is_cloth).sum(dim=(1, 2))
    dice = (2 * overlap + 1) / (found.sum(dim=(1, 2)) + is_cloth.sum(dim=(1, 2)) + 1)
    return where + 0.5 * (1 - dice.mean()) + 0.5 * which


def _garment_loss(logits: Tensor, labels: Tensor, workers: Workers) -> Tensor:
    """Weighted cross-entropy over the cloth classes; 0 where a batch shows no cloth."""
    weights = torch.tensor(GARMENT_WEIGHTS, device=logits.device)
    known = labels != IGNORE
    total = F.cross_entropy(logits, labels, weights, ignore_index=IGNORE, reduction="sum", label_smoothing=0.05)
    return workers.ratio(total, weights[labels[known]].sum())


@torch.no_grad()
def measure(network: torch.nn.Module, photos: ClothPhotos, device: torch.device) -> dict[str, float]:
    """Mean cloth IoU per photo, and class mIoU over all pixels of the classes that occur."""
    ious: list[float] = []
    confusion = np.zeros((len(GARMENT_CLASSES), len(GARMENT_CLASSES)), np.int64)
    for start in range(0, len(photos), 16):
        rgb = photos.images[start : start + 16].to(device).float() / 255
        probabilities = network(rgb.contiguous(memory_format=torch.channels_last)).softmax(dim=1).cpu()
        labels = photos.labels[start : start + 16]
        known = labels != IGNORE
        cloth = (probabilities[:, FIRST_CLOTH : LAST_CLOTH + 1].sum(dim=1) > 0.5) & known
        truth = (labels >= FIRST_CLOTH) & (labels <= LAST_CLOTH)
        union = (cloth | truth).sum(dim=(1, 2)).clamp(min=1)
        ious += ((cloth & truth).sum(dim=(1, 2)) / union).tolist()
        pairs = labels[known].long() * len(GARMENT_CLASSES) + probabilities.argmax(dim=1)[known]
        confusion += torch.bincount(pairs, minlength=confusion.size).reshape(confusion.shape).numpy()
    hit = np.diag(confusion)
    union_of_class = confusion.sum(0) + confusion.sum(1) - hit
    occurring = confusion.sum(1) > 0
    return {"iou": float(np.mean(ious)), "miou": float(np.mean(hit[occurring] / union_of_class[occurring]))}


@torch.no_grad()
def sample_sheet(
    network: torch.nn.Module, sets: Sequence[ClothPhotos], device: torch.device, each: int = 8
) -> Image.Image:
    """Held-out photos, ``each`` of every set in a row, and below them where cloth was found, coloured by garment."""
    rows = []
    for photos in sets:
        rgb = photos.images[:each].to(device).float() / 255
        classes = network(rgb.contiguous(memory_format=torch.channels_last)).argmax(dim=1).cpu().numpy()
        pictures = rgb.permute(0, 2, 3, 1).cpu().numpy() * 255
        painted = np.where((classes == 0)[..., None], pictures * 0.4, SHEET_COLOURS[classes] * 0.6 + pictures * 0.4)
        rows += [np.concatenate(list(row), axis=1) for row in (pictures, painted)]
    width = max(row.shape[1] for row in rows)
    padded = [np.pad(row, ((0, 0), (0, width - row.shape[1]), (0, 0))) for row in rows]
    return Image.fromarray(np.concatenate(padded).astype(np.uint8))


def _figures(network: torch.nn.Module, sets: Mapping[str, ClothPhotos], device: torch.device) -> dict[str, float]:
    return {
        f"{name}_{metric}": value
        for name, photos in sets.items()
        for metric, value in measure(network, photos, device).items()
    }


def _validation(config: UNetRecipe) -> dict[str, ClothPhotos]:
    sets = {"street": read_street(Path(config.street_dir), config.size, validation=True)}
    garments = _garments(config, validation=True)
    if garments is not None:
        sets["garment"] = garments
    return sets


def _garments(config: UNetRecipe, *, validation: bool) -> ClothPhotos | None:
    if not config.garment_photos_dir:
        return None
    photos, mattes = Path(config.garment_photos_dir), Path(config.garment_mattes_dir)
    teacher = None if validation or not config.teacher else _teacher(Package.load(config.teacher))
    return read_garments(photos, mattes, config.size, validation=validation, teacher=teacher)


def _teacher(package: Package) -> Teacher:
    from ..pipelines.segment import SegmentPipeline

    pipeline = SegmentPipeline(package)
    return lambda photo: pipeline(photo).mask


def _draw(photos: ClothPhotos, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """One photo (1, 3, H, W) and its labels (1, H, W)."""
    index = int(rng.integers(len(photos)))
    return photos.images[index : index + 1], photos.labels[index : index + 1]
