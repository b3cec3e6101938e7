"""Photos with the words for what is in them, for the text-mask network.

Every photo carries a map of *leaves*: the labels of the street photos, what is derived from them (face, arms, legs) and
the folders of the single garments.  A :class:`Concept` says for each leaf whether its words mean it, might mean it, or
do not: a shirt may be a blouse, but "the coat" leaves open whether a jacket is meant, so such pixels teach nothing.

The two folder layouts are those of :mod:`.cloth`, and so is the choice of the held-out photos.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage
from torch import Tensor

from ...errors import BadInput
from .cloth import GARMENT_FOLDERS, IGNORE, held_out, letterbox

STREET_LABELS = (
    *("null", "accessories", "bag", "belt", "blazer", "blouse", "bodysuit", "boots", "bra", "bracelet", "cape"),
    *("cardigan", "clogs", "coat", "dress", "earrings", "flats", "glasses", "gloves", "hair", "hat", "heels"),
    *("hoodie", "intimate", "jacket", "jeans", "jumper", "leggings", "loafers", "necklace", "panties", "pants"),
    *("pumps", "purse", "ring", "romper", "sandals", "scarf", "shirt", "shoes", "shorts", "skin", "skirt"),
    *("sneakers", "socks", "stockings", "suit", "sunglasses", "sweater", "sweatshirt", "swimwear", "t-shirt", "tie"),
    *("tights", "top", "vest", "wallet", "watch", "wedges"),
)
"""Labels of Clothing Co-Parsing, in the order of its label list."""

BODY = ("face", "arms", "legs")
"""What bare skin is divided into by where it is."""

LEAVES = (*STREET_LABELS, *BODY, "single longsleeve", "single outwear", "single pants")
"""Everything a pixel can be; the index is the value in a leaf map, :data:`IGNORE` where nothing is known."""

SINGLE_LEAVES = {
    **{name: name for name in GARMENT_FOLDERS},
    **{name: f"single {name}" for name in ("longsleeve", "outwear", "pants")},
}
"""Folder of single garments -> leaf; three folders mix what the street photos tell apart."""

_SHOES = ("shoes", "boots", "heels", "flats", "loafers", "pumps", "sandals", "sneakers", "clogs", "wedges")
_TOPS = ("shirt", "blouse", "t-shirt", "top", "single longsleeve")
_KNIT = ("sweater", "jumper", "sweatshirt", "hoodie", "cardigan")
_OUTER = ("coat", "cape", "jacket", "blazer", "cardigan", "vest", "single outwear")
_TROUSERS = ("pants", "jeans", "leggings", "single pants")
_SKIN = ("skin", *BODY)
_SMALL = ("accessories", "bracelet", "earrings", "necklace", "ring", "watch")
_CLOTHES = (
    *(*_TOPS, *_KNIT, *_OUTER, *_TROUSERS, "shorts", "skirt", "dress", "romper", "bodysuit", "suit", "swimwear"),
    *("bra", "panties", "intimate", "socks", "stockings", "tights", "gloves", "scarf", "hat", "tie"),
)


@dataclass(frozen=True)
class Concept:
    """``words`` mean the pixels of the leaves ``yes``; of ``maybe`` it cannot be said."""

    name: str
    words: tuple[str, ...]
    yes: tuple[str, ...]
    maybe: tuple[str, ...] = ()


CONCEPTS = (
    Concept("dress", ("dress", "gown", "frock", "sundress"), ("dress",), ("romper",)),
    Concept("skirt", ("skirt", "miniskirt"), ("skirt",)),
    Concept("pants", ("pants", "trousers", "slacks", "pair of trousers"), _TROUSERS, ("suit",)),
    Concept("jeans", ("jeans", "denim pants", "blue jeans"), ("jeans",), ("single pants",)),
    Concept("leggings", ("leggings",), ("leggings",), ("tights", "stockings", "pants")),
    Concept("shorts", ("shorts", "short pants", "hot pants"), ("shorts",)),
    Concept("shirt", ("shirt", "button-down shirt"), _TOPS, ("suit", "bodysuit")),
    Concept("blouse", ("blouse",), ("blouse",), ("shirt", "top", "t-shirt", "single longsleeve")),
    Concept("t-shirt", ("t-shirt", "tee", "tshirt", "tee shirt"), ("t-shirt",), ("top", "shirt", "single longsleeve")),
    Concept("top", ("top", "upper garment", "tank top"), (*_TOPS, *_KNIT, "bodysuit"), ("suit", "vest")),
    Concept("sweater", ("sweater", "pullover", "jumper", "knitwear"), _KNIT, ("single longsleeve",)),
    Concept(
        "sweatshirt", ("sweatshirt", "hoodie"), ("sweatshirt", "hoodie"), ("sweater", "jumper", "single longsleeve")
    ),
    Concept("cardigan", ("cardigan",), ("cardigan",), ("sweater", "jumper", "jacket", "coat")),
    Concept(
        "jacket",
        ("jacket", "leather jacket", "denim jacket"),
        ("jacket", "blazer", "single outwear"),
        ("suit", "coat", "cape", "cardigan", "vest"),
    ),
    Concept("blazer", ("blazer", "suit jacket", "sport coat"), ("blazer",), ("suit", "jacket", "single outwear")),
    Concept(
        "coat",
        ("coat", "overcoat", "trench coat"),
        ("coat", "cape"),
        ("jacket", "blazer", "cardigan", "suit", "single outwear"),
    ),
    Concept("outerwear", ("outerwear", "outer garment"), _OUTER, ("suit",)),
    Concept("vest", ("vest", "waistcoat", "gilet"), ("vest",), ("single outwear",)),
    Concept("suit", ("suit", "costume"), ("suit",), ("blazer", "pants", "jacket", "vest")),
    Concept("jumpsuit", ("jumpsuit", "romper", "bodysuit", "playsuit"), ("romper", "bodysuit"), ("dress",)),
    Concept("swimwear", ("swimsuit", "bikini", "underwear"), ("swimwear", "bra", "panties", "intimate"), ("bodysuit",)),
    Concept("bottoms", ("bottoms", "lower garment"), (*_TROUSERS, "shorts", "skirt"), ("suit", "tights", "stockings")),
    Concept("shoes", ("shoes", "shoe", "footwear", "pair of shoes"), _SHOES),
    Concept("boots", ("boots", "boot"), ("boots",), ("shoes",)),
    Concept("heels", ("heels", "high heels", "pumps"), ("heels", "pumps", "wedges"), ("shoes", "sandals", "boots")),
    Concept("sandals", ("sandals",), ("sandals",), ("shoes", "heels", "wedges", "flats")),
    Concept("sneakers", ("sneakers", "trainers"), ("sneakers",), ("shoes",)),
    Concept("stockings", ("tights", "stockings", "pantyhose"), ("tights", "stockings"), ("leggings", "socks")),
    Concept("socks", ("socks", "sock"), ("socks",), ("stockings", "tights")),
    Concept("bag", ("bag", "handbag", "purse", "clutch"), ("bag", "purse", "wallet"), ("accessories",)),
    Concept("hat", ("hat", "cap", "beanie"), ("hat",), ("accessories",)),
    Concept("scarf", ("scarf", "shawl"), ("scarf",), ("accessories", "cape")),
    Concept("belt", ("belt",), ("belt",), ("accessories",)),
    Concept("tie", ("tie", "necktie"), ("tie",), ("accessories",)),
    Concept("gloves", ("gloves",), ("gloves",), ("accessories",)),
    Concept("sunglasses", ("sunglasses", "glasses"), ("sunglasses", "glasses"), ("accessories",)),
    Concept("jewellery", ("jewellery", "jewelry", "accessories"), _SMALL, ("belt", "sunglasses", "glasses", "wallet")),
    Concept("hair", ("hair", "hairstyle", "hairdo"), ("hair",)),
    Concept("skin", ("skin", "bare skin"), _SKIN),
    Concept("face", ("face", "head"), ("face",), ("hair", "hat", "skin", "sunglasses", "glasses", "earrings")),
    Concept(
        "arms", ("arms", "hands", "arm", "hand"), ("arms",), ("skin", "bracelet", "ring", "watch", "gloves", *_TOPS)
    ),
    Concept("legs", ("legs", "leg", "bare legs"), ("legs",), ("skin", "stockings", "tights", *_TROUSERS, *_SHOES)),
    Concept(
        "clothes",
        ("clothes", "outfit", "clothing", "garment", "garments", "cloth", "everything worn"),
        _CLOTHES,
        (*_SHOES, *_SMALL, "belt", "bag", "purse", "wallet"),
    ),
    Concept(
        "person",
        ("person", "woman", "man", "girl", "lady", "guy", "model", "people"),
        (*(leaf for leaf in STREET_LABELS if leaf not in ("null", "bag", "purse", "wallet")), *BODY),
        ("bag", "purse", "wallet"),
    ),
    Concept("background", ("background", "wall", "street", "surroundings", "scenery"), ("null",)),
    Concept(
        "absent", ("car", "dog", "tree", "umbrella", "cat", "bicycle", "chair", "flower", "cup", "bottle", "xyz"), ()
    ),
)
"""What the starter is taught to find.  ``absent`` stands for everything it has never seen: its mask is empty."""

JUDGED = ("dress", "skirt", "pants", "shirt", "jacket", "coat", "shoes", "hair")
"""The concepts whose mean IoU is reported."""

ADJECTIVES = (
    *("red", "blue", "green", "black", "white", "grey", "brown", "yellow", "pink", "purple", "orange", "beige", "navy"),
    *(
        "long",
        "short",
        "casual",
        "formal",
        "elegant",
        "striped",
        "floral",
        "plaid",
        "dotted",
        "dark",
        "light",
        "bright",
    ),
    *("colourful", "colorful", "cotton", "silk", "wool", "leather", "denim", "knitted", "loose", "tight", "new", "old"),
)
"""Said before a word now and then: they change nothing about what is meant."""

TEMPLATES = (
    *("{}", "{}", "the {}", "the {}", "a {}", "her {}", "his {}", "my {}", "their {}", "that {}", "a photo of a {}"),
    *("all of the {}", "the woman's {}", "the man's {}", "only the {}", "{} in the photo", "the whole {}"),
)

MOST_TOKENS = 24
"""Longest phrase, in tokens, that the starter reads."""


def truth_table() -> NDArray[np.uint8]:
    """(concepts, 256): 1 where a leaf is meant, 0 where it is not, :data:`IGNORE` where it cannot be said."""
    table = np.zeros((len(CONCEPTS), 256), np.uint8)
    table[:, IGNORE] = IGNORE
    for row, concept in zip(table, CONCEPTS, strict=True):
        row[[LEAVES.index(leaf) for leaf in concept.maybe]] = IGNORE
        row[[LEAVES.index(leaf) for leaf in concept.yes]] = 1
    return table


def all_phrases() -> Iterator[str]:
    """Every template with every word, and every adjective with every word: what a tokenizer should know."""
    for concept in CONCEPTS:
        for word in concept.words:
            yield from (template.format(word) for template in TEMPLATES)
            yield from (f"the {adjective} {word}" for adjective in ADJECTIVES)


def phrase_for(concept: Concept, rng: np.random.Generator) -> str:
    """One way to ask for the concept; the first word comes most often."""
    first = len(concept.words) == 1 or rng.random() < 0.4
    word = concept.words[0 if first else int(rng.integers(1, len(concept.words)))]
    if rng.random() < 0.25:
        word = f"{ADJECTIVES[rng.integers(len(ADJECTIVES))]} {word}"
    return TEMPLATES[rng.integers(len(TEMPLATES))].format(word)


@dataclass(frozen=True)
class WordPhotos:
    """``images`` (N, 3, H, W) uint8, ``leaves`` (N, H, W) uint8 and ``shares`` (N, 256), the leaves' shares of H*W."""

    images: Tensor
    leaves: Tensor
    shares: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.images)


