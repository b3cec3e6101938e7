"""Whether words are obeyed to the letter: each design that has a name is chosen when it is named, and looks it.

``chosen``: sentences that no table was made from, with each word for the design, are read as it.  ``recognised``: the
recogniser of designs, which never saw these seeds, names the drawn tile; half of the tiles wear the palette of their
name, half any of their type.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from ..errors import BadPackage
from ..inks import compose, palette_from_seed
from ..networks.classifier import PatternClassifier
from ..packaging import Package
from ..requests import SUBTYPE_NAMES
from ..swatches import SUBTYPES
from ..swatches.drawing.tile import draw_inks
from ..training.data.bank import HELD_OUT_SEED
from ..words.reading import Reading, read

U8 = NDArray[np.uint8]

SIDE = 128
PHRASINGS = (
    "a {} coat",
    "please make the skirt {}",
    "a long summer dress, {}, in navy and cream",
    "{} trousers for the office",
    "{}",
    "she wears a light green blouse with a {} print",
    "I would like something {} and not too bright",
    "vintage {} shirt, short sleeves",
    "in {} all over, red on white",
    "cotton fabric: {}, small scale",
)
"""How people ask; no table and no test of the words was made from these."""


def chosen(names: Sequence[str] = SUBTYPE_NAMES, understand: Callable[[str], Reading] = read) -> dict[str, float]:
    """Of each subtype, the share of sentences that are read as it."""
    shares = {}
    for name in names:
        kind, record = SUBTYPES[name]
        found = [understand(phrase.format(word)) for word in record.words for phrase in PHRASINGS]
        shares[name] = float(np.mean([(one.pattern, one.subtype) == (kind, name) for one in found]))
    return shares


def recogniser(package: Package) -> PatternClassifier:
    """Raises :class:`BadPackage` when the package does not name designs."""
    network = package.network()
    if not isinstance(network, PatternClassifier) or not network.config.names:
        raise BadPackage(f"{package.manifest.name} does not recognise designs by name.")
    return network


@torch.inference_mode()
def recognised(network: PatternClassifier, count: int = 20) -> dict[str, float]:
    """Of each subtype that it learned, the share of ``count`` tiles that it names."""
    network.eval()
    shares = {}
    for label, name in enumerate(network.config.names):
        if name not in SUBTYPES:
            continue
        stacked = torch.from_numpy(np.stack([_tile(name, HELD_OUT_SEED + 5000 + k, k % 2 == 0) for k in range(count)]))
        found = network(stacked.permute(0, 3, 1, 2).float() / 255).argmax(dim=1)
        shares[name] = float((found == label).float().mean())
    return shares


def _tile(name: str, seed: int, own_colours: bool) -> U8:
    kind = SUBTYPES[name][0]
    palette = palette_from_seed(kind, seed, 5, name if own_colours else None)
    return compose(draw_inks(kind, seed, SIDE, 5, subtype=name), palette)
