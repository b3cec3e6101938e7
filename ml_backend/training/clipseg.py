"""Recipe: a small CLIPSeg (Lueddecke and Ecker, "Image Segmentation Using Text and Image Prompts", CVPR 2022).

The published one asks a frozen CLIP; this one is trained whole and from nothing, on photos whose garments are labelled
(:mod:`.data.concepts`), so everything that helps a small vision transformer with little data is used:

* patches start as whitened principal components of real patches, positions as sines, attention heads as looks at the
  neighbours (after Cordonnier, Loukas and Jaggi, ICLR 2020);
* at first no words: the vision tower learns to tell all garments apart (``warm`` steps, small photos, a head that
  does not ship), which teaches more per second than single phrases;
* one look at a photo answers several phrases;
* phrases are mostly those that do occur: whoever asks for "the skirt" sees one.  Overlap (soft Jaccard) counts beside
  cross-entropy, so that small things weigh as much as large ones;
* photos are moved and relit and their garments recoloured; averaged weights; first small, then at full size;
* Muon turns the vision tower's matrices, which here needs about three quarters of AdamW's steps.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F

from ..errors import BadInput
from ..networks.clipseg import answer, look
from ..packaging import Package, save_folder_manifest
from ..pipelines.base import Progress, ShouldStop
from .data.cloth import IGNORE, augment, dye, on_plain_ground
from .data.concepts import (
    CONCEPTS,
    JUDGED,
    LEAVES,
    MOST_TOKENS,
    WordPhotos,
    all_phrases,
    phrase_for,
    read_single_leaves,
    read_street_leaves,
    truth_table,
)
from .distributed import Workers
from .lr_schedule import warmup_cooldown
from .precision import half_precision
from .run import Run
from .tokenizer import is_tokenizer, make_tokenizer, read_tokenizer, save_tokenizer
from .trainer import AveragedRecipe, AveragedTrainer, train_averaged

if TYPE_CHECKING:
    from transformers import CLIPSegForImageSegmentation, CLIPTokenizer

PIXEL_MEAN = (0.48145466, 0.4578275, 0.40821073)
PIXEL_STD = (0.26862954, 0.26130258, 0.27577711)
"""What CLIP's image processor subtracts and divides by."""

_WEIGHTED = (
    (0.6, ("null",)),
    (1.6, ("dress", "romper", "bodysuit", "swimwear", "bra", "panties", "intimate")),
    (2.9, ("skirt",)),
    (1.8, ("pants", "leggings", "single pants")),
    (2.7, ("jeans",)),
    (3.7, ("shorts",)),
    (2.3, ("shirt", "blouse", "top", "single longsleeve")),
    (3.3, ("t-shirt",)),
    (2.3, ("sweater", "jumper", "sweatshirt", "hoodie", "cardigan")),
    (2.3, ("jacket", "blazer", "vest", "single outwear")),
    (1.8, ("coat", "cape")),
    (2.9, ("suit",)),
    (2.9, ("shoes", "heels", "flats", "loafers", "pumps", "sandals", "sneakers", "clogs", "wedges")),
    (4.7, ("boots",)),
    (3.0, ("bag", "purse", "wallet")),
    (4.7, ("hat",)),
    (3.0, ("hair",)),
    (4.0, ("face", "sunglasses", "glasses")),
    (4.0, ("arms", "bracelet", "watch", "ring", "gloves")),
    (4.0, ("legs",)),
    (4.0, ("stockings", "tights", "socks")),
    (4.0, ("scarf", "tie")),
    (4.7, ("belt", "accessories", "necklace", "earrings")),
)
"""Weight and leaves of each group; a weight is about 1 / sqrt(its share of the pixels), at most that of one in 400."""

GROUPS = tuple(leaves for _, leaves in _WEIGHTED)
"""What the training-only head tells apart."""

GROUP_WEIGHTS = tuple(weight for weight, _ in _WEIGHTED)

SUBCELLS = 4
"""The training-only head answers for this many by this many parts of each patch."""


