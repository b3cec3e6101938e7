"""How well garments are told apart, and how many taps it takes to have one.

Panoptic quality (Kirillov et al., "Panoptic Segmentation", CVPR 2019): a found garment and a true one of the same class
match when their IoU is above one half, which can be said of one pair only; the quality is the matches' mean IoU times
the F-score of matching.  Taps are those of a patient person (Sofiiuk et al. 2021): each in the middle of the largest
mistake.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..errors import BadInput
from ..pipelines.hints import Tap, next_tap
from .cloth import iou

if TYPE_CHECKING:
    from ..pipelines.segment import Segmentation, SegmentPipeline
    from ..training.data.people import Portrait, Scene

LEAST_TRUE = 0.004
"""Share of a picture that a garment covers at least to be counted: below that labels are mostly slips."""

TAPS = 3
GOOD = (0.85, 0.92)
"""IoU that a person takes for right: after the first tap, after the last."""

PAIRS_SIZE = (640, 448)

Bits = NDArray[np.bool_]


@dataclass
class PieceScore:
    """Gathers pictures one by one; ``figures`` sums up."""

    overlaps: list[float] = field(default_factory=list)
    found: int = 0
    true: int = 0

    def add(self, answer: Segmentation, truth: list[tuple[str, Bits]], known: Bits) -> None:
        """``truth``: class and mask of each true garment; what is not ``known`` counts for nothing."""
        least = LEAST_TRUE * known.size
        truth = [(kind, mask) for kind, mask in truth if mask.sum() >= least]
        mine = [(piece.kind, (answer.labels == piece.value) & (answer.mask > 0.5) & known) for piece in answer.pieces]
        mine = [(kind, mask) for kind, mask in mine if mask.sum() >= least]
        self.true += len(truth)
        self.found += len(mine)
        for kind, mask in truth:
            best = max((iou(own, mask) for other, own in mine if other == kind), default=0.0)
            if best > 0.5:
                self.overlaps.append(best)

    def figures(self) -> dict[str, float]:
        """``pieces_quality`` = ``pieces_iou`` of those that match x ``pieces_f`` of matching."""
        matched = len(self.overlaps)
        overlap = float(np.mean(self.overlaps)) if matched else 0.0
        score = 2 * matched / max(1, self.found + self.true)
        return {"pieces_quality": overlap * score, "pieces_iou": overlap, "pieces_f": score, "pieces": self.true}


def measure_pieces(pipeline: SegmentPipeline, folder: Path) -> dict[str, float]:
    """Garments of the held-out street photos, where a garment is a class on the one person that is labelled; ``people``
    is the share of photos where no second one was found."""
    score, right, count = PieceScore(), 0, 0
    for photo, codes in _street(folder):
        answer = pipeline(photo)
        score.add(answer, _by_kind(_classes()[codes], np.zeros_like(codes)), np.ones(codes.shape, np.bool_))
        right += len({piece.person for piece in answer.pieces}) <= 1
        count += 1
    return {"people": right / max(1, count)} | score.figures()


def measure_pairs(pipeline: SegmentPipeline, folder: Path, rendered: Path | None, count: int) -> dict[str, float]:
    """Garments of two people in one picture, held-out ones put side by side; ``pairs_people`` is the share of pictures
    where two were found."""
    from ..training.data.cloth import IGNORE
    from ..training.data.people import CODES_EACH

    score, right, made = PieceScore(), 0, 0
    for each in pairs(folder, rendered, count):
        codes = each.codes.numpy()
        photo = Image.fromarray((each.rgb.permute(1, 2, 0).numpy() * 255).round().astype(np.uint8))
        answer = pipeline(photo)
        classes = _classes()[codes]
        score.add(answer, _by_kind(classes, codes // CODES_EACH), codes != IGNORE)
        right += len({piece.person for piece in answer.pieces}) == 2
        made += 1
    return {"people": right / max(1, made), "count": made} | score.figures()


def pairs(folder: Path, rendered: Path | None, count: int) -> Iterable[Scene]:
    """The pictures of two held-out people, always the same ones."""
    from ..training.data.people import Sources, read_people, read_rendered, side_by_side

    drawn: list[Portrait] = [] if rendered is None else read_rendered(rendered, validation=True)
    sources = Sources(read_people(folder, PAIRS_SIZE[0], validation=True), rendered=drawn)
    for number in range(count):
        yield side_by_side(sources, PAIRS_SIZE, np.random.default_rng((8, number)))


def measure_taps(pipeline: SegmentPipeline, folder: Path, photos: int) -> dict[str, float]:
    """Mean IoU of a garment of a held-out street photo after one, two, three taps, and how often that is good.

    A garment is what has a label of its own and is large enough; of all held-out photos ``photos`` are taken, evenly.
    """
    from ..training.data.people import CLOTH_CODES

    every = list(_street(folder))
    ious: list[list[float]] = [[] for _ in range(TAPS)]
    for photo, codes in every[:: max(1, len(every) // photos)]:
        encoded = pipeline.encode(photo)
        for code in CLOTH_CODES:
            truth = codes == code
            if truth.sum() < LEAST_TRUE * truth.size:
                continue
            taps: list[Tap] = []
            found = None
            for turn in range(TAPS):
                tap = next_tap(np.zeros_like(truth) if found is None else found > 0.5, truth)
                if tap is not None:
                    taps.append(tap)
                    found = pipeline.tap(encoded, taps, found)
                assert found is not None
                ious[turn].append(iou(found > 0.5, truth))
    if not ious[0]:
        raise BadInput("There are no held-out photos in that folder.")
    means = {f"taps_{turn + 1}": float(np.mean(each)) for turn, each in enumerate(ious)}
    return means | {
        "taps_1_good": float(np.mean(np.array(ious[0]) >= GOOD[0])),
        f"taps_{TAPS}_good": float(np.mean(np.array(ious[-1]) >= GOOD[1])),
        "taps_garments": len(ious[0]),
    }


def _street(folder: Path) -> Iterable[tuple[Image.Image, NDArray[np.uint8]]]:
    """The held-out photos with the codes of :mod:`ml_backend.training.data.people`."""
    from ..training.data.people import read_people

    for one in read_people(folder, 10**6, validation=True):
        yield Image.fromarray(one.image.permute(1, 2, 0).numpy()), one.codes.numpy()


def _classes() -> NDArray[np.uint8]:
    from ..training.data.people import CLASS_OF_CODE

    return CLASS_OF_CODE


def _by_kind(classes: NDArray[np.uint8], people: NDArray[np.integer]) -> list[tuple[str, Bits]]:
    from ..requests import CLOTH_CLASSES, GARMENT_CLASSES

    return [
        (kind, (classes == GARMENT_CLASSES.index(kind)) & (people == person))
        for person in range(3)
        for kind in CLOTH_CLASSES
    ]
