"""Whose features distances between sets of pictures are measured in: Inception's where its weights are, else ours.

Figures on Inception may be set beside published ones; those on our classifier compare pictures of this project with
each other.  Each figure says which, for one says nothing about the other.  Pictures are reduced with an antialiasing
filter (Parmar et al., "On Aliased Resizing and Surprising Subtleties in GAN Evaluation", CVPR 2022).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from ..errors import BadInput
from ..networks import inception
from ..packaging import Package
from ..packaging.starter import starter
from ..training.data.folder import SUFFIXES, read_rgb
from ..training.data.seen import SIDE
from .distance import of_weights
from .patterns import deviation, fid, kid, load_classifier, quick_fid
from .table import Row

F64 = NDArray[np.float64]

BATCH = 32


@dataclass(frozen=True)
class Eyes:
    """``look`` takes (N, 3, ``side``, ``side``) in 0..1 to (N, d); ``name`` says whose they are, with a digest."""

    name: str
    side: int
    look: Callable[[Tensor], Tensor]
    reduced: Image.Resampling = Image.Resampling.BICUBIC

    @torch.inference_mode()
    def features(self, pictures: Iterable[Image.Image]) -> F64:
        """(N, d) of RGB pictures of any size; squashed to a square where they are none."""
        found: list[Tensor] = []
        batch: list[Tensor] = []
        for picture in pictures:
            batch.append(self._seen(picture))
            if len(batch) == BATCH:
                found.append(self.look(torch.stack(batch)))
                batch = []
        if batch:
            found.append(self.look(torch.stack(batch)))
        return torch.cat(found).double().numpy() if found else np.zeros((0, 1))

    def _seen(self, picture: Image.Image) -> Tensor:
        small = picture.convert("RGB").resize((self.side, self.side), self.reduced)
        return torch.from_numpy(np.asarray(small, np.float32) / 255).permute(2, 0, 1)


def choose_eyes(weights: Path | None = None, classifier: Package | None = None) -> Eyes:
    """Inception with the weights of that file, or of torch's cache; without either our classifier's.

    A ``classifier`` that is named is taken whatever the cache holds.  Raises :class:`BadInput` for a file that is none.
    """
    if weights is not None:
        return inception_eyes(weights)
    cached = Path(torch.hub.get_dir()) / "checkpoints" / inception.WEIGHTS
    if classifier is None and cached.is_file():
        return inception_eyes(cached)
    return classifier_eyes(starter("classifier-starter") if classifier is None else classifier)


def inception_eyes(weights: Path) -> Eyes:
    """Raises :class:`BadInput` for a file that does not hold the network that FID is published on."""
    network = of_weights(weights, inception.Inception, f"Inception of FID, which is known as {inception.WEIGHTS}")
    digest = hashlib.sha256(weights.read_bytes()).hexdigest()
    return Eyes(f"inception-2015-12-05@{digest[:12]}", inception.SIDE, network)


def classifier_eyes(package: Package) -> Eyes:
    """Our pattern classifier's.  Raises :class:`BadPackage` where the package is none."""
    return Eyes(package.manifest.reference, SIDE, load_classifier(package).embed, Image.Resampling.BOX)


def pictures_of(folder: Path | str) -> list[Path]:
    """All pictures below a folder, by name.  Raises :class:`BadInput` where there are none."""
    found = sorted(path for path in Path(folder).rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())
    if not found:
        raise BadInput(f"{folder} holds no pictures.")
    return found


def read_picture(path: Path) -> Image.Image:
    """Raises :class:`BadInput` for a file that is no readable picture."""
    return Image.fromarray(read_rgb(path))


def distances(eyes: Eyes, real: F64, fake: F64, data: str = "", command: str = "") -> tuple[Row, Row]:
    """KID, then FID, of two sets of features (N, d), with their deviation and how many pictures the smaller set has."""
    n = min(len(real), len(fake))
    return (
        Row("kid", kid(real, fake), deviation(kid, real, fake), n, eyes.name, data, command),
        Row("fid", fid(real, fake), deviation(quick_fid, real, fake), n, eyes.name, data, command),
    )