@dataclass(frozen=True, kw_only=True)
class ClipSegRecipe(AveragedRecipe):
    """``frame`` (height, width) in px is the proportions that the network's square stands for.

    ``start_from`` is the folder of a run or a package whose weights are taken over.  ``warm_side``, ``side`` and
    ``fine_side`` in px are the square's side in the first ``warm`` steps, then, and from ``fine_from`` (a share of the
    other steps) on; ``prompts`` phrases are asked of each photo, of which the share ``present`` occur in it;
    ``street_share`` of each batch are street photos, the rest single garments; they are drawn at ``scale`` and a share
    ``dyed`` of their garments is dyed.  ``rate`` is AdamW's, ``matrix_rate`` Muon's.
    """

    street_dir: str
    garment_photos_dir: str = ""
    garment_mattes_dir: str = ""
    start_from: str = ""
    recipe: str = "clipseg"
    frame: tuple[int, int] = (384, 256)
    warm_side: int = 192
    warm: int = 3000
    side: int = 256
    fine_side: int = 256
    fine_from: float = 1.0
    patch: int = 16
    width: int = 256
    layers: int = 6
    heads: int = 4
    extract: tuple[int, ...] = (1, 3, 5)
    reduce: int = 128
    text_width: int = 128
    text_layers: int = 2
    vocabulary: int = 900
    street_share: float = 0.75
    scale: tuple[float, float] = (0.7, 1.4)
    dyed: float = 0.2
    prompts: int = 4
    present: float = 0.75
    steps: int = 12000
    cooldown: int = 7000
    rate: float = 6e-4
    matrix_rate: float = 0.01
    weight_decay: float = 0.05
    evaluate_every: int = 200


class Student(nn.Module):
    """The network that ships and the head that does not."""

    def __init__(self, config: ClipSegRecipe, vocabulary: int) -> None:
        super().__init__()
        from transformers import CLIPSegForImageSegmentation

        self.model = CLIPSegForImageSegmentation(clipseg_config(config, vocabulary))
        self.garments = nn.Linear(config.width, len(GROUPS) * SUBCELLS**2)

    def forward(self, pixels: Tensor, tokens: Mapping[str, Tensor] | None = None) -> tuple[Tensor | None, Tensor]:
        """(N, 3, S, S) and phrases of N*P rows, those of one photo together -> logits (N, P, s, s) and of the groups.

        Without phrases there are no logits.  The same as the model's own forward pass, but with gradients everywhere
        and one look at a photo for all its phrases.
        """
        states = look(self.model, pixels)
        groups = self._groups(states[-1])
        if tokens is None:
            return None, groups
        return answer(self.model, states, self.model.clip.get_text_features(**tokens).pooler_output), groups

    def _groups(self, state: Tensor) -> Tensor:
        """(N, 1 + T, C) -> (N, groups, 4 t, 4 t) with T = t * t."""
        side = math.isqrt(state.shape[1] - 1)
        cells = self.garments(state[:, 1:]).transpose(1, 2).reshape(len(state), -1, side, side)
        return F.pixel_shuffle(cells, SUBCELLS)


