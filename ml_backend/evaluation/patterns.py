"""How near two sets of patterns are: KID, FID and accuracy, all on our own classifier's features.

Figures on these features compare models of this project; they are not comparable with published ones on Inception.
FID is biased on small sets, so KID comes first and the number of images stands beside both.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torchmetrics.image.fid import FrechetInceptionDistance
from torchmetrics.image.kid import KernelInceptionDistance

from ..errors import BadInput, BadPackage
from ..inks import compose, palette_from_seed
from ..networks.classifier import PatternClassifier
from ..packaging import Package
from ..requests import PATTERN_TYPES
from ..swatches.drawing.tile import draw_inks
from ..training.data.bank import HELD_OUT_SEED
from ..training.data.seen import SIDE

F64 = NDArray[np.float64]
U8 = NDArray[np.uint8]

BATCH = 64

SUBSETS = 50
"""How many draws KID is the mean of where one set is larger than the other."""

DRAWS = 20
"""How many halves of the sets a deviation is seen in."""


class Embedded(torch.nn.Identity):
    """For torchmetrics: what it is given are features already, ``num_features`` of them."""

    def __init__(self, num_features: int) -> None:
        super().__init__()
        self.num_features = num_features


def kid(real: F64, fake: F64) -> float:
    """Kernel inception distance: unbiased MMD squared, cubic kernel (x.y/d + 1)^3 (Binkowski et al. 2018, eq. 3, 4).

    Arrays are (N, d) features, N at least 2 each.  About 0, possibly a little below, for two sets of one distribution.
    Of sets of unequal size the larger is drawn from, the same way every time.
    """
    size = min(len(real), len(fake))
    subsets = 1 if len(real) == len(fake) else SUBSETS
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return _compared(KernelInceptionDistance, real, fake, subsets=subsets, subset_size=size)


def fid(real: F64, fake: F64) -> float:
    """Frechet distance between Gaussians fitted to (N, d) features (Heusel et al. 2017)."""
    return max(_compared(FrechetInceptionDistance, real, fake), 0.0)


def quick_fid(real: F64, fake: F64) -> float:
    """:func:`fid` by the factors of the covariances, which few pictures with many features make small.

    For the deviation, which takes many; a test holds it to the other.
    """
    (a, first), (b, second) = (_factor(features) for features in (real, fake))
    mixed = np.linalg.norm(first @ second.T, "nuc")
    return float(np.square(a - b).sum() + np.square(first).sum() + np.square(second).sum() - 2 * mixed)


def _factor(features: F64) -> tuple[F64, F64]:
    """The mean (d,) and R (at most d, d) with R'R the covariance."""
    mean = features.mean(axis=0)
    centred = (features - mean) / np.sqrt(len(features) - 1)
    return mean, centred if len(centred) <= centred.shape[1] else np.asarray(np.linalg.qr(centred, mode="r"))


def deviation(distance: Callable[[F64, F64], float], real: F64, fake: F64, draws: int = DRAWS) -> float | None:
    """How far a distance of two sets would move with other pictures of the same kind, one standard deviation.

    That of the distance between random halves of both, which for what gets surer by the root of the number is that of
    the whole (delete-half jackknife: Shao and Wu 1989).  None where there are fewer than eight pictures on a side.
    """
    if min(len(real), len(fake)) < 8:
        return None
    rng = np.random.default_rng(0)
    halves = [
        distance(*(each[rng.permutation(len(each))[: len(each) // 2]] for each in (real, fake))) for _ in range(draws)
    ]
    return float(np.std(halves, ddof=1))


def _compared(metric: Any, real: F64, fake: F64, **options: Any) -> float:
    if min(len(real), len(fake)) < 2:
        raise BadInput("Two sets of at least two images are needed to compare them.")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Metric `Kernel Inception Distance` will save")
        measured = metric(Embedded(real.shape[1]), **options).set_dtype(torch.float64)
    measured.update(torch.from_numpy(real), real=True)
    measured.update(torch.from_numpy(fake), real=False)
    found = measured.compute()
    return float(found[0] if isinstance(found, tuple) else found)


def load_classifier(package: Package) -> PatternClassifier:
    """Raises :class:`BadPackage` when the package is no pattern classifier."""
    network = package.network()
    if not isinstance(network, PatternClassifier):
        raise BadPackage(f"{package.manifest.name} is not a pattern classifier.")
    return network


@torch.inference_mode()
def embed(classifier: PatternClassifier, images: Iterable[U8]) -> F64:
    """Features (N, d) of uint8 (64, 64, 3) images."""
    return np.concatenate([classifier.embed(batch).numpy() for batch in _batches(images)]).astype(np.float64)


@torch.inference_mode()
def predict(classifier: PatternClassifier, images: Iterable[U8]) -> NDArray[np.int64]:
    """The most likely class (N,) of uint8 (64, 64, 3) images."""
    return np.concatenate([classifier(batch).argmax(dim=1).numpy() for batch in _batches(images)])


def drawn_images(pattern_type: str, seeds: Iterable[int]) -> list[U8]:
    """The renderer's tiles in their seeds' palettes, 64 px."""
    return [
        compose(inks, palette_from_seed(pattern_type, seed, len(inks)))
        for seed in seeds
        for inks in [draw_inks(pattern_type, seed, SIDE)]
    ]


def classifier_accuracy(package: Package, seeds: Sequence[int] | None = None) -> dict[str, float]:
    """Share of held-out drawn swatches told right: ``accuracy``, one figure a type that it has learned, and ``n``."""
    classifier = load_classifier(package)
    seeds = range(HELD_OUT_SEED, HELD_OUT_SEED + 100) if seeds is None else seeds
    figures = {
        pattern_type: float((predict(classifier, drawn_images(pattern_type, seeds)) == label).mean())
        for label, pattern_type in enumerate(PATTERN_TYPES[: classifier.config.classes])
    }
    return {"accuracy": float(np.mean(list(figures.values()))), **figures, "n": len(seeds) * len(figures)}


def _batches(images: Iterable[U8]) -> Iterator[torch.Tensor]:
    stacked = torch.from_numpy(np.stack(list(images))).permute(0, 3, 1, 2).float() / 255
    for start in range(0, len(stacked), BATCH):
        yield stacked[start : start + BATCH]