def read_street_leaves(folder: Path, size: tuple[int, int], *, validation: bool) -> WordPhotos:
    """Labelled street photos, the held-out ones or the rest, letterboxed to ``size`` (height, width)."""
    pairs = []
    for photo in street_photos(folder, validation=validation):
        leaves = divide_skin(np.asarray(Image.open(folder / "labels" / f"{photo.stem}.png")))
        pairs.append(letterbox(Image.open(photo).convert("RGB"), leaves, size))
    return _stack(pairs, folder)


def read_single_leaves(photos: Path, mattes: Path, size: tuple[int, int], *, validation: bool) -> WordPhotos:
    """Single garments that have a matte, the held-out ones or the rest, letterboxed to ``size`` (height, width)."""
    pairs = []
    for folder, leaf in SINGLE_LEAVES.items():
        for matte_path in sorted((mattes / folder).glob("*.png")):
            if held_out(matte_path.stem) != validation:
                continue
            photo = Image.open(photos / folder / f"{matte_path.stem}.jpg").convert("RGB")
            matte = Image.open(matte_path).convert("L").resize(photo.size, Image.Resampling.NEAREST)
            leaves = np.where(np.asarray(matte) > 127, LEAVES.index(leaf), 0).astype(np.uint8)
            pairs.append(letterbox(photo, leaves, size))
    return _stack(pairs, mattes)


