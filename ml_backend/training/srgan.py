"""Recipe: SRGAN in the paper's two phases.

For ``content_steps`` the generator alone learns pixels (the paper's SRResNet); then the discriminator joins and the
loss becomes perceptual: content on features, ``adversarial`` times the generator's BCE (1e-3 in the paper, equation 3)
and, as the paper's section 3.2 allows, ``pixel`` times the pixel loss, which keeps colours where they are.

Content features are VGG19's when ``vgg`` names a state dict file, else those of our own pattern classifier.  The
weights at the end of the first phase are kept as ``pretrained.pt``, so that both versions can be looked at and either
shipped, or a mixture (``blend``): Wang et al. ("ESRGAN", 2018) interpolate the two networks' weights to have most of
the texture without the artefacts.  Their relativistic average discriminator can be asked for too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn

from ..errors import BadInput
from ..networks.classifier import PatternClassifier
from ..networks.srgan import SRDiscriminator, SRGANConfig, SRResNet, VGGFeatures, bicubic
from ..packaging import Package, save_package
from ..packaging.starter import starter
from ..pipelines.base import Progress, ShouldStop, tell
from . import read_recipe
from .data.bank import HELD_OUT_SEED, draw_bank
from .data.folder import list_images
from .data.pairs import Pairs
from .data.shards import Feed, read_index
from .distributed import Workers, alone
from .ema import EMA
from .prefetch import Prefetch, prefetch_depth
from .run import Run
from .start import interpolate
from .trainer import Trainer as BaseTrainer
from .trainer import descend, train_loop

Features = Callable[[Tensor], list[Tensor]]

_NETWORK = SRGANConfig()


@dataclass(frozen=True, kw_only=True)
class SRGANRecipe:
    """Sizes are in high-resolution pixels.

    ``patch`` and ``discriminator_patch`` (what the discriminator sees of it; a multiple of 16) and ``border`` (not
    counted in the loss: there the context is invented) must fit: ``discriminator_patch <= patch - 2 * border``.
    ``start_from`` names a package whose fitting tensors are the start, of another scale too.  ``real_dir`` is a folder
    of close-ups by class; its held-out part is not used.  ``real_shards`` is a folder or URL of shards
    (:mod:`.data.shards`) to stream close-ups from instead, one a step from each of ``lanes``, a multiple of the number
    of workers.  ``designs`` of every pattern type are drawn at ``design_size`` pixels.  ``dream_share`` of the ink
    planes and ``poor_share`` of the pictures are spoilt as :mod:`.data.pairs` says.
    ``relativistic`` judges real against made (ESRGAN, section 3.2) instead of each alone.  ``second_rate`` is the
    second phase's rate (0: the same).  ``blend`` is the second phase's share of the packaged weights, the rest is
    the first's.  ``half`` computes in bfloat16 on a CPU that is faster so; CUDA always does.
    """

    recipe: str = "srgan"
    network: SRGANConfig = _NETWORK
    discriminator_maps: int = 64
    steps: int = 1_200_000
    content_steps: int = 1_000_000
    batch: int = 16
    patch: int = 96
    discriminator_patch: int = 96
    border: int = 0
    rate: float = 1e-4
    halve_every: int = 0
    pixel_loss: str = "l1"
    pixel: float = 0.0
    content: float = 1.0
    adversarial: float = 1e-3
    vgg: str = ""
    ema: float = 0.999
    designs: int = 20
    design_size: int = 512
    inks: int = 5
    real_dir: str = ""
    real_shards: str = ""
    lanes: int = 4
    real_share: float = 0.15
    dream_share: float = 0.0
    poor_share: float = 0.0
    relativistic: bool = False
    second_rate: float = 0.0
    blend: float = 1.0
    half: bool = False
    start_from: str = ""
    seed: int = 0
    log_every: int = 50
    save_every: int = 200
    sample_every: int = 400

    def __post_init__(self) -> None:
        scale = self.network.scale
        if self.patch % scale or self.border % scale:
            raise BadInput("Patch and border must be multiples of the scale.")
        if self.discriminator_patch % 16 or self.discriminator_patch > self.patch - 2 * self.border:
            raise BadInput("The discriminator's patch must be a multiple of 16 and fit between the borders.")
        if self.real_dir and self.real_shards:
            raise BadInput("Close-ups come from real_dir or from real_shards, not from both.")
        if self.pixel_loss not in ("l1", "mse"):
            raise BadInput(f"{self.pixel_loss!r} is not a pixel loss; choose l1 or mse.")
        if not 0 <= self.blend <= 1:
            raise BadInput("The blend of both phases' weights lies between 0 and 1.")


class Trainer(BaseTrainer):
    """The networks, their optimisers and one step of each phase; ``batches`` gives a step's pairs."""

    parts = ("generator", "judge", "ema", "optimiser", "judge_optimiser")

    def __init__(self, config: SRGANRecipe, workers: Workers, batches: Callable[[int], tuple[Tensor, Tensor]]) -> None:
        torch.manual_seed(config.seed)
        self.config, self.workers, self.device, self.batches = config, workers, workers.device, batches
        device = workers.device
        self.generator = SRResNet(config.network).to(device).to(memory_format=torch.channels_last)
        if config.start_from:
            warm_start(self.generator, Package.load(config.start_from).state_dict())
        self.judge = SRDiscriminator(config.discriminator_patch, config.discriminator_maps).to(device)
        self.ema = EMA(self.generator, config.ema)
        self.enlarge, self.judged = workers.wrap(self.generator), workers.wrap(self.judge)
        self.optimiser = torch.optim.Adam(self.generator.parameters(), config.rate, betas=(0.9, 0.99), fused=True)
        self.judge_optimiser = torch.optim.Adam(self.judge.parameters(), config.rate, betas=(0.9, 0.99), fused=True)
        self.features: Features | None = None

    def step(self, step: int) -> dict[str, Tensor]:
        """One step of whichever phase it is time for; the losses."""
        lr, hr = (self.workers.place(part, torch.channels_last) for part in self.batches(step))
        self._set_rate(step)
        if step < self.config.content_steps:
            losses = self._content_step(lr, hr)
        else:
            losses = self._adversarial_step(lr, hr, np.random.default_rng([self.config.seed, step]))
        if self.workers.is_writer:
            self.ema.update(self.generator)
        return {name: loss.detach() for name, loss in losses.items()}

    def _set_rate(self, step: int) -> None:
        config = self.config
        halvings = step // config.halve_every if config.halve_every else 0
        second = step >= config.content_steps and config.second_rate > 0
        rate = config.second_rate if second else config.rate * 0.5**halvings
        for optimiser in (self.optimiser, self.judge_optimiser):
            for group in optimiser.param_groups:
                group["lr"] = rate

    def _content_step(self, lr: Tensor, hr: Tensor) -> dict[str, Tensor]:
        with self._precision():
            loss = self._pixel(self.enlarge(lr), hr)
        descend(self.optimiser, self.generator, loss, 1.0)
        return {"pixel": loss}

    def _adversarial_step(self, lr: Tensor, hr: Tensor, rng: np.random.Generator) -> dict[str, Tensor]:
        config = self.config
        if self.features is None:
            self.features = content_features(config.vgg, self.device)
        with self._precision():
            made = self.enlarge(lr)
            window = _window(config, rng)
            real, fake = hr[window], made[window]
            judge_loss = self._contest(*self.judged(torch.cat([real, fake.detach()])).chunk(2))
        descend(self.judge_optimiser, self.judge, judge_loss, 1.0)
        self.judge.requires_grad_(False)
        with self._precision():
            if config.relativistic:
                seen, shown = self.judge(torch.cat([real, fake])).chunk(2)
                fooled = self._contest(shown, seen)
            else:
                fooled = _verdict(self.judge(fake), is_real=True)
            content = feature_loss(self.features, fake, real, self.workers)
            pixel = self._pixel(made, hr)
            loss = config.content * content + config.adversarial * fooled + config.pixel * pixel
        descend(self.optimiser, self.generator, loss, 1.0)
        self.judge.requires_grad_(True)
        return {"pixel": pixel, "content": content, "fooled": fooled, "judge": judge_loss}

    def _contest(self, better: Tensor, worse: Tensor) -> Tensor:
        """What it costs not to tell ``better`` (N,) from ``worse`` (N,): each alone, or against the others' mean."""
        if self.config.relativistic:
            mean = self.workers.whole_mean
            better, worse = better - mean(worse), worse - mean(better)
        return (_verdict(better, is_real=True) + _verdict(worse, is_real=False)) / 2

    def _pixel(self, made: Tensor, truth: Tensor) -> Tensor:
        made, truth = _inside(made, self.config.border), _inside(truth, self.config.border)
        return F.l1_loss(made, truth) if self.config.pixel_loss == "l1" else F.mse_loss(made, truth)

    def _precision(self) -> torch.autocast:
        enabled = self.config.half or self.device.type == "cuda"
        return torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=enabled)


