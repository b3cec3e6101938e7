"""What trainers have in common: a step, a checkpoint, and the loop that leads from one to the next."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor

from ..errors import Stopped
from ..packaging import Package
from ..pipelines.base import Progress, ShouldStop, tell
from .before import rates_of
from .distributed import Workers
from .ema import EMA
from .run import Run
from .start import take_over

Network = TypeVar("Network", bound=torch.nn.Module)
Losses = Mapping[str, Tensor | float]


class Trainer(ABC):
    """Networks with their optimisers and averages; each of the ``workers`` makes its share of every batch."""

    parts: tuple[str, ...] = ("network", "ema", "optimiser")
    """What a checkpoint keeps: attributes with a ``state_dict``."""

    workers: Workers

    @abstractmethod
    def step(self, step: int) -> Losses:
        """One update of what this step trains; its losses by name.  A function of the state and of (seed, step)."""

    def save(self, run: Run, step: int) -> None:
        """Keep the state as it is after so many steps."""
        if self.workers.is_writer:
            run.save({"step": step, **self.state_dict()})

    def load(self, run: Run) -> int | None:
        """Go on from the run's checkpoint; after how many steps it was kept, or None where there is none."""
        state = run.load()
        if state is None:
            return None
        self.load_state_dict(state)
        return int(state["step"])

    def state_dict(self) -> dict[str, object]:
        return {name: getattr(self, name).state_dict() for name in self.parts}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        for name in self.parts:
            getattr(self, name).load_state_dict(state[name])


@dataclass(frozen=True, kw_only=True)
class AveragedRecipe:
    """How a network is trained with AdamW at learning rate ``rate``; ``ema`` is the decay of the averaged weights."""

    batch: int = 16
    steps: int = 4000
    rate: float = 2e-3
    weight_decay: float = 0.02
    ema: float = 0.998
    seed: int = 1
    evaluate_every: int = 250


Weights = Iterable[torch.nn.Parameter]


class AveragedTrainer(Trainer, Generic[Network]):
    """One network, its optimiser, and its average ``ema``."""

    def __init__(
        self,
        config: Any,
        network: Network,
        workers: Workers,
        groups: Sequence[tuple[Weights, float]] = (),
        betas: tuple[float, float] = (0.9, 0.999),
    ) -> None:
        """``groups`` are weights and their learning rates; without them all have the recipe's."""
        self.workers, self.device = workers, workers.device
        self.network = network.to(workers.device)
        self.ema = EMA(self.network, config.ema)
        groups = groups or [(self.network.parameters(), config.rate)]
        self._rates = [rate for _, rate in groups]
        self.optimiser = torch.optim.AdamW(
            [{"params": list(weights)} for weights, _ in groups],
            lr=config.rate,
            betas=betas,
            weight_decay=config.weight_decay,
            fused=True,
        )

    def load_state_dict(self, state: dict[str, Any]) -> None:
        super().load_state_dict(state)
        self._rates = rates_of(self.optimiser.param_groups, self._rates)

    def set_rates(self, factor: float) -> None:
        """Every group's learning rate, as a factor of its own."""
        for group, rate in zip(self.optimiser.param_groups, self._rates, strict=True):
            group["lr"] = rate * factor

    def descend(self, loss: Tensor, steepest: float | None = None) -> None:
        """One update of weights and average down the gradient of ``loss``, its norm at most ``steepest``."""
        descend(self.optimiser, self.network, loss, steepest)
        if self.workers.is_writer:
            self.ema.update(self.network)


def descend(
    optimiser: torch.optim.Optimizer, network: torch.nn.Module, loss: Tensor, steepest: float | None = None
) -> None:
    """One update of ``network`` down the gradient of ``loss``, its norm at most ``steepest``."""
    optimiser.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    if steepest is not None:
        torch.nn.utils.clip_grad_norm_(network.parameters(), steepest)
    optimiser.step()


def begun(make: Callable[[Any], Network], config: Any, *, new: tuple[str, ...] = ()) -> Network:
    """The recipe's network, as its seed draws it or with the weights that it starts from, which may lack ``new``."""
    torch.manual_seed(config.seed)
    network = make(config.network)
    if config.start_from:
        take_over(network, Package.load(config.start_from), new=new)
    return network.to(memory_format=torch.channels_last)


def train_averaged(
    trainer: Trainer,
    run: Run,
    config: AveragedRecipe,
    publish: Publish,
    progress: Progress | None,
    should_stop: ShouldStop | None,
    begin: Callable[[], None] | None = None,
) -> None:
    """The loop of :func:`train_loop` for such a recipe."""
    train_loop(
        trainer,
        run,
        steps=config.steps,
        save_every=config.evaluate_every,
        publish=publish,
        begin=begin,
        progress=progress,
        should_stop=should_stop,
    )


Publish = Callable[[int, dict[str, float]], None]


def train_loop(
    trainer: Trainer,
    run: Run,
    *,
    steps: int,
    save_every: int,
    publish: Publish | None = None,
    log_every: int = 25,
    logs: bool = False,
    begin: Callable[[], None] | None = None,
    after: Callable[[int], None] | None = None,
    progress: Progress | None = None,
    should_stop: ShouldStop | None = None,
) -> None:
    """To the last step, going on from the run's checkpoint if it resumes.

    Asked to stop, in one worker or all, it keeps a checkpoint of where it is and raises ``Stopped``.

    Every ``log_every`` steps the losses are told, and written down if ``logs``.  Every ``save_every`` steps and at the
    last one the writer keeps a checkpoint, then calls ``publish(step, losses)``.  ``begin`` is called where there is no
    checkpoint yet, ``after(step)`` in the writer after every step.
    """
    workers = run.workers
    kept = trainer.load(run)
    if kept is None and begin is not None:
        begin()
    step = kept or 0
    while step < steps:
        if _is_asked(workers, should_stop):
            if step > (kept or 0):
                trainer.save(run, step)
            raise Stopped("Stopped as asked.")
        losses = trainer.step(step)
        step += 1
        saves = step % save_every == 0 or step == steps
        if saves or step % log_every == 0:
            means = workers.mean({name: float(loss) for name, loss in losses.items()})
        if step % log_every == 0:
            if logs:
                run.log(step, **means)
            said = ", ".join(f"{name} {value:.3f}" for name, value in means.items())
            tell(progress, step / steps, f"step {step}, {said}")
        if after is not None and workers.is_writer:
            after(step)
        if saves:
            trainer.save(run, step)
            kept = step
            if publish is not None and workers.is_writer:
                publish(step, means)


def _is_asked(workers: Workers, should_stop: ShouldStop | None) -> bool:
    """Whether one of the workers, all of which have somebody to ask or nobody, is asked to stop."""
    if should_stop is None:
        return False
    return bool(workers.total(torch.tensor(float(should_stop()))) > 0)