def street_photos(folder: Path, *, validation: bool) -> list[Path]:
    """The photo files of a street folder.  Raises :class:`BadInput` when its labels are not those we know."""
    try:
        lines = (folder / "labels.txt").read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise BadInput(f"{folder} has no labels.txt; street photos need it.") from error
    for line in filter(None, lines):
        index, _, name = line.partition(" ")
        if not index.isdigit() or int(index) >= len(STREET_LABELS) or STREET_LABELS[int(index)] != name.strip():
            raise BadInput(f"{folder}/labels.txt names another set of labels: {line!r}.")
    return [path for path in sorted((folder / "photos").glob("*.jpg")) if held_out(path.stem) == validation]


def divide_skin(labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Street labels (H, W) -> leaves: each patch of skin becomes face, arms or legs by its height on the person."""
    leaves = labels.copy()
    rows = np.flatnonzero((labels != 0).any(axis=1))
    if not len(rows):
        return leaves
    top, tall = rows[0], max(rows[-1] - rows[0], 1)
    patches, count = ndimage.label(labels == STREET_LABELS.index("skin"))
    if not count:
        return leaves
    middles = [row for row, _ in ndimage.center_of_mass(patches > 0, patches, range(1, count + 1))]
    for index, middle in enumerate(middles, start=1):
        place = (middle - top) / tall
        part = "face" if place < 0.22 else "legs" if place > 0.6 else "arms"
        leaves[patches == index] = LEAVES.index(part)
    return leaves


def _stack(pairs: Sequence[tuple[NDArray[np.uint8], NDArray[np.uint8]]], folder: Path) -> WordPhotos:
    if not pairs:
        raise BadInput(f"No photos were found in {folder}.")
    images = torch.from_numpy(np.stack([image for image, _ in pairs])).permute(0, 3, 1, 2).contiguous()
    maps = np.stack([leaves for _, leaves in pairs])
    shares = np.stack([np.bincount(leaves.ravel(), minlength=256) / leaves.size for leaves in maps])
    return WordPhotos(images, torch.from_numpy(maps), shares.astype(np.float32))