def train(
    config: SRGANRecipe, run: Run, *, progress: Progress | None = None, should_stop: ShouldStop | None = None
) -> None:
    """Train to ``config.steps``, resuming from the run's checkpoint if it resumes.  Raises ``Stopped``."""
    workers = run.workers
    tell(progress, 0, "drawing swatches")
    with workers.writer_first():
        pairs = open_pairs(config, run.cache("bank.npy"))

    def after(step: int) -> None:
        """What it is time for at this step: the first phase's weights, a sample sheet."""
        if step == config.content_steps:
            torch.save(trainer.ema.network.state_dict(), run.path / "pretrained.pt")
        if step % config.sample_every == 0 or step == config.steps:
            run.samples(step, sample_sheet(trainer.ema.network, pairs, trainer.device))

    with open_batches(config, pairs, run) as batches:
        trainer = Trainer(config, workers, batches)
        train_loop(
            trainer,
            run,
            steps=config.steps,
            save_every=config.save_every,
            log_every=config.log_every,
            logs=True,
            after=after,
            progress=progress,
            should_stop=should_stop,
        )
    if workers.is_writer:
        export(run.path, run.path / "package", run.path.name)


@contextmanager
def open_batches(config: SRGANRecipe, pairs: Pairs, run: Run) -> Iterator[Prefetch[tuple[Tensor, Tensor]]]:
    """This worker's pairs of any step, close-ups from shards among them if the recipe names some."""
    workers = run.workers
    part, depth = workers.part(config.batch), prefetch_depth(workers.device)
    with ExitStack() as stack:
        feed: Feed | None = None
        if config.real_shards:
            index, mine = read_index(config.real_shards, run.access), workers.part(config.lanes, what="lanes")
            feed = Feed(index, run.access, seed=config.seed, lanes=config.lanes, mine=mine)
            stack.enter_context(feed)
            depth = min(depth, 1)  # a feed is asked for one step after the other

        def make(step: int) -> tuple[Tensor, Tensor]:
            rng = np.random.default_rng([config.seed, step])
            return pairs.batch(rng, config.batch, part, feed(step) if feed is not None else ())

        yield Prefetch(make, depth)