def clipseg_config(config: ClipSegRecipe, vocabulary: int) -> Any:
    """The transformers configuration; the tokenizer has ``vocabulary`` tokens, the last two the start and the end."""
    from transformers import CLIPSegConfig

    text = {
        "vocab_size": vocabulary,
        "hidden_size": config.text_width,
        "intermediate_size": 2 * config.text_width,
        "num_hidden_layers": config.text_layers,
        "num_attention_heads": max(1, config.text_width // 64),
        "max_position_embeddings": MOST_TOKENS,
        "bos_token_id": vocabulary - 2,
        "eos_token_id": vocabulary - 1,
        "pad_token_id": vocabulary - 1,
    }
    vision = {
        "hidden_size": config.width,
        "intermediate_size": 3 * config.width,
        "num_hidden_layers": config.layers,
        "num_attention_heads": config.heads,
        "image_size": config.fine_side,
        "patch_size": config.patch,
    }
    return CLIPSegConfig(
        text_config=text,
        vision_config=vision,
        projection_dim=config.text_width,
        extract_layers=list(config.extract),
        reduce_dim=config.reduce,
        decoder_num_attention_heads=max(1, config.reduce // 32),
        decoder_intermediate_size=2 * config.reduce,
        conditional_layer=len(config.extract) - 1,
        use_complex_transposed_convolution=True,
    )


class Trainer(AveragedTrainer[Student]):
    """The network and its head, with Muon and AdamW."""

    parts = ("network", "ema")

    def __init__(
        self, config: ClipSegRecipe, photos: Sequence[WordPhotos], tokenizer: CLIPTokenizer, workers: Workers
    ) -> None:
        torch.manual_seed(config.seed)
        student = Student(config, len(tokenizer))
        start(student.model, photos[0], config)
        if config.start_from:
            go_on_from(student, Path(config.start_from))
        super().__init__(config, student, workers)
        self.config, self.tokenizer = config, tokenizer
        self.optimisers = _optimisers(student, config)
        self.draws = [Draws(each, config.present) for each in photos]

    def step(self, step: int) -> dict[str, Tensor]:
        """One update; its losses."""
        config = self.config
        batch = make_batch(config, step, self.draws, self.tokenizer)
        factor = warmup_cooldown(step, config.steps, config.cooldown)
        losses = student_losses(self.network, batch, self.device)
        loss = losses["cross_entropy"] + losses["overlap"] + 0.5 * losses["groups"]
        self.network.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        for optimiser, rate in zip(self.optimisers, (config.matrix_rate, config.rate), strict=True):
            for group in optimiser.param_groups:
                group["lr"] = rate * factor
            optimiser.step()
        self.ema.update(self.network)
        return {name: value.detach() for name, value in losses.items()}

    def state_dict(self) -> dict[str, object]:
        return {**super().state_dict(), "optimisers": [optimiser.state_dict() for optimiser in self.optimisers]}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        super().load_state_dict(state)
        for optimiser, saved in zip(self.optimisers, state["optimisers"], strict=True):
            optimiser.load_state_dict(saved)


def train(
    config: ClipSegRecipe, run: Run, *, progress: Progress | None = None, should_stop: ShouldStop | None = None
) -> None:
    """Train to ``config.steps``, resuming from the run's checkpoint if it resumes."""
    tokenizer = choose_tokenizer(config, run.path / "tokenizer")
    street = read_street_leaves(Path(config.street_dir), config.frame, validation=False)
    singles = _singles(config)
    held = read_street_leaves(Path(config.street_dir), config.frame, validation=True)
    trainer = Trainer(config, [street, *([] if singles is None else [singles])], tokenizer, run.workers)
    best, device = cast(Student, trainer.ema.network), trainer.device

    def publish(step: int, losses: dict[str, float]) -> None:
        run.log(step, **losses, **measure(best, tokenizer, held, config, device))
        run.samples(step, sample_sheet(best.model, tokenizer, held, config, device))
        export(config, best.model, tokenizer, run.path / "package", name=run.path.name)

    train_averaged(trainer, run, config, publish, progress, should_stop)


def student_losses(student: Student, batch: Batch, device: torch.device) -> dict[str, Tensor]:
    """``groups``, and of a batch with phrases their ``cross_entropy`` and ``overlap`` (else 0)."""
    tokens = None if batch.tokens is None else {name: value.to(device) for name, value in batch.tokens.items()}
    with half_precision(device):
        logits, groups = student(batch.pixels.to(device), tokens)
    which = group_loss(groups.float(), batch.leaves.to(device))
    if logits is None:
        nothing = torch.zeros((), device=device)
        return {"cross_entropy": nothing, "overlap": nothing, "groups": which}
    return {**phrase_losses(logits.float(), batch.truth.to(device)), "groups": which}


def start(model: CLIPSegForImageSegmentation, photos: WordPhotos, config: ClipSegRecipe) -> None:
    """Patches see principal components, positions are sines, and each head looks at one neighbour of its patch."""
    vision, decoder = model.clip.vision_model, model.decoder
    upscale: Any = decoder.transposed_convolution
    # transformers draws a decoder that is meant to be overwritten with variance 1: far too strong to learn from.
    for module in (decoder.film_mul, decoder.film_add, *decoder.reduces, *upscale):
        if isinstance(module, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
            module.reset_parameters()
    with torch.no_grad():
        decoder.film_mul.bias.fill_(1.0)
        upscale[-1].bias.fill_(-2.0)
        place = config.width // 4
        components = _components(photos, config)
        components[config.width - place :] = 0
        vision.embeddings.patch_embedding.weight.copy_(components)
        vision.embeddings.position_embedding.weight[:, : config.width - place] = 0
        vision.embeddings.position_embedding.weight[1:, config.width - place :] = _sines(
            config.fine_side // config.patch, _rates(place) * (config.side / config.fine_side)
        )
        for index, layer in enumerate(vision.encoder.layers):
            _look_beside(layer.self_attn, index, _rates(place))


def _components(photos: WordPhotos, config: ClipSegRecipe) -> Tensor:
    """(width, 3, patch, patch): principal components of photo patches, the weak ones raised, not to full strength."""
    rng = np.random.default_rng((config.seed, 77))
    chosen = torch.from_numpy(rng.integers(0, len(photos), 256))
    small = F.interpolate(_normalised(photos.images[chosen].float() / 255), (config.side, config.side), mode="area")
    patches = F.unfold(small, config.patch, stride=config.patch).transpose(1, 2).flatten(0, 1)
    patches = patches[torch.from_numpy(rng.permutation(len(patches))[:20000])]
    values, vectors = torch.linalg.eigh(torch.cov(patches.T))
    count = min(config.width, vectors.shape[1])
    weight = torch.randn(config.width, vectors.shape[1]) * 0.02
    weight[:count] = (vectors * values.clamp(min=1e-4) ** -0.35).flip(1).T[:count]
    return weight.reshape(config.width, 3, config.patch, config.patch)


def _rates(place: int) -> Tensor:
    """Radians per patch of the waves that tell a position in ``place`` channels: two waves an axis and rate."""
    return torch.exp(torch.linspace(math.log(0.15), math.log(2.2), place // 4))


def _sines(grid: int, rates: Tensor) -> Tensor:
    """(grid * grid, 4 * rates): sines and cosines of the row, then of the column."""
    waves = torch.arange(grid)[:, None] * rates
    along = torch.cat((waves.sin(), waves.cos()), dim=1)
    both = torch.cat((along[:, None].expand(grid, grid, -1), along[None].expand(grid, grid, -1)), dim=2)
    return both.flatten(0, 1)


def _look_beside(attention: Any, index: int, rates: Tensor) -> None:
    """Start every head as a soft look at one neighbour, as a convolution would (Cordonnier et al., ICLR 2020).

    A key is its position's waves, a query the same waves turned by the neighbour's distance: they match best there.
    Every second layer looks diagonally, every pair of layers one patch farther.
    """
    width, heads = attention.embed_dim, attention.num_heads
    each = width // heads
    steps = NEIGHBOURS[index % 2]
    first = width - 4 * len(rates)
    for head in range(heads):
        down, right = (part * (index // 2 + 1) for part in steps[head % len(steps)])
        query, key = torch.randn(each, width) * 0.02, torch.randn(each, width) * 0.02
        for number, (axis, shift) in enumerate(((0, down), (1, right))):
            for at, rate in enumerate(rates):
                sine = first + axis * 2 * len(rates) + at
                cosine, row = sine + len(rates), 2 * (number * len(rates) + at)
                if row + 1 >= each:
                    continue
                turn = float(rate) * shift
                query[row, sine] += _FIRMNESS * math.cos(turn)
                query[row, cosine] += _FIRMNESS * math.sin(turn)
                query[row + 1, cosine] += _FIRMNESS * math.cos(turn)
                query[row + 1, sine] -= _FIRMNESS * math.sin(turn)
                key[row, sine] += _FIRMNESS
                key[row + 1, cosine] += _FIRMNESS
        rows = slice(head * each, (head + 1) * each)
        attention.q_proj.weight[rows] = query
        attention.k_proj.weight[rows] = key
    nn.init.orthogonal_(attention.v_proj.weight)
    nn.init.orthogonal_(attention.out_proj.weight, gain=0.5)


NEIGHBOURS = (((1, 0), (-1, 0), (0, 1), (0, -1)), ((1, 1), (-1, -1), (1, -1), (-1, 1)))
"""(down, right) of the patches that the heads of even and odd layers begin by looking at."""

_FIRMNESS = 1.3
"""How sharply: larger is narrower."""


class Draws:
    """What to show and what to ask: rare garments come more often than they are, but not as often as common ones."""

    def __init__(self, photos: WordPhotos, present: float) -> None:
        self.photos = photos
        self.present = present
        table = truth_table()
        self.occurs = photos.shares @ (table == 1).T.astype(np.float32) > 0.001
        self.absent = photos.shares[:, :IGNORE] @ (table != 0)[:, :IGNORE].T.astype(np.float32) == 0
        rarity = 1 / np.sqrt(np.maximum(self.occurs.sum(axis=0), 20))
        self.photo_weights = _normal(self.occurs @ rarity)
        boost = np.array([2.0 if concept.name in JUDGED else 1.0 for concept in CONCEPTS])
        self.asked = rarity * boost
        self.refused = boost

    def photo_indices(self, count: int, rng: np.random.Generator) -> NDArray[np.int64]:
        return rng.choice(len(self.photos), count, p=self.photo_weights)

    def concepts(self, photo: int, count: int, rng: np.random.Generator) -> list[int]:
        """``count`` concepts to ask of a photo; those that occur may come twice, in other words."""
        occurring, absent = self.asked * self.occurs[photo], self.refused * self.absent[photo]
        chosen = []
        for _ in range(count):
            weights = occurring if rng.random() < self.present and occurring.any() else absent
            chosen.append(int(rng.choice(len(CONCEPTS), p=_normal(weights))))
        return chosen


@dataclass(frozen=True)
class Batch:
    """``pixels`` (N, 3, S, S) normalised, ``leaves`` (N, S, S), ``tokens`` of N*P phrases, ``truth`` (N, P, S, S).

    In the warm-up nothing is asked: no tokens, and truth is empty.
    """

    pixels: Tensor
    leaves: Tensor
    tokens: dict[str, Tensor] | None
    truth: Tensor


def make_batch(config: ClipSegRecipe, step: int, draws: list[Draws], tokenizer: CLIPTokenizer) -> Batch:
    """The batch of that step: it depends on (seed, step) alone, so a resumed run repeats the same curve."""
    rng = np.random.default_rng((config.seed, step))
    first = config.batch if len(draws) == 1 else round(config.batch * config.street_share)
    images, leaves, concepts = [], [], []
    for source, count in zip(draws, (first, config.batch - first), strict=False):
        index = source.photo_indices(count, rng)
        shown, maps = source.photos.images[index], source.photos.leaves[index]
        images.append(shown if source is draws[0] else on_plain_ground(shown, maps, rng))
        leaves.append(maps)
        concepts += [source.concepts(int(photo), config.prompts, rng) for photo in index]
    side = side_at(config, step)
    rgb, moved = augment(torch.cat(images), torch.cat(leaves), rng, size=(side, side), scale=config.scale)
    rgb = dye(rgb, moved, rng, config.dyed, _dyed())
    if step < config.warm:
        return Batch(_normalised(rgb), moved, None, torch.zeros(0))
    phrases = [phrase_for(CONCEPTS[concept], rng) for row in concepts for concept in row]
    tokens = tokenizer(phrases, padding=True, truncation=True, return_tensors="pt")
    truth = torch.from_numpy(truth_table())[torch.tensor(concepts)[..., None, None], moved[:, None]]
    return Batch(_normalised(rgb), moved, {name: tokens[name] for name in ("input_ids", "attention_mask")}, truth)


def side_at(config: ClipSegRecipe, step: int) -> int:
    """Side of the square, in px, at that step."""
    if step < config.warm:
        return config.warm_side
    return config.side if step < config.warm + config.fine_from * (config.steps - config.warm) else config.fine_side


@cache
def _dyed() -> tuple[int, ...]:
    return tuple(LEAVES.index(leaf) for leaf in next(concept.yes for concept in CONCEPTS if concept.name == "clothes"))


def phrase_losses(logits: Tensor, truth: Tensor) -> dict[str, Tensor]:
    """``cross_entropy`` of all known pixels and ``overlap``, 1 - soft Jaccard, of the phrases that occur.

    (N, P, s, s) logits and (N, P, S, S) truth of 0, 1 and IGNORE; the logits are enlarged where they are smaller.
    """
    if logits.shape[-1] != truth.shape[-1]:
        logits = F.interpolate(logits, truth.shape[-2:], mode="bilinear", align_corners=False)
    known = (truth != IGNORE).float()
    target = (truth == 1).float()
    each = F.binary_cross_entropy_with_logits(logits, target, reduction="none") * known
    entropy = each.sum() / known.sum().clamp(min=1)
    found = logits.sigmoid() * known
    hit = (found * target).sum(dim=(2, 3))
    union = (found + target - found * target).sum(dim=(2, 3))
    occurs = target.sum(dim=(2, 3)) > 0
    jaccard = ((hit + 1) / (union + 1))[occurs]
    overlap = 1 - jaccard.mean() if len(jaccard) else logits.sum() * 0
    return {"cross_entropy": entropy, "overlap": overlap}


def group_loss(groups: Tensor, leaves: Tensor) -> Tensor:
    """Cross-entropy of (N, groups, h, w) against leaf maps (N, S, S), the middles of the cells."""
    step = leaves.shape[-1] // groups.shape[-1]
    labels = torch.from_numpy(_group_table()).to(leaves.device)[leaves[:, step // 2 :: step, step // 2 :: step]]
    if not bool((labels != IGNORE).any()):
        return groups.sum() * 0
    weights = torch.tensor(GROUP_WEIGHTS, device=groups.device)
    return F.cross_entropy(groups, labels, weights, ignore_index=IGNORE, label_smoothing=0.02)


@cache
def _group_table() -> NDArray[np.int64]:
    table = np.full(256, IGNORE, np.int64)
    for index, group in enumerate(GROUPS):
        table[[LEAVES.index(leaf) for leaf in group]] = index
    return table


@torch.no_grad()
def measure(
    student: Student,
    tokenizer: CLIPTokenizer,
    photos: WordPhotos,
    config: ClipSegRecipe,
    device: torch.device,
) -> dict[str, float]:
    """IoU of each judged word over the photos in which it occurs (per photo, then the mean), and their mean ``iou``.

    The network alone, at its own size, probabilities above one half.  ``quiet`` is the share of the judged words that
    do not occur whose mask is empty; ``groups_miou`` says how well the head that does not ship tells garments apart.
    """
    judged = [index for index, concept in enumerate(CONCEPTS) if concept.name in JUDGED]
    table = torch.from_numpy(truth_table())[judged]
    ious: dict[str, list[float]] = {CONCEPTS[index].name: [] for index in judged}
    quiet: list[bool] = []
    confusion = torch.zeros(len(GROUPS), len(GROUPS))
    for at in range(0, len(photos), 8):
        images = photos.images[at : at + 8]
        found = ask(student.model, tokenizer, images, [f"the {name}" for name in ious], config, device) > 0
        confusion += _confusion(student, images, photos.leaves[at : at + 8], config, device)
        for leaves, masks in zip(photos.leaves[at : at + 8].long(), found.cpu(), strict=True):
            truths = table[:, _squashed(leaves, masks.shape[-1])]
            for name, truth, mask in zip(ious, truths, masks, strict=True):
                known = truth != IGNORE
                true, mask = truth == 1, mask & known
                if true.float().mean() > 0.001:
                    ious[name].append(float((mask & true).sum() / (mask | true).sum()))
                elif not bool(true.any()):
                    quiet.append(float(mask.float().mean()) < 0.001)
    means = {f"iou_{name}": float(np.mean(values)) for name, values in ious.items() if values}
    overall = float(np.mean(list(means.values()))) if means else 0.0
    hit, shown = confusion.diag(), confusion.sum(1)
    groups = (hit / (confusion.sum(0) + shown - hit))[shown > 0].mean()
    silence = float(np.mean(quiet)) if quiet else 1.0
    return {"iou": overall, "quiet": silence, "groups_miou": float(groups), **means}


def _confusion(student: Student, images: Tensor, leaves: Tensor, config: ClipSegRecipe, device: torch.device) -> Tensor:
    """(groups, groups) pixels: rows the truth, columns the answer of the training-only head."""
    with half_precision(device):
        found = student(_square(images.to(device), config))[1].argmax(dim=1).cpu()
    labels = torch.from_numpy(_group_table())[torch.stack([_squashed(map_, found.shape[-1]) for map_ in leaves])]
    known = labels != IGNORE
    pairs = labels[known] * len(GROUPS) + found[known]
    return torch.bincount(pairs, minlength=len(GROUPS) ** 2).reshape(len(GROUPS), -1).float()


def _squashed(leaves: Tensor, side: int) -> Tensor:
    return F.interpolate(leaves[None, None].float(), (side, side), mode="nearest-exact")[0, 0].long()


@torch.no_grad()
def ask(
    model: CLIPSegForImageSegmentation,
    tokenizer: CLIPTokenizer,
    images: Tensor,
    phrases: list[str],
    config: ClipSegRecipe,
    device: torch.device,
) -> Tensor:
    """Framed photos (N, 3, H, W) uint8 and P phrases -> logits (N, P, side, side)."""
    tokens = tokenizer(phrases, padding=True, truncation=True, return_tensors="pt").to(device)
    conditions = model.clip.get_text_features(tokens["input_ids"], tokens["attention_mask"]).pooler_output
    with half_precision(device):
        logits = answer(model, look(model, _square(images.to(device), config)), conditions.repeat(len(images), 1))
    return logits.float()


def _square(images: Tensor, config: ClipSegRecipe) -> Tensor:
    """Framed photos (N, 3, H, W) uint8 -> normalised (N, 3, S, S)."""
    size = (config.fine_side, config.fine_side)
    return _normalised(F.interpolate(images.float() / 255, size, mode="bilinear", antialias=True, align_corners=False))


def sample_sheet(
    model: CLIPSegForImageSegmentation,
    tokenizer: CLIPTokenizer,
    photos: WordPhotos,
    config: ClipSegRecipe,
    device: torch.device,
    each: int = 10,
) -> Image.Image:
    """Held-out photos in the first row, and in a row for every judged word what it lights up."""
    logits = ask(model, tokenizer, photos.images[:each], [f"the {name}" for name in JUDGED], config, device)
    size = (config.frame[0] // 2, config.frame[1] // 2)
    masks = F.interpolate(logits.sigmoid(), size, mode="bilinear", antialias=True, align_corners=False).cpu()
    small = F.interpolate(photos.images[:each].float(), size, mode="area")
    rows = [small, *(small * (0.25 + 0.75 * masks[:, index : index + 1]) for index in range(len(JUDGED)))]
    sheet = torch.cat([torch.cat(list(row), dim=2) for row in rows], dim=1)
    return Image.fromarray(sheet.permute(1, 2, 0).round().to(torch.uint8).numpy())


def export(
    config: ClipSegRecipe, model: CLIPSegForImageSegmentation, tokenizer: CLIPTokenizer, path: Path, *, name: str
) -> Package:
    """Write a package as transformers writes CLIPSeg: float16 weights whose config asks for float32."""
    from safetensors.torch import save_file
    from transformers import CLIPSegProcessor, ViTImageProcessor

    path.mkdir(parents=True, exist_ok=True)
    side = {"height": config.fine_side, "width": config.fine_side}
    image_processor = ViTImageProcessor(size=side, image_mean=list(PIXEL_MEAN), image_std=list(PIXEL_STD))
    processor: Any = CLIPSegProcessor
    processor(image_processor, tokenizer).save_pretrained(path)
    # Releases before transformers 5 read these names.
    image_processor.save_pretrained(path)
    save_tokenizer(tokenizer, path)
    model.config.save_pretrained(path)
    settings = json.loads((path / "config.json").read_text(encoding="utf-8"))
    settings |= {"architectures": ["CLIPSegForImageSegmentation"], "dtype": "float32"}
    (path / "config.json").write_text(json.dumps(settings, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    weights = {key: value.half().contiguous().cpu() for key, value in model.state_dict().items()}
    save_file(weights, path / "model.safetensors", metadata={"format": "pt"})
    return save_folder_manifest(
        path,
        name=name,
        capability="text-mask",
        architecture="clipseg",
        defaults={
            "frame": list(config.frame),
            "subject": "the person",
            "mirror": True,
            "words": [word for concept in CONCEPTS if concept.yes for word in concept.words],
        },
    )


def _normal(weights: NDArray[Any]) -> NDArray[np.float64]:
    values = np.asarray(weights, np.float64)
    return np.asarray(values / values.sum(), np.float64)


def _normalised(rgb: Tensor) -> Tensor:
    mean, std = (torch.tensor(values, device=rgb.device)[:, None, None] for values in (PIXEL_MEAN, PIXEL_STD))
    return (rgb - mean) / std


@cache
def _singles(config: ClipSegRecipe) -> WordPhotos | None:
    if not config.garment_photos_dir:
        return None
    photos, mattes = Path(config.garment_photos_dir), Path(config.garment_mattes_dir)
    return read_single_leaves(photos, mattes, config.frame, validation=False)


def _optimisers(student: Student, config: ClipSegRecipe) -> list[torch.optim.Optimizer]:
    """Muon (Jordan et al. 2024) for the vision tower's matrices, AdamW for the rest, decay for matrices only."""
    layers = student.model.clip.vision_model.encoder.parameters()
    turned = {id(weight) for weight in layers if weight.ndim == 2}
    tower = [weight for weight in student.parameters() if id(weight) in turned]
    matrices = [weight for weight in student.parameters() if weight.ndim > 1 and id(weight) not in turned]
    others = [weight for weight in student.parameters() if weight.ndim <= 1]
    groups = [{"params": matrices, "weight_decay": config.weight_decay}, {"params": others, "weight_decay": 0.0}]
    return [
        torch.optim.Muon(tower, lr=config.matrix_rate, weight_decay=0.1 * config.weight_decay),
        torch.optim.AdamW(groups, lr=config.rate, betas=(0.9, 0.98)),
    ]


def choose_tokenizer(config: ClipSegRecipe, folder: Path) -> CLIPTokenizer:
    """The run's own, left in ``folder``; a new run takes its start's, or learns one from the phrases of today.

    Weights that go on must meet the tokens that they know, though the lexicon has grown since.
    """
    if is_tokenizer(folder):
        return read_tokenizer(folder)
    if not config.start_from:
        return make_tokenizer(all_phrases(), folder, config.vocabulary, MOST_TOKENS)
    begun = Path(config.start_from)
    tokenizer = read_tokenizer(begun if (begun / "manifest.json").exists() else begun / "tokenizer")
    save_tokenizer(tokenizer, folder)
    return tokenizer


def go_on_from(student: Student, folder: Path) -> None:
    """Take over the averaged weights of another run, or those of a package of the same sizes.

    Positions are resampled where its square had another side; a package lacks the head that does not ship, which then
    starts anew.  Raises :class:`BadInput` for a folder that is neither, or does not fit.
    """
    state = _weights_of(folder)
    own = student.state_dict()
    if _POSITIONS in state:
        state[_POSITIONS] = _resampled(state[_POSITIONS], len(own[_POSITIONS]))
    heads = {name: weight for name, weight in own.items() if not name.startswith("model.")}
    try:
        student.load_state_dict({**heads, **state})
    except RuntimeError as error:
        raise BadInput(f"{folder} does not fit the network of this recipe and cannot be its start.") from error


_POSITIONS = "model.clip.vision_model.embeddings.position_embedding.weight"


def _weights_of(folder: Path) -> dict[str, Tensor]:
    if (folder / "manifest.json").exists():
        from safetensors.torch import load_file

        path = Package.load(folder).path
        return {f"model.{name}": weight.float() for name, weight in load_file(path / "model.safetensors").items()}
    try:
        saved = torch.load(folder / "checkpoint.pt", map_location="cpu", weights_only=True)["ema"]["network"]
    except (OSError, KeyError, RuntimeError) as error:
        raise BadInput(f"{folder} holds neither a run nor a package to start from.") from error
    return dict(saved)


def _resampled(positions: Tensor, count: int) -> Tensor:
    """(1 + g * g, C) -> (1 + h * h, C), bicubic, as transformers does for photos of another size."""
    before, after = math.isqrt(len(positions) - 1), math.isqrt(count - 1)
    grid = positions[1:].T.reshape(1, -1, before, before)
    grid = F.interpolate(grid, (after, after), mode="bicubic", align_corners=False)
    return torch.cat((positions[:1], grid.flatten(2)[0].T))