def open_pairs(config: SRGANRecipe, cache: Path | None = None) -> Pairs:
    bank = draw_bank(config.designs, config.design_size, config.inks, cache=cache)
    real = list_images(config.real_dir, "train") if config.real_dir else []
    shares = {"real_share": config.real_share, "dream_share": config.dream_share, "poor_share": config.poor_share}
    return Pairs(bank, real, scale=config.network.scale, patch=config.patch, **shares)


def warm_start(network: nn.Module, state: dict[str, Tensor]) -> int:
    """Copy the tensors whose name and shape fit; how many that were.  Raises :class:`BadInput` when none does."""
    own = network.state_dict()
    fitting = {name: value for name, value in state.items() if name in own and own[name].shape == value.shape}
    if not fitting:
        raise BadInput("The warm start has nothing in common with this network.")
    network.load_state_dict(own | fitting)
    return len(fitting)


def content_features(vgg: str, device: torch.device) -> Features:
    """VGG19's features from a state dict file, else our starter classifier's."""
    if vgg:
        network = VGGFeatures(torch.load(vgg, map_location="cpu", weights_only=True))
        return network.to(device)
    classifier = starter("classifier-starter").network().requires_grad_(False).to(device)
    if not isinstance(classifier, PatternClassifier):
        raise BadInput("The starter classifier is of another architecture.")
    return classifier.features


def feature_loss(features: Features, made: Tensor, truth: Tensor, workers: Workers | None = None) -> Tensor:
    """Mean squared distance of features (the paper's equation 5), each layer scaled by the truth's own mean square.

    With ``workers`` that is the mean square of the whole batch's truth.
    """
    workers = alone() if workers is None else workers
    with torch.no_grad():
        wanted = features(truth)
        scales = [workers.whole_mean(layer.square()).clamp(min=1e-6) for layer in wanted]
    layers = zip(features(made), wanted, scales, strict=True)
    return torch.stack([F.mse_loss(a, b) / scale for a, b, scale in layers]).mean()


@torch.no_grad()
def sample_sheet(network: nn.Module, pairs: Pairs, device: torch.device, rows: int = 6) -> Image.Image:
    """Bicubic, network and truth side by side, the same samples every time."""
    lr, hr = pairs.batch(np.random.default_rng(HELD_OUT_SEED), rows)
    made = network(lr.to(device)).cpu()
    columns = torch.cat([bicubic(lr, pairs.scale), made, hr], dim=3).clamp(0, 1)
    picture = torch.cat(list(columns), dim=1).permute(1, 2, 0)
    return Image.fromarray((picture * 255).round().byte().numpy())


def export(run_dir: Path | str, out: Path | str, name: str, *, blend: float | None = None, **manifest: Any) -> Package:
    """Package a run's averaged weights.

    ``blend`` overrides the recipe's: 0 gives those from before the adversarial phase, 1 those at the end.
    """
    run_dir = Path(run_dir)
    recipe = read_recipe(run_dir / "config.json")
    state: dict[str, Tensor] = _load(run_dir / "checkpoint.pt")["ema"]["network"]
    before = run_dir / "pretrained.pt"
    if before.exists():
        state = interpolate(_load(before), state, recipe.blend if blend is None else blend)
    return save_package(
        out, name=name, capability="upscale", architecture="srgan", config=recipe.network, state_dict=state, **manifest
    )


def _load(path: Path) -> Any:
    return torch.load(path, map_location="cpu", weights_only=True)


def _verdict(logits: Tensor, *, is_real: bool) -> Tensor:
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, float(is_real)))


def _inside(x: Tensor, border: int) -> Tensor:
    return x[..., border:-border, border:-border] if border else x


def _window(config: SRGANRecipe, rng: np.random.Generator) -> tuple[Any, ...]:
    """A random ``discriminator_patch`` square between the borders, as an index.

    Even and odd offsets alike: features of stride 2 that saw one phase only would teach a checkerboard.
    """
    room = config.patch - 2 * config.border - config.discriminator_patch
    top, left = (config.border + int(rng.integers(room + 1)) for _ in range(2))
    return (..., slice(top, top + config.discriminator_patch), slice(left, left + config.discriminator_patch))
